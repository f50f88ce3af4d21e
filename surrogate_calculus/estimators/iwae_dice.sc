# IWAE with a proposal that depends on the model's parameter, corrected by DiCE.
#
# Nothing is stopped in the weights; the factor D accounts for how the law of the particles depends on θ.

count N
parameter θ
index i, j = 1..N
observed y
density p(x[i], y; θ), q(x[i]; θ)

sample x[i] ~ q(·; θ)

define w[i] = p(x[i], y; θ) / q(x[i]; θ)
define w̄[i] = w[i] / Σ[j=1..N] w[j]
define Z    = 1/N * Σ[i=1..N] w[i]
define D    = ∏[i=1..N](q(x[i]; θ) / ⊥(q(x[i]; θ)))

#: score
#:   paper: Eq. 9, 52–54
#:   estimator: log Z * Σ[i=1..N] ∇θ log q(x[i]; θ) + Σ[i=1..N](w̄[i] * ∇θ log(p(x[i], y; θ) / q(x[i]; θ)))
#:   print: Eq. 52 and 53 have p(xⁱ)/⊥q(xⁱ) for q(xⁱ)/⊥q(xⁱ), Eq. 54 log p(xⁱ) for log q(xⁱ); Eq. 9 is right,
#:     but defines Z as the sum of the weights instead of their mean.
derive →(∇θ(D * log Z))
