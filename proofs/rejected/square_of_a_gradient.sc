# must fail: refuted, line 11: in value
#
# ∇² is the second derivative, and not the square of the first.

parameter θ
variable x
density p(x; θ)

theorem square_of_a_gradient:
  ∇²θ log p(x; θ)
    = (∇θ log p(x; θ))^2
