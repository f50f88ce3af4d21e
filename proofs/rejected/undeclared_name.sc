# must fail: declaration, line 10: f̄ is not declared
#
# A name that a document does not declare is a misprint until the opposite is said.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem centred: →(∇θ (⊥(f(x; θ) - fbar) * log p(x; θ))) = (f(x; θ) - fbar) * ∇θ log p(x; θ)
