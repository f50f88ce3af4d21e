# must fail: refuted, line 9: in value
#
# The score sums over all times; the last weights with the last densities are one step of it.

use "@dpf"

theorem score:
  →(∇θ log Z)
    = Σ[i=1..N](w̄[T,i] * ∇θ log p(x[T,i], y[T] | x[T-1, a[T,i]]; θ))
