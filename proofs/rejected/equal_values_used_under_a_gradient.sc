# must fail: refuted, line 13: in value
#
# An equality of values may be used under arithmetic, Σ, functions, ⊥ and →, and never under ∇.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

lemma correction_in_value: p(x; θ) / ⊥(p(x; θ)) * f(x; θ) =→ f(x; θ)
theorem used_under_stop: ⊥(p(x; θ) / ⊥(p(x; θ)) * f(x; θ)) = ⊥(f(x; θ))     by using correction_in_value
theorem used_under_a_gradient:
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * f(x; θ))) = →(∇θ f(x; θ))      by using correction_in_value
