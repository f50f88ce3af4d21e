# Section 3.1: the IWAE objective, Eq. 7 and 8.
#
# X stands for all particles together, Q for their joint density, s(X, i) for the particle x^i.

count N
parameter θ, φ
index i, j = 1..N
observed y
density p(x, y; θ), q(x; φ), Q(X; φ)
function s(X, i)

define L = 𝔼[X ~ Q(·; φ)](log(1/N * Σ[i=1..N](p(s(X, i), y; θ) / q(s(X, i); φ))))

notation
    \mathcal{L}_{\text{IWAE}} => L
    \mathbb{E}_{x^i \sim q_{\phi}(x)} => \mathbb{E}_{X \sim Q_\phi(X)}
    x^i => s(X, i)
    \bar{w}^i => \left(\frac{\frac{p_\theta(s(X, i), y)}{q_\phi(s(X, i))}}{\sum_{j=1}^N \frac{p_\theta(s(X, j), y)}{q_\phi(s(X, j))}}\right)

printed 7:
    \mathcal{L}_{\text{IWAE}} = \mathbb{E}_{x^i \sim q_\phi(x)} \left[ \log \frac{1}{N} \sum_{i=1}^N \frac{p_\theta(x^i, y)}{q_\phi(x^i)} \right]. \quad (7)

equation 7: a definition

printed 8:
    \nabla_{\theta} \mathcal{L}_{\text{IWAE}} = \mathbb{E}_{x^i \sim q_{\phi}(x)} \left[ \sum_{i=1}^N \bar{w}^i \nabla_{\theta} \log p_{\theta}(x^i, y) \right], \quad (8)

equation 8 in value:
    ∇θ L
    = 𝔼[X ~ Q(·; φ)](Σ[i=1..N]((p(s(X, i), y; θ) / q(s(X, i); φ) / Σ[j=1..N](p(s(X, j), y; θ) / q(s(X, j); φ))) * ∇θ log p(s(X, i), y; θ)))
