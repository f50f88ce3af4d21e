# must fail: refuted, line 12: in value
#
# A baseline that depends on the action is no constant: its product with the score has a mean other than
# zero.

parameter θ, φ
density π₀(a; θ)
function c(a; φ)

theorem action_dependent_baseline:
  𝔼[a ~ π₀(·; θ)](c(a; φ) * ∇θ log π₀(a; θ))
    = 0
