# must fail: refuted, line 9: in value
#
# The normalised weights depend on θ through their sum too: the mean f̄ has to be subtracted.

use "@fisher"

theorem posterior_expectation:
  →(∇θ Σ[i=1..N](v̄[i] * f(x[i]; θ)))
    = Σ[i=1..N](w̄[i] * (∇θ f(x[i]; θ) + f(x[i]; θ) * ∇θ log p(x[i], y; θ)))
