# The differentiable particle filter (Algorithm 1, right) with a vector of parameters.
#
# The resampling law is stopped, and the weights after resampling are corrected by v̄/⊥v̄, whose value is 1.

count N, T, K
index k = 1..K;  index i, j = 1..N;  index t = 1..T
parameter θ[k], φ
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; φ), p0(x[0])
resampling R

sample x[0,i] ~ p0
sample a[t,·] ~ R(⊥(v̄[t-1,·]))
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a

define v̄[0,i] = 1/N
define v[t,i] = 1/N * (v̄[t-1, a[t,i]] / ⊥(v̄[t-1, a[t,i]]))
                * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define V[t]   = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z      = ∏[t=1..T] V[t]

# What they are in value: the particle filter (Algorithm 1, left).
define w[t,i] = 1/N * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]

#: score
#:   paper: Eq. 13, 55–62
#:   estimator: Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))
derive →(∇θ log Z)

#: Hessian
#:   paper: Eq. 26, 100–107
#:   estimator: Σ[i=1..N](w̄[T,i] * (∇²θ log p(x̃[1:T,i], y[1:T]; θ)
#:       + ∇θ log p(x̃[1:T,i], y[1:T]; θ) ⊗ ∇θ log p(x̃[1:T,i], y[1:T]; θ)))
#:     - Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ)) ⊗ Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))
#:   print: Eq. 106 lacks a ∇ before L/⊥L.
derive →(∇²θ log Z)
