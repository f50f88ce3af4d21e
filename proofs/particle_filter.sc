# A particle filter and its differentiable form (Algorithm 1), for any N and T, with the path of each
# particle: X[t,i] is the path that ends in particle i of time t, and end(path) is its last state.

count N, T
parameter θ, φ
index i, j = 1..N;  index t = 1..T
observed y[t], ys
density p(x, y | x'; θ), q(x | x'; φ), p0(x)
resampling R
function begin(x), extend(path, x), end(path)

sample x[0,i] ~ p0(·)
sample a[t,·] ~ R(w̄[t-1,·])
sample x[t,i] ~ q(· | end(X[t-1, a[t,i]]); φ)

define X[0,i] = begin(x[0,i])
define X[t,i] = extend(X[t-1, a[t,i]], x[t,i])

# The weights as they are in value, and the estimate of p(y[1:t]).
define w̄[0,i] = 1/N
define w[t,i] = 1/N * p(x[t,i], y[t] | end(X[t-1, a[t,i]]); θ) / q(x[t,i] | end(X[t-1, a[t,i]]); φ)
define W[t] = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]
define Ẑ[0] = 1
define Ẑ[t] = Ẑ[t-1] * W[t]

# The weights of the differentiable filter.
define v̄[0,i] = 1/N
define v[t,i] = 1/N * (v̄[t-1, a[t,i]] / ⊥(v̄[t-1, a[t,i]])) * p(x[t,i], y[t] | end(X[t-1, a[t,i]]); θ) / q(x[t,i] | end(X[t-1, a[t,i]]); φ)
define V[t] = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z[0] = 1
define Z[t] = Z[t-1] * V[t]

# The importance weight of a path, not normalised.
define L[0,i] = 1
define L[t,i] = L[t-1, a[t,i]] * p(x[t,i], y[t] | end(X[t-1, a[t,i]]); θ) / q(x[t,i] | end(X[t-1, a[t,i]]); φ)
