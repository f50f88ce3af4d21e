# must fail: refuted, line 12: in value
#
# Under ∇ a stopped factor is a constant; without its ⊥ it is not.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem stop_dropped:
  →(∇θ (⊥(f(x; θ)) * log p(x; θ)))
    = →(∇θ (f(x; θ) * log p(x; θ)))
