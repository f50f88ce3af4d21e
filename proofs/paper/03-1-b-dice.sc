# Section 3.1, Eq. 9–12: a proposal that depends on the parameter of the model.

count N
parameter θ
index i, j = 1..N
observed y
density p(x[i], y; θ), q(x[i]; θ)

sample x[i] ~ q(·; θ)

define w[i] = p(x[i], y; θ) / q(x[i]; θ)
define w̄[i] = w[i] / Σ[j=1..N] w[j]
define v[i] = p(x[i], y; θ) / ⊥(q(x[i]; θ))
define v̄[i] = v[i] / Σ[j=1..N] v[j]
define Ẑ    = Σ[i=1..N] w[i]                   # as the text below Eq. 9 has it
define D    = ∏[i=1..N](q(x[i]; θ) / ⊥(q(x[i]; θ)))

printed 9:
    \log \hat{Z} \sum_{i=1}^N \nabla_{\theta} \log q_{\theta}(x^i) + \sum_{i=1}^N \bar{w}^i \nabla_{\theta} \log \frac{p_{\theta}(x^i, y)}{q_{\theta}(x^i)}, \quad (9)

equation 9 in value:
    log Ẑ * Σ[i=1..N](∇θ log q(x[i]; θ)) + Σ[i=1..N](w̄[i] * ∇θ log(p(x[i], y; θ) / q(x[i]; θ)))
    by construction: ∇θ(D * log(1/N * Σ[i=1..N] w[i]))      # DiCE on the particles

corrected 9:
    log(1/N * Σ[i=1..N] w[i]) * Σ[i=1..N](∇θ log q(x[i]; θ)) + Σ[i=1..N](w̄[i] * ∇θ log(p(x[i], y; θ) / q(x[i]; θ)))

printed 10:
    \nabla_{\theta} \log \frac{1}{N} \sum_{i=1}^N \frac{p_{\theta}(x^i, y)}{\perp(q_{\theta}(x^i))} = \nabla_{\theta} \log \frac{1}{N} \sum_{i=1}^N v^i \quad (10)

printed 11:
    \frac{\frac{1}{N} \sum_{i=1}^N \nabla_{\theta} v^i}{\frac{1}{N} \sum_{i=1}^N v^i} = \sum_{i=1}^N \frac{\bar{v}^i \nabla_{\theta} v^i}{v^i} = \quad (11)

printed 12:
    \sum_{i=1}^N \bar{v}^i \nabla_{\theta} \log v^i = \sum_{i=1}^N \bar{w}^i \nabla_{\theta} \log p_{\theta}(x^i, y). \quad (12)

equation 10, 11, 12 in value:
    ∇θ log(1/N * Σ[i=1..N](p(x[i], y; θ) / ⊥(q(x[i]; θ))))
    = ∇θ log(1/N * Σ[i=1..N](v[i]))
    = 1/N * Σ[i=1..N](∇θ v[i]) / (1/N * Σ[i=1..N](v[i]))
    = Σ[i=1..N](v̄[i] * ∇θ v[i] / v[i])
    = Σ[i=1..N](v̄[i] * ∇θ log v[i])
    = Σ[i=1..N](w̄[i] * ∇θ log p(x[i], y; θ))
