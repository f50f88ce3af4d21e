# must fail: refuted, line 11: in value
#
# Dividing by the stopped sum gives weights that do not see how the sum depends on θ: f̄ is not subtracted.

use "@dpf"

define u[i] = v[T,i] / ⊥(V[T])

theorem posterior_expectation:
  →(∇θ Σ[i=1..N](u[i] * f(x̃[1:T,i]; θ)))
    = Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log p(x̃[1:T,i], y[1:T]; θ)))
