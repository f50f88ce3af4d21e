# must fail: refuted, line 9: in value
#
# The gradient of Ẑ is Ẑ times that of log Ẑ.

use "@dpf"

theorem gradient_of_the_likelihood:
  →(∇θ Z)
    = Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))
