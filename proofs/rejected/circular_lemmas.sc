# must fail: declaration, line 11: dice_is_unbiased is proved later
#
# Two lemmas that each rest on the other prove nothing: a lemma is proved before it is used.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

lemma dice_once:
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * f(x; θ))) = ∇θ (p(x; θ) * f(x; θ)) / p(x; θ)     by using dice_is_unbiased
lemma dice_is_unbiased:
  ∇θ (p(x; θ) * f(x; θ)) / p(x; θ) = →(∇θ (p(x; θ) / ⊥(p(x; θ)) * f(x; θ)))     by using dice_once
