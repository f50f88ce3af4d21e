# must fail: refuted, line 11: in value
#
# The k3 estimate r - 1 - log r, r = π_ref/π, is unbiased for KL(π, π_ref) in value; in the loss its
# gradient is that of KL(π_ref, π), the other direction.

parameter θ
density π₁(a; θ), π₂(a)

theorem gradient_of_k3:
  ∇θ 𝔼[a ~ π₁(·; θ)](log(π₁(a; θ) / π₂(a)))
    = 𝔼[a ~ π₁(·; θ)](→(∇θ (π₂(a) / π₁(a; θ) - 1 - log(π₂(a) / π₁(a; θ)))))
