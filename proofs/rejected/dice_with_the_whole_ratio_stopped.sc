# must fail: refuted, line 12: in value
#
# A ratio that is stopped as a whole is the constant 1.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem ratio_stopped:
  →(∇θ (⊥(p(x; θ) / p(x; θ)) * f(x; θ)))
    = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)
