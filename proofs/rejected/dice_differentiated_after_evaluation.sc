# must fail: refuted, line 16: in value
#
# The estimator of the first derivative, differentiated once more, is not the estimator of the second: the
# surrogate has to be differentiated twice, and then evaluated.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

define dice = p(x; θ) / ⊥(p(x; θ)) * f(x; θ)

theorem first: →(∇θ dice) = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)
theorem second:
  →(∇²θ dice)
    = ∇θ (f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ))
