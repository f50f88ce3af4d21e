# must fail: refuted, line 11: in value
#
# The importance weight is target over proposal.

parameter θ, φ
density p(x; θ), q(x; φ)
function f(x)

theorem weight_upside_down:
  𝔼[x ~ p(·; θ)](f(x))
    = 𝔼[x ~ q(·; φ)](q(x; φ) / p(x; θ) * f(x))
