# must fail: condition, line 12: f(x; θ) != 0
#
# The lemma is for positive functions. Put in for f, which may vanish, it leaves a condition that nothing
# assumes.

parameter θ
variable x
function f(x; θ)

lemma score_of_a_ratio for every E(x; θ) > 0:
  →(∇θ (E(x; θ) / ⊥(E(x; θ)))) = ∇θ log E(x; θ)
theorem of_any_function:
  →(∇θ (f(x; θ) / ⊥(f(x; θ)))) = ∇θ log f(x; θ)
    by using score_of_a_ratio with E(x; θ) := f(x; θ)
