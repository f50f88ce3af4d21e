# must fail: refuted, line 10: in value
#
# The correction has to be the weight that the ancestor was drawn by, at t - 1; the weight at t is another
# one.

use "@pf_dice"

theorem score:
  →(∇θ(D * log Z))
    = log Z * Σ[t=1..T] Σ[i=1..N] ∇θ log w̄[t, a[t,i]]
      + Σ[t=1..T] Σ[i=1..N](w̄[t,i] * ∇θ log p(x[t,i], y[t] | x[t-1, a[t,i]]; θ))
