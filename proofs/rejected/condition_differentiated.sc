# must fail: refuted, line 11: in value
#
# The indicator of a comparison is constant under ∇ and does not drop out of the value.

parameter θ
variable x
function f(x; θ)

theorem masked_gradient:
  ∇θ ([x > 0] * f(x; θ) + (1 - [x > 0]) * θ)
    = ∇θ f(x; θ) + 1
