# must fail: refuted, line 13: in value
#
# The gradient of a product over t is no product of gradients.

count T
parameter θ
index t = 1..T
observed y[t]
density p(y[t]; θ)

theorem gradient_of_a_product:
  ∇θ ∏[t=1..T](p(y[t]; θ))
    = ∏[t=1..T](∇θ p(y[t]; θ))
