# must fail: refuted, line 11: in value
#
# The k1 estimate log π - log π_ref has the KL divergence as its mean; its gradient at a sample has the mean
# zero, and not the gradient of the KL divergence.

parameter θ
density π₁(a; θ), π₂(a)

theorem gradient_of_k1:
  ∇θ 𝔼[a ~ π₁(·; θ)](log(π₁(a; θ) / π₂(a)))
    = 𝔼[a ~ π₁(·; θ)](→(∇θ (log π₁(a; θ) - log π₂(a))))
