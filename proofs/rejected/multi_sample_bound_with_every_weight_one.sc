# must fail: refuted, line 10: in value
#
# The gradient of the log of a mean weights each sample by w̄, and not by 1/N.

use "@iwae"

theorem score: →(∇θ log Z) = Σ[i=1..N](w̄[i] * ∇θ log p(x[i], y; θ))
theorem score_of_the_mean_log:
  →(∇θ log Z)
    = 1/N * Σ[i=1..N] ∇θ log p(x[i], y; θ)
