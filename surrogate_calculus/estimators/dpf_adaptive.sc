# The differentiable particle filter (Algorithm 1, right) that resamples where the effective sample size is low.
#
# The condition is looked at for its value alone.

count N, T
parameter θ, φ
index i, j = 1..N;  index t = 1..T;  index s = 0..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; φ), p0(x[0])
resampling R
function f(x; θ)

sample x[0,i] ~ p0
sample r[t,·] ~ R(⊥(v̄[t-1,·]))
define ESS[s] = 1 / Σ[i=1..N](⊥(v̄[s,i])^2)
define a[t,i] = cases(ESS[t-1] < N/2: r[t,i], else: i)
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a

define v̄[0,i] = 1/N
define ṽ[t,i] = cases(ESS[t-1] < N/2: 1/N * v̄[t-1, a[t,i]] / ⊥(v̄[t-1, a[t,i]]), else: v̄[t-1, i])
define v[t,i] = ṽ[t,i] * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define V[t]   = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z      = ∏[t=1..T] V[t]

# What they are in value (Algorithm 1, left).
define w̄[0,i] = 1/N
define w̃[t,i] = cases(ESS[t-1] < N/2: 1/N, else: w̄[t-1, i])
define w[t,i] = w̃[t,i] * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]
define Ẑ      = ∏[t=1..T] W[t]
define f̄      = Σ[i=1..N](w̄[T,i] * f(x̃[1:T,i]; θ))

#: score
#:   paper: Algorithm 1, Eq. 13
#:   estimator: Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))
#:   print: Algorithm 1 has ṽ and w̃ at time t-1 in the weight at time t.
derive →(∇θ log Z)

#: posterior expectation
#:   paper: Algorithm 1, Eq. 18
#:   estimator: Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log p(x̃[1:T,i], y[1:T]; θ)))
derive →(∇θ Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ)))
