# must fail: refuted, line 9: in value
#
# The initial law depends on θ, and its score belongs to that of the path.

use "@dpf_initial"

theorem score:
  →(∇θ log Z)
    = Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))
