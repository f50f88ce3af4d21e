# must fail: declaration, line 10: the name score is given in line
#
# A name stands for one claim.

parameter θ
variable x
density p(x; θ), q(x; θ)

lemma score: →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = ∇θ log p(x; θ)
lemma score: →(∇θ (q(x; θ) / ⊥(q(x; θ)))) = ∇θ log q(x; θ)
