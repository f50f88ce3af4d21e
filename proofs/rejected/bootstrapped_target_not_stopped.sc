# must fail: refuted, line 13: in value
#
# The semi-gradient of temporal differences holds the target fixed; without the ⊥ the target is learnt too.

parameter θ
variable s, z, r, γ
function V(s; θ)

theorem semi_gradient:
  →(∇θ ((⊥(r + γ * V(z; θ)) - V(s; θ))^2)) = -2 * (r + γ * V(z; θ) - V(s; θ)) * ∇θ V(s; θ)
theorem residual_gradient:
  →(∇θ ((r + γ * V(z; θ) - V(s; θ))^2))
    = -2 * (r + γ * V(z; θ) - V(s; θ)) * ∇θ V(s; θ)
