# Fisher's identity with a self-normalised importance sampler.
#
# The proposal q depends on θ and is stopped in the weight v, so that automatic differentiation sees the
# model alone.  The value of v is the importance weight w.

count N
parameter θ
index i, j = 1..N
observed y
density p(x[i], y; θ), q(x[i]; θ)
function f(x[i]; θ)

sample x[i] ~ ⊥(q(·; θ))

define v[i] = p(x[i], y; θ) / ⊥(q(x[i]; θ))
define V    = 1/N * Σ[i=1..N] v[i]
define v̄[i] = v[i] / Σ[j=1..N] v[j]

# What they are in value.
define w[i] = p(x[i], y; θ) / q(x[i]; θ)
define w̄[i] = w[i] / Σ[j=1..N] w[j]
define f̄    = Σ[i=1..N](w̄[i] * f(x[i]; θ))

#: score
#:   paper: Eq. 10–12, 49–51
#:   estimator: Σ[i=1..N](w̄[i] * ∇θ log p(x[i], y; θ))
derive →(∇θ log V)

#: posterior expectation
#:   paper: Eq. 18 with one step, 71–74
#:   estimator: Σ[i=1..N](w̄[i] * (∇θ f(x[i]; θ) + (f(x[i]; θ) - f̄) * ∇θ log p(x[i], y; θ)))
derive →(∇θ Σ[i=1..N](v̄[i] * f(x[i]; θ)))
