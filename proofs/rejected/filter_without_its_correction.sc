# must fail: refuted, line 10: in value
#
# The filter without v̄/⊥v̄ lets no gradient through the ancestors: its score is a sum over the steps, and
# not that of the whole path.

use "@pf"

theorem score_along_the_path:
  →(∇θ log Z)
    = Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))
