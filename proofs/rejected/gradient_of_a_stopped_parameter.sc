# must fail: refuted, line 10: in value
#
# The derivative of ⊥θ is 0, and not 1.

parameter θ
variable x

theorem gradient_of_a_stopped_parameter:
  ∇θ (⊥(θ)^2 + x * θ)
    = 2 * ⊥(θ) + x
