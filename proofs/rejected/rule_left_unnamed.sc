# must fail: parse, line 9: nothing stands behind by
#
# A `by` announces a reason.

parameter θ
variable x
density p(x; θ)

theorem score: →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = ∇θ log p(x; θ)     by
