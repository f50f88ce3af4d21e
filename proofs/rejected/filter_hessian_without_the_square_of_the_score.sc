# must fail: refuted, line 9: in value
#
# The square of the mean score is not subtracted.

use "@dpf"

theorem hessian:
  →(∇²θ log Z)
    = Σ[i=1..N](w̄[T,i] * (∇²θ log p(x̃[1:T,i], y[1:T]; θ) + (∇θ log p(x̃[1:T,i], y[1:T]; θ))^2))
