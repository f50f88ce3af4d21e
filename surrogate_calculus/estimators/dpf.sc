# The differentiable particle filter (Algorithm 1, right), resampling at each step.
#
# The resampling law is stopped, and the weights after resampling are corrected by v̄/⊥v̄, whose value is 1.

count N, T
parameter θ, φ
index i, j = 1..N;  index t = 1..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; φ), p0(x[0])
resampling R
function f(x; θ)

sample x[0,i] ~ p0
sample a[t,·] ~ R(⊥(v̄[t-1,·]))
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a

define v̄[0,i] = 1/N
define v[t,i] = 1/N * (v̄[t-1, a[t,i]] / ⊥(v̄[t-1, a[t,i]]))
                * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define V[t]   = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z      = ∏[t=1..T] V[t]

# What they are in value: the particle filter (Algorithm 1, left).
define w[t,i] = 1/N * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]
define Ẑ      = ∏[t=1..T] W[t]
define f̄      = Σ[i=1..N](w̄[T,i] * f(x̃[1:T,i]; θ))

#: score
#:   paper: Eq. 13, 55–62
#:   estimator: Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))
#:   note: The initial law p0 is free of θ, and q has no θ or is stopped.
derive →(∇θ log Z)

#: posterior expectation
#:   paper: Eq. 18, 71–74
#:   estimator: Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log p(x̃[1:T,i], y[1:T]; θ)))
derive →(∇θ Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ)))

#: unnormalised posterior
#:   paper: Eq. 20–21, 75–78
#:   estimator: Ẑ * Σ[i=1..N](w̄[T,i] * (f(x̃[1:T,i]; θ) * ∇θ log p(x̃[1:T,i], y[1:T]; θ) + ∇θ f(x̃[1:T,i]; θ)))
#:   print: The surrogate of Eq. 75 has w̄ for v̄.
derive →(∇θ(Z * Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ))))

#: Hessian
#:   paper: Eq. 26, 100–107, for a scalar θ
#:   estimator: Σ[i=1..N](w̄[T,i] * (∇²θ log p(x̃[1:T,i], y[1:T]; θ) + (∇θ log p(x̃[1:T,i], y[1:T]; θ))^2))
#:     - Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))^2
derive →(∇²θ log Z)

#: third derivative
#:   paper: section 4.3
#:   estimator: Σ[i=1..N](w̄[T,i] * (∇³θ log p(x̃[1:T,i], y[1:T]; θ)
#:       + 3 * ∇θ log p(x̃[1:T,i], y[1:T]; θ) * ∇²θ log p(x̃[1:T,i], y[1:T]; θ) + (∇θ log p(x̃[1:T,i], y[1:T]; θ))^3))
#:     - 3 * Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))
#:         * Σ[i=1..N](w̄[T,i] * (∇²θ log p(x̃[1:T,i], y[1:T]; θ) + (∇θ log p(x̃[1:T,i], y[1:T]; θ))^2))
#:     + 2 * Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))^3
derive →(∇³θ log Z)

#: Hessian, unnormalised posterior
#:   paper: section 4.3
#:   estimator: Ẑ * Σ[i=1..N](w̄[T,i] * (∇²θ f(x̃[1:T,i]; θ)
#:       + 2 * ∇θ f(x̃[1:T,i]; θ) * ∇θ log p(x̃[1:T,i], y[1:T]; θ)
#:       + f(x̃[1:T,i]; θ) * (∇²θ log p(x̃[1:T,i], y[1:T]; θ) + (∇θ log p(x̃[1:T,i], y[1:T]; θ))^2)))
derive →(∇²θ(Z * Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ))))
