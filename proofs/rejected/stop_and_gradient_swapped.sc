# must fail: refuted, line 12: in value
#
# ⊥∇E is a stopped gradient, ∇⊥E is zero.

parameter θ
variable x
function f(x; θ)

theorem stopped_gradient: →(⊥(∇θ f(x; θ))) = ∇θ f(x; θ)
theorem stop_and_gradient_swapped:
  ⊥(∇θ f(x; θ))
    = ∇θ ⊥(f(x; θ))
