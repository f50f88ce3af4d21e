# must fail: refuted, line 13: after ∇θ
#
# p/⊥p has the value 1 and a gradient; = claims that no order of automatic differentiation can tell the two
# apart. Only =→ holds.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

lemma correction_in_value: p(x; θ) / ⊥(p(x; θ)) * f(x; θ) =→ f(x; θ)       by evaluate
theorem correction_left_out:
  p(x; θ) / ⊥(p(x; θ)) * f(x; θ) = f(x; θ)      by evaluate
