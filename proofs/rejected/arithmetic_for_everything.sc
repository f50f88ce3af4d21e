# must fail: hint, line 11: grad_product
#
# Calling a differentiation arithmetic hides the step that a reader would check.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem product_rule:
  ∇θ (f(x; θ) * p(x; θ)) = f(x; θ) * ∇θ p(x; θ) + p(x; θ) * ∇θ f(x; θ)     by arithmetic
