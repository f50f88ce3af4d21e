# must fail: term, line 12: for the outer product
#
# The product of two vectors is an outer product, ⊗, or an inner one; * is of numbers.

count K
index k = 1..K
parameter θ[k]
variable x
density p(x; θ)

theorem outer_product_for_a_product:
  ∇²θ log p(x; θ) = ∇²θ p(x; θ) / p(x; θ) - ∇θ log p(x; θ) * ∇θ log p(x; θ)
