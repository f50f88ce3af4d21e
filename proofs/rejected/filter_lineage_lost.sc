# must fail: refuted, line 9: in value
#
# The path of particle i is its lineage x̃; the particles x[1:T,i] of one number belong to different paths.

use "@dpf"

theorem score:
  →(∇θ log Z)
    = Σ[i=1..N](w̄[T,i] * ∇θ log p(x[1:T,i], y[1:T]; θ))
