# must fail: refuted, line 14: in value
#
# Put in for F, f² comes with its own gradient, 2 f ∇f.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

lemma dice_once for every F(x; θ):
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * F(x; θ))) = F(x; θ) * ∇θ log p(x; θ) + ∇θ F(x; θ)
theorem dice_of_a_square:
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * f(x; θ)^2))
    = f(x; θ)^2 * ∇θ log p(x; θ) + ∇θ f(x; θ)
      by using dice_once with F(x; θ) := f(x; θ)^2
