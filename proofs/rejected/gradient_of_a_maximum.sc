# must fail: refuted, line 11: in value
#
# The gradient of a max is that of the larger one, and not the sum of both.

parameter θ
variable x
function f(x; θ), g(x; θ)

theorem clipped:
  ∇θ max(f(x; θ), g(x; θ))
    = ∇θ f(x; θ) + ∇θ g(x; θ)
