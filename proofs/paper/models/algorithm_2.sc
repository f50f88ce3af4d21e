# Algorithm 2, and the recursion of the score as it should be.

count N, T
parameter θ, φ
index i, j, n = 1..N;  index t, k = 1..T
observed y[t]
density m(x[t] | x[t-1]; θ), g(y[t] | x[t]; θ), r(x[t], y[t]; θ)      # p(x | x), p(y | x), p(x, y)
density q(x[t] | x[t-1], y[t]; φ), p0(x[0])

sample x[0,i] ~ p0
sample x[t,i] ~ Σ[j=1..N](⊥(v̄[t-1,j]) * q(· | x[t-1,j], y[t]; φ))

# Algorithm 2, right.
define v̄[0,i] = 1/N
define v[t,n] = 1/N * Σ[i=1..N](v̄[t-1,i] * (m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ))) / Σ[i=1..N](⊥(v̄[t-1,i]) * q(x[t,n] | x[t-1,i], y[t]; φ))
define V[t]   = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z      = ∏[t=1..T] V[t]

# What they are in value.
define w̄[0,i] = 1/N
define w[t,n] = 1/N * Σ[i=1..N](w̄[t-1,i] * (m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ))) / Σ[i=1..N](w̄[t-1,i] * q(x[t,n] | x[t-1,i], y[t]; φ))
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]
define Ẑ      = ∏[t=1..T] W[t]

# The recursion as it should be.
define α[0,i] = 0
define α[t,i] = Σ[j=1..N](w̄[t-1,j] * (m(x[t,i] | x[t-1,j]; θ) * g(y[t] | x[t,i]; θ)) * (α[t-1,j] + ∇θ log(m(x[t,i] | x[t-1,j]; θ) * g(y[t] | x[t,i]; θ)))) / Σ[j=1..N](w̄[t-1,j] * (m(x[t,i] | x[t-1,j]; θ) * g(y[t] | x[t,i]; θ)))
