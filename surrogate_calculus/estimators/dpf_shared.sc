# The differentiable particle filter with a reparameterised proposal, its parameter that of the model.
#
# The particles are functions of noise, so that gradients pass through them.

count N, T
parameter θ
index i, j = 1..N;  index t = 1..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; θ), p0(x0), n(ε)
resampling R
function h(ε, x; θ)

sample x0[i] ~ p0
define x[0,i] = x0[i]
sample a[t,·] ~ R(⊥(v̄[t-1,·]))
sample ε[t,i] ~ n
define x[t,i] = h(ε[t,i], x[t-1, a[t,i]]; θ)
lineage x̃ of x by a

define v̄[0,i] = 1/N
define v[t,i] = 1/N * (v̄[t-1, a[t,i]] / ⊥(v̄[t-1, a[t,i]]))
                * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; θ)
define V[t]   = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z      = ∏[t=1..T] V[t]

# What they are in value.
define w[t,i] = 1/N * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; θ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]

#: score
#:   paper: Eq. 23, 87, with φ = θ
#:   estimator: Σ[i=1..N](w̄[T,i] * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; θ)))
#:   note: The derivatives are total: θ stands in the particles too.
derive →(∇θ log Z)
