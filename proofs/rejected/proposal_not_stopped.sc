# must fail: refuted, line 9: in value
#
# The proposal depends on θ. Where it is not stopped in the weight its gradient stays in the estimator.

use "@iwae_dice"

theorem proposal_forgotten:
  →(∇θ log Z)
    = Σ[i=1..N](w̄[i] * ∇θ log p(x[i], y; θ))
