# The differentiable marginal particle filter (Algorithm 2, right): O(N²) work for less variance.
#
# Each particle is drawn from the whole mixture; its weights are stopped in the law and in its density.

count N, T
parameter θ, φ
index i, j = 1..N;  index t = 1..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1], y[t]; φ), p0(x[0])

sample x[0,i] ~ p0
sample x[t,i] ~ Σ[j=1..N](⊥(v̄[t-1,j]) * q(· | x[t-1,j], y[t]; φ))

define v̄[0,i] = 1/N
define v[t,i] = 1/N * Σ[j=1..N](v̄[t-1,j] * p(x[t,i], y[t] | x[t-1,j]; θ))
                / Σ[j=1..N](⊥(v̄[t-1,j]) * q(x[t,i] | x[t-1,j], y[t]; φ))
define V[t]   = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z      = ∏[t=1..T] V[t]

# What they are in value (Algorithm 2, left).
define w̄[0,i] = 1/N
define w[t,i] = 1/N * Σ[j=1..N](w̄[t-1,j] * p(x[t,i], y[t] | x[t-1,j]; θ))
                / Σ[j=1..N](w̄[t-1,j] * q(x[t,i] | x[t-1,j], y[t]; φ))
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]

# The score of a particle at time t, averaged over the particles that it may come from.
define α[0,i] = 0
define α[t,i] = Σ[j=1..N](w̄[t-1,j] * p(x[t,i], y[t] | x[t-1,j]; θ) * (α[t-1,j] + ∇θ log p(x[t,i], y[t] | x[t-1,j]; θ)))
                / Σ[j=1..N](w̄[t-1,j] * p(x[t,i], y[t] | x[t-1,j]; θ))

#: score
#:   paper: Eq. 24–25, 88–99
#:   estimator: Σ[i=1..N](w̄[T,i] * α[T,i])
#:   print: Eq. 25, 89 and 90 have w̄ at time t+1 for time t, and no initial value; Eq. 89 and 90 drop the
#:     condition x[t,j] of the last density.
#:   note: Eq. 25 weighs with p(x|x) in place of p(x,y|x), which is the same where y depends on its own x alone.
derive →(∇θ log Z)
