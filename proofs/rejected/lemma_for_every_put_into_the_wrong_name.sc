# must fail: declaration, line 14: does not say that it holds for every g
#
# Only what stands behind `for every` may be put in.

parameter θ
variable x
density p(x; θ)
function f(x; θ), g(x; θ)

lemma dice_once for every F(x; θ):
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * F(x; θ))) = F(x; θ) * ∇θ log p(x; θ) + ∇θ F(x; θ)
theorem dice_of_g:
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * g(x; θ))) = g(x; θ) * ∇θ log p(x; θ) + ∇θ g(x; θ)
      by using dice_once with g(x; θ) := f(x; θ)
