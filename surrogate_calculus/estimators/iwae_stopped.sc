# IWAE with a proposal that depends on the model's parameter, its gradient stopped.
#
# With q stopped, log Z has the gradient that it would have if q were free of θ.  That gradient is justified
# by Fisher's identity, whatever the law that the particles are drawn from.

count N
parameter θ
index i, j = 1..N
observed y
density p(x[i], y; θ), q(x[i]; θ)

sample x[i] ~ ⊥(q(·; θ))

define v[i] = p(x[i], y; θ) / ⊥(q(x[i]; θ))
define Z    = 1/N * Σ[i=1..N] v[i]

# The importance weights: the value of v.
define w[i] = p(x[i], y; θ) / q(x[i]; θ)
define w̄[i] = w[i] / Σ[j=1..N] w[j]

#: score
#:   paper: Eq. 10–12
#:   estimator: Σ[i=1..N](w̄[i] * ∇θ log p(x[i], y; θ))
derive →(∇θ log Z)
