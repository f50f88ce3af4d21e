# The particle filter with DiCE on the ancestors.
#
# D has the value 1; its gradient is that of the log-probability of the ancestors.

count N, T
parameter θ, φ
index i, j = 1..N;  index t = 1..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; φ), p0(x[0])
resampling R
function f(x; θ)

sample x[0,i] ~ p0
sample a[t,·] ~ R(w̄[t-1,·])
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a

define w̄[0,i] = 1/N
define w[t,i] = 1/N * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]
define Z      = ∏[t=1..T] W[t]
define f̄      = Σ[i=1..N](w̄[T,i] * f(x̃[1:T,i]; θ))
define D      = ∏[t=1..T] ∏[i=1..N](w̄[t-1, a[t,i]] / ⊥(w̄[t-1, a[t,i]]))

#: score
#:   paper: Eq. 14–16
#:   estimator: log Z * Σ[t=1..T] Σ[i=1..N] ∇θ log w̄[t-1, a[t,i]]
#:     + Σ[t=1..T] Σ[i=1..N](w̄[t,i] * ∇θ log p(x[t,i], y[t] | x[t-1, a[t,i]]; θ))
#:   print: Eq. 14 has w at time t for w̄ at t-1 (unnormalised weights are no probabilities), Eq. 15 and 16
#:     have ∇ log w̄[t,i] for ∇ log w̄[t-1,a[t,i]].
derive →(∇θ(D * log Z))

#: posterior expectation
#:   paper: Eq. 19, 64–70
#:   estimator: f̄ * Σ[t=1..T] Σ[i=1..N] ∇θ log w̄[t-1, a[t,i]]
#:     + Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log p(x[T,i], y[T] | x[T-1, a[T,i]]; θ)))
#:   print: Eq. 19 has ∇ log w̄[t-1,i] for ∇ log w̄[t-1,a[t,i]], and x[T-1,i] for x[T-1,a[T,i]].
derive →(∇θ(D * f̄))

#: unnormalised posterior
#:   paper: Eq. 22, 79–86
#:   estimator: Z * (f̄ * Σ[t=1..T] Σ[i=1..N] ∇θ log w̄[t-1, a[t,i]]
#:     + f̄ * Σ[t=1..T] Σ[i=1..N](w̄[t,i] * ∇θ log p(x[t,i], y[t] | x[t-1, a[t,i]]; θ))
#:     + Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log p(x[T,i], y[T] | x[T-1, a[T,i]]; θ))))
#:   print: Eq. 22 lacks the second line, Z f̄ ∇ log Z; Eq. 81–86 have it.  Both have ∇ log w̄[t-1,i] for
#:     ∇ log w̄[t-1,a[t,i]].
derive →(∇θ(D * Z * f̄))
