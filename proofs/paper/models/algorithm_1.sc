# Algorithm 1, both filters, and what the sections on them define besides.

count N, T
parameter θ, φ
index i, j = 1..N;  index t, k, s = 1..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; φ), p0(x[0])
resampling R
function f(x; θ)

sample x[0,i] ~ p0
sample a[t,·] ~ R(⊥(v̄[t-1,·]))
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a

# Algorithm 1, right.
define v̄[0,i] = 1/N
define ṽ[t,i] = 1/N * (v̄[t-1, a[t,i]] / ⊥(v̄[t-1, a[t,i]]))
define v[t,i] = ṽ[t,i] * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define V[t]   = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z      = ∏[t=1..T] V[t]

# Algorithm 1, left: what they are in value.
define w̄[0,i] = 1/N
define w[t,i] = 1/N * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]
define Ẑ      = ∏[t=1..T] W[t]
define f̄      = Σ[i=1..N](w̄[T,i] * f(x̃[1:T,i]; θ))
define D      = ∏[t=1..T] ∏[i=1..N](w̄[t-1, a[t,i]] / ⊥(w̄[t-1, a[t,i]]))      # DiCE on the ancestors
