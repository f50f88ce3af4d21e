# must fail: declaration, line 9: uses itself
#
# A claim is no reason for itself.

parameter θ
variable x
density p(x; θ)

lemma score: →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = ∇θ log p(x; θ)     by using score
