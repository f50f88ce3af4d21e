# Sequential importance sampling: a particle filter that never resamples.

count N, T
parameter θ, φ
index i, j = 1..N;  index t = 1..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; φ), p0(x[0])
function f(x; θ)

sample x[0,i] ~ p0
sample x[t,i] ~ q(· | x[t-1,i]; φ)

define w̄[0,i] = 1/N
define w[t,i] = w̄[t-1,i] * p(x[t,i], y[t] | x[t-1,i]; θ) / q(x[t,i] | x[t-1,i]; φ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]
define Z      = ∏[t=1..T] W[t]
define f̄      = Σ[i=1..N](w̄[T,i] * f(x[1:T,i]; θ))

#: score
#:   paper: section 5 (SIS); Eq. 8 for a sequence
#:   estimator: Σ[i=1..N](w̄[T,i] * ∇θ log p(x[1:T,i], y[1:T]; θ))
derive →(∇θ log Z)

#: posterior expectation
#:   paper: Eq. 18 without resampling
#:   estimator: Σ[i=1..N](w̄[T,i] * (∇θ f(x[1:T,i]; θ) + (f(x[1:T,i]; θ) - f̄) * ∇θ log p(x[1:T,i], y[1:T]; θ)))
derive →(∇θ f̄)
