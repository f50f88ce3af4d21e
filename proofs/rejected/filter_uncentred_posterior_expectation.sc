# must fail: refuted, line 9: in value
#
# Without f̄ the estimator is that of the unnormalised expectation.

use "@dpf"

theorem posterior_expectation:
  →(∇θ Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ)))
    = Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + f(x̃[1:T,i]; θ) * ∇θ log p(x̃[1:T,i], y[1:T]; θ)))
