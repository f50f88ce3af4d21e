# must fail: hint, line 14: needs a rule that it does not name
#
# The lemma is about f. Without `for every` it says nothing of g, whose claim is true and has to be proved
# itself.

parameter θ
variable x
density p(x; θ)
function f(x; θ), g(x; θ)

lemma dice_of_f:
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * f(x; θ))) = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)
theorem dice_of_g:
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * g(x; θ))) = g(x; θ) * ∇θ log p(x; θ) + ∇θ g(x; θ)     by using dice_of_f
