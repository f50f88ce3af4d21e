# must fail: refuted, line 14: in value
#
# The straight-through surrogate soft + ⊥(hard - soft) has the value of hard and the gradient of soft.

parameter θ
variable x
function hard(x; θ), soft(x; θ)

define surrogate = soft(x; θ) + ⊥(hard(x; θ) - soft(x; θ))

theorem value: surrogate =→ hard(x; θ)
theorem gradient:
  →(∇θ surrogate)
    = ∇θ hard(x; θ)
