# must fail: refuted, line 12: in value
#
# A stopped reward loses its own gradient.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem reward_stopped:
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * ⊥(f(x; θ))))
    = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)
