# must fail: refuted, line 12: in value
#
# With samples of an old policy the ratio is not 1 in value: the gradient keeps it as a weight.

parameter θ
variable a, A
density π₁(a; θ), π₂(a)

theorem weighted: →(∇θ (π₁(a; θ) / π₂(a) * A)) = π₁(a; θ) / π₂(a) * A * ∇θ log π₁(a; θ)
theorem weight_dropped:
  →(∇θ (π₁(a; θ) / π₂(a) * A))
    = A * ∇θ log π₁(a; θ)
