# must fail: proved, line 11: is to be refuted, and is proved
#
# The two sides are equal: there is no counterexample to find.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

refute dice_is_biased:
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * f(x; θ))) = ∇θ (p(x; θ) * f(x; θ)) / p(x; θ)
