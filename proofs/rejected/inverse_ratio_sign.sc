# must fail: refuted, line 11: in value
#
# The derivative of ⊥p/p has a minus sign: it is the other way up.

parameter θ
variable x
density p(x; θ)

theorem inverse_ratio:
  →(∇θ (⊥(p(x; θ)) / p(x; θ)))
    = ∇θ log p(x; θ)
