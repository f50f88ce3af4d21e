# must fail: refuted, line 10: in value
#
# The chain rule multiplies by the derivative of what is inside.

parameter θ
variable x
function f(x; θ)

theorem exponential:
  ∇θ exp(f(x; θ)) = exp(f(x; θ))     by chain
