# must fail: refuted, line 12: in value
#
# ⊥p/p has the value 1 as well, and the opposite gradient.

parameter θ
variable x
density p(x; θ)
function f(x)

theorem upside_down:
  →(∇θ (⊥(p(x; θ)) / p(x; θ) * f(x)))
    = f(x) * ∇θ log p(x; θ)
