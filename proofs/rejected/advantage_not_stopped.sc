# must fail: refuted, line 14: in value
#
# The critic shares its parameters with the policy. An advantage that is not stopped sends the policy's loss
# into the critic.

parameter θ
variable s, r
density π₁(s; θ)
function V(s; θ)

theorem with_a_stop: →(∇θ (⊥(r - V(s; θ)) * log π₁(s; θ))) = (r - V(s; θ)) * ∇θ log π₁(s; θ)
theorem without_a_stop:
  →(∇θ ((r - V(s; θ)) * log π₁(s; θ)))
    = (r - V(s; θ)) * ∇θ log π₁(s; θ)
