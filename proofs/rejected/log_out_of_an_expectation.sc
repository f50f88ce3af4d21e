# must fail: refuted, line 11: in value
#
# Jensen: the mean of a log is a bound of the log of the mean, and no equality.

parameter θ, φ
observed y
density p(x, y; θ), q(x; φ)

theorem evidence_and_its_bound:
  log 𝔼[x ~ q(·; φ)](p(x, y; θ) / q(x; φ))
    = 𝔼[x ~ q(·; φ)](log(p(x, y; θ) / q(x; φ)))
