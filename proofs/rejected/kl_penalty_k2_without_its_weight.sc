# must fail: refuted, line 11: in value
#
# The gradient of k2 = (log ratio)²/2 is the log ratio times the score; k2 itself is no KL divergence in
# value.

parameter θ
density π₁(a; θ), π₂(a)

theorem value_of_k2:
  𝔼[a ~ π₁(·; θ)]((log π₁(a; θ) - log π₂(a))^2 / 2)
    = 𝔼[a ~ π₁(·; θ)](log π₁(a; θ) - log π₂(a))
