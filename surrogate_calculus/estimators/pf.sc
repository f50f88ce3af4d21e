# The particle filter (Algorithm 1, left), resampling at each step.
#
# No gradient passes through the ancestors.  What automatic differentiation makes of it is the gradient of
# no expectation: the dependence of the resampling law on θ is lost.

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

#: score
#:   paper: Eq. 14–16, the second terms
#:   estimator: Σ[t=1..T] Σ[i=1..N](w̄[t,i] * ∇θ log p(x[t,i], y[t] | x[t-1, a[t,i]]; θ))
derive →(∇θ log Z)

#: posterior expectation
#:   paper: Eq. 64–68
#:   estimator: Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log p(x[T,i], y[T] | x[T-1, a[T,i]]; θ)))
derive →(∇θ f̄)
