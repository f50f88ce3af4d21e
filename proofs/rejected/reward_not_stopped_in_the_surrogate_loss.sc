# must fail: refuted, line 13: in value
#
# The reward depends on θ. Without its ⊥ the surrogate loss has a third term, log p ∇f.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem reinforce: →(∇θ (⊥(f(x; θ)) * log p(x; θ) + f(x; θ))) = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)
theorem without_the_stop:
  →(∇θ (f(x; θ) * log p(x; θ) + f(x; θ)))
    = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)
