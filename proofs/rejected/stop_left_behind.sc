# must fail: refuted, line 12: after ∇θ
#
# In value the two sides are equal. They are no equal surrogates: the left one is differentiated further as
# ∇p/⊥p, and the right one as ∇ log p.

parameter θ
variable x
density p(x; θ)

theorem score_before_evaluation:
  ∇θ (p(x; θ) / ⊥(p(x; θ)))
    = ∇θ log p(x; θ)
