# The differentiable particle filter with a proposal that depends on θ and is not stopped.

count N, T
parameter θ
index i, j = 1..N;  index t = 1..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; θ), p0(x[0])
resampling R

sample x[0,i] ~ p0
sample a[t,·] ~ R(⊥(v̄[t-1,·]))
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; θ)
lineage x̃ of x by a

define v̄[0,i] = 1/N
define v[t,i] = 1/N * (v̄[t-1, a[t,i]] / ⊥(v̄[t-1, a[t,i]]))
                * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; θ)
define V[t]   = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z      = ∏[t=1..T] V[t]
define D      = ∏[t=1..T] ∏[i=1..N](q(x[t,i] | x[t-1, a[t,i]]; θ) / ⊥(q(x[t,i] | x[t-1, a[t,i]]; θ)))

# What they are in value.
define w[t,i] = 1/N * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; θ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]
define Ẑ      = ∏[t=1..T] W[t]

#: gradient
#:   paper: Eq. 61–62 with q dependent on θ; Eq. 9, the second term
#:   estimator: Σ[i=1..N](w̄[T,i] * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; θ)))
#:   note: Not the score: the law of the particles depends on θ too.  Stopping q gives Eq. 13.
derive →(∇θ log Z)

#: gradient, with DiCE on the particles
#:   paper: Eq. 9 for a sequence
#:   estimator: log Ẑ * Σ[t=1..T] Σ[i=1..N] ∇θ log q(x[t,i] | x[t-1, a[t,i]]; θ)
#:     + Σ[i=1..N](w̄[T,i] * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; θ)))
derive →(∇θ(D * log Z))
