# must fail: refuted, line 13: in value
#
# ∇→E is the derivative of the value; pulling → to the front turns it into what automatic differentiation
# computes.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem arrow_pulled_out:
  ∇θ →(⊥(p(x; θ)) * f(x; θ))
    = →(∇θ (⊥(p(x; θ)) * f(x; θ)))
    = p(x; θ) * ∇θ f(x; θ)      by product, stop, evaluate
