# must fail: refuted, line 12: in value
#
# The second derivative of a product has its cross term twice.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem second_derivative_of_a_product:
  ∇²θ (f(x; θ) * p(x; θ))
    = f(x; θ) * ∇²θ p(x; θ) + ∇θ f(x; θ) * ∇θ p(x; θ) + p(x; θ) * ∇²θ f(x; θ)
