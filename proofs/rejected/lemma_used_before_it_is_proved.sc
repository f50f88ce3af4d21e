# must fail: declaration, line 11: score is proved later
#
# The order of a document is the order of its proofs.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem weighted_score:
  f(x; θ) * →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = f(x; θ) * ∇θ log p(x; θ)     by using score
lemma score: →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = ∇θ log p(x; θ)
