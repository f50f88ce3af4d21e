# must fail: refuted, line 9: in value
#
# Louis' identity adds the weighted squares of the scores and subtracts the square of their mean.

use "@dpf"

theorem hessian:
  →(∇²θ log Z)
    = Σ[i=1..N](w̄[T,i] * ∇²θ log p(x̃[1:T,i], y[1:T]; θ))
