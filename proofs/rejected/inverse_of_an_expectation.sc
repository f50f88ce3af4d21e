# must fail: refuted, line 11: in value
#
# Self-normalised weights divide by a mean; the mean of the inverses is another number.

parameter θ
density p(x; θ)
function f(x)

theorem inverse_of_a_mean:
  𝔼[x ~ p(·; θ)](1 / exp(f(x)))
    = 1 / 𝔼[x ~ p(·; θ)](exp(f(x)))
