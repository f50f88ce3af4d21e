# must fail: refuted, line 15: in value
#
# Evaluating between two gradients differentiates what was stopped; →∇∇E, which running automatic
# differentiation twice computes, does not.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

define surrogate = ⊥(f(x; θ)) * log p(x; θ)

theorem twice_differentiated:
  →(∇θ ∇θ surrogate)
    = ∇θ →(∇θ surrogate)
    = ∇θ (f(x; θ) * ∇θ log p(x; θ))
