# must fail: refuted, line 11: in value
#
# Samples of the proposal are not samples of the target.

parameter θ, φ
density p(x; θ), q(x; φ)
function f(x)

theorem target_for_proposal:
  𝔼[x ~ p(·; θ)](f(x))
    = 𝔼[x ~ q(·; φ)](f(x))
