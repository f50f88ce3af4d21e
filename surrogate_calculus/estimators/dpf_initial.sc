# The differentiable particle filter with an initial law that depends on θ.
#
# The initial particles are drawn from p0 as it is, stopped, so that their weights are corrected by p0/⊥p0 as
# those after resampling are by v̄/⊥v̄.  Without that factor the score would lack the gradient of log p0.

count N, T
parameter θ, φ
index i, j = 1..N;  index t = 1..T;  index s = 0..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; φ), p0(x[0]; θ)
resampling R

sample x[0,i] ~ ⊥(p0(·; θ))
sample a[t,·] ~ R(⊥(v̄[t-1,·]))
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a

define v[0,i] = 1/N * p0(x[0,i]; θ) / ⊥(p0(x[0,i]; θ))
define v[t,i] = 1/N * (v̄[t-1, a[t,i]] / ⊥(v̄[t-1, a[t,i]]))
                * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define V[s]   = Σ[i=1..N] v[s,i]
define v̄[s,i] = v[s,i] / V[s]
define Z      = ∏[s=0..T] V[s]

# What they are in value.
define w[t,i] = 1/N * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]

#: score
#:   paper: Algorithm 1, Eq. 13, with p(x₀) dependent on θ
#:   estimator: Σ[i=1..N](w̄[T,i] * (∇θ log p0(x[0, ã[0,T,i]]; θ) + ∇θ log p(x̃[1:T,i], y[1:T]; θ)))
#:   note: Algorithm 1 has v̄[0,i] = 1/N, which gives Eq. 13 as it stands, and the score only if p0 is free of θ.
derive →(∇θ log Z)
