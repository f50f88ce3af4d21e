# must fail: condition, line 10: f(x; θ) != 0
#
# ∇f / f is ∇ log f where f does not vanish; of a function it is not known that it does not.

parameter θ
variable x
function f(x; θ)

theorem score_of_a_ratio for every E(x; θ) > 0: →(∇θ (E(x; θ) / ⊥(E(x; θ)))) = ∇θ log E(x; θ)
theorem score_of_a_ratio_of_any_function:
  →(∇θ (f(x; θ) / ⊥(f(x; θ)))) = ∇θ log f(x; θ)
