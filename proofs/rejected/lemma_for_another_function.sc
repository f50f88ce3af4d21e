# must fail: declaration, line 15: does not say that it holds for every f
#
# The lemma is about the f of the document. Stated without `for every`, it is none about g, however alike
# the two are.

parameter θ
variable x
density p(x; θ)
function f(x; θ), g(x; θ)

lemma dice_of_f:
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * f(x; θ))) = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)
theorem dice_of_g:
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * g(x; θ))) = g(x; θ) * ∇θ log p(x; θ) + ∇θ g(x; θ)
      by using dice_of_f with f(x; θ) := g(x; θ)
