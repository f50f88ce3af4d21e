# must fail: refuted, line 9: in value
#
# Particle i goes on from its ancestor a[t,i], and not from particle i of the step before.

use "@pf_dice"

theorem score:
  →(∇θ(D * log Z))
    = log Z * Σ[t=1..T] Σ[i=1..N] ∇θ log w̄[t-1, i]
      + Σ[t=1..T] Σ[i=1..N](w̄[t,i] * ∇θ log p(x[t,i], y[t] | x[t-1, a[t,i]]; θ))
