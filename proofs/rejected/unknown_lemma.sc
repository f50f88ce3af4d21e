# must fail: declaration, line 10: there is no lemma dice_frist_order
#
# A misspelt lemma is no lemma; the nearest name is offered.

parameter θ
variable x
density p(x; θ)

lemma dice_first_order: →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = ∇θ log p(x; θ)
theorem again: →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = ∇θ log p(x; θ)     by using dice_frist_order
