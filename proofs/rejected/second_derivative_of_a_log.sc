# must fail: refuted, line 12: in value
#
# ∇² log p = ∇²p/p - (∇ log p)²: the outer product is missing.

parameter θ
variable x
density p(x; θ)

theorem hessian_of_a_log: ∇²θ log p(x; θ) = ∇²θ p(x; θ) / p(x; θ) - (∇θ log p(x; θ))^2
theorem hessian_without_its_outer_product:
  ∇²θ log p(x; θ)
    = ∇²θ p(x; θ) / p(x; θ)
