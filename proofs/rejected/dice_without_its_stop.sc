# must fail: refuted, line 12: in value
#
# Without the ⊥ the ratio p/p is 1 and has no gradient.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem stop_forgotten:
  →(∇θ (p(x; θ) / p(x; θ) * f(x; θ)))
    = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)
