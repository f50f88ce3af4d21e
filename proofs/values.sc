# Equal values: →A = →B gives ⊥A = ⊥B, whatever A and B are, and says nothing of their derivatives.

parameter θ
variable y
function f(y; θ), g(y; θ), a(u, v), b(u, v)

assume equal_in_value: a(f(y; θ), ⊥(g(y; θ))) =→ b(⊥(f(y; θ)), g(y; θ))

theorem equal_once_evaluated:
  →(a(f(y; θ), ⊥(g(y; θ)))) = →(b(⊥(f(y; θ)), g(y; θ)))     by using equal_in_value
theorem equal_once_stopped:
  ⊥(a(f(y; θ), ⊥(g(y; θ)))) = ⊥(b(⊥(f(y; θ)), g(y; θ)))     by using equal_in_value
theorem equal_under_a_sum:
  a(f(y; θ), ⊥(g(y; θ))) + ⊥(f(y; θ)) =→ b(⊥(f(y; θ)), g(y; θ)) + f(y; θ)     by using equal_in_value, evaluate
