# must fail: undecided, line 11: not proved
#
# An axiom =→ is about values; under ∇ it says nothing.

parameter θ
variable x
function f(x; θ)

assume same_value for every x: f(x; θ) / ⊥(f(x; θ)) * θ =→ 3
theorem in_value: 2 * →(f(x; θ) / ⊥(f(x; θ)) * θ) = 6     by evaluate, using same_value
theorem under_a_gradient: →(∇θ (f(x; θ) / ⊥(f(x; θ)) * θ)) = 0     by using same_value, evaluate
