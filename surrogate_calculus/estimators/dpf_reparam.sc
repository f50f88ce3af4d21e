# The differentiable particle filter with a reparameterised proposal that has parameters of its own.
#
# The particles are functions of noise, so that gradients pass through them.

count N, T
parameter θ, φ
index i, j = 1..N;  index t = 1..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; φ), p0(x0), n(ε)
resampling R
function h(ε, x; φ)

sample x0[i] ~ p0
define x[0,i] = x0[i]
sample a[t,·] ~ R(⊥(v̄[t-1,·]))
sample ε[t,i] ~ n
define x[t,i] = h(ε[t,i], x[t-1, a[t,i]]; φ)
lineage x̃ of x by a

define v̄[0,i] = 1/N
define v[t,i] = 1/N * (v̄[t-1, a[t,i]] / ⊥(v̄[t-1, a[t,i]]))
                * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define V[t]   = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z      = ∏[t=1..T] V[t]

# What they are in value.
define w[t,i] = 1/N * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]

#: proposal
#:   paper: Eq. 23, 87
#:   estimator: Σ[i=1..N](w̄[T,i] * ∇φ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)))
#:   print: Section 4.1 has h(ε, x[t-1,i]) without the ancestor; the left side of Eq. 87 is divided by Z once too often.
#:   note: The derivatives are total: φ stands in the particles too.
derive →(∇φ log Z)

#: score
#:   paper: Eq. 13
#:   estimator: Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))
derive →(∇θ log Z)
