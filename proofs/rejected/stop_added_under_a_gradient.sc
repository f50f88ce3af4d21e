# must fail: refuted, line 12: in value
#
# A ⊥ that was not there hides a factor from ∇: half of the product rule is gone.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem stop_added:
  →(∇θ (f(x; θ) * p(x; θ)))
    = →(∇θ (⊥(f(x; θ)) * p(x; θ)))
    = f(x; θ) * ∇θ p(x; θ)        by product, stop, evaluate
