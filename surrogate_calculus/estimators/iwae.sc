# IWAE: the log of an importance-sampling estimate, with a proposal that has parameters of its own.

count N
parameter θ, φ
index i, j = 1..N
observed y
density p(x[i], y; θ), q(x[i]; φ)

sample x[i] ~ q(·; φ)

define w[i] = p(x[i], y; θ) / q(x[i]; φ)
define w̄[i] = w[i] / Σ[j=1..N] w[j]
define Z    = 1/N * Σ[i=1..N] w[i]

#: score
#:   paper: Eq. 7–8, 45–48
#:   estimator: Σ[i=1..N](w̄[i] * ∇θ log p(x[i], y; θ))
derive →(∇θ log Z)
