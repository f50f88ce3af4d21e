# Section 9.1: the gradient of the IWAE objective, Eq. 45–48.
#
# X stands for all particles together, Q for their joint density, s(X, i) for the particle x^i; Ẑ is the mean of
# the weights.

count N
parameter θ, φ
index i, j = 1..N
observed y
density p(x, y; θ), q(x; φ), Q(X; φ)
function s(X, i)

define L = 𝔼[X ~ Q(·; φ)](log(1/N * Σ[i=1..N](p(s(X, i), y; θ) / q(s(X, i); φ))))

notation
    \mathcal{L}_{\text{IWAE}} => L
    \mathbb{E}_{x^i \sim q_{\phi}} => \mathbb{E}_{X \sim Q_\phi(X)}
    \mathbb{E}_{x^i \sim q_{\phi}(x)} => \mathbb{E}_{X \sim Q_\phi(X)}
    \hat{Z} => \left(\frac{1}{N} \sum_{i=1}^N \frac{p_\theta(s(X, i), y)}{q_\phi(s(X, i))}\right)
    x^i => s(X, i)
    \frac{1}{N} \sum_{i=1}^N w^i => \left(\frac{1}{N} \sum_{i=1}^N \frac{p_\theta(s(X, i), y)}{q_\phi(s(X, i))}\right)
    w^i => \left(\frac{p_\theta(s(X, i), y)}{q_\phi(s(X, i))}\right)
    \bar{w}^i => \left(\frac{\frac{p_\theta(s(X, i), y)}{q_\phi(s(X, i))}}{\sum_{j=1}^N \frac{p_\theta(s(X, j), y)}{q_\phi(s(X, j))}}\right)

printed 45:
    \mathcal{L}_{\text{IWAE}} = \mathbb{E}_{x^i \sim q_{\phi}} \left[ \log \hat{Z} \right] = \mathbb{E}_{x^i \sim q_{\phi}(x)} \left[ \log \frac{1}{N} \sum_{i=1}^N w^i \right] = \mathbb{E}_{x^i \sim q_{\phi}(x)} \left[ \log \frac{1}{N} \sum_{i=1}^N \frac{p_{\theta}(x^i, y)}{q_{\phi}(x^i)} \right]. \quad (45)

equation 45 in value:
    L
    = 𝔼[X ~ Q(·; φ)](log(1/N * Σ[i=1..N](p(s(X, i), y; θ) / q(s(X, i); φ))))
    = 𝔼[X ~ Q(·; φ)](log(1/N * Σ[i=1..N](p(s(X, i), y; θ) / q(s(X, i); φ))))
    = 𝔼[X ~ Q(·; φ)](log(1/N * Σ[i=1..N](p(s(X, i), y; θ) / q(s(X, i); φ))))

printed 46:
    \nabla_{\theta} \mathcal{L}_{\text{IWAE}} = \mathbb{E}_{x^i \sim q_{\phi}(x)} \left[ \nabla_{\theta} \log \frac{1}{N} \sum_{i=1}^N w^i \right] = \mathbb{E}_{x^i \sim q_{\phi}(x)} \left[ \frac{\nabla_{\theta} \sum_{i=1}^N w^i}{\sum_{i=1}^N w^i} \right] \quad (46)

printed 47:
    = \mathbb{E}_{x^i \sim q_{\phi}(x)} \left[ \frac{\sum_{i=1}^N w^i \nabla_{\theta} \log w^i}{\sum_{i=1}^N w^i} \right] = \mathbb{E}_{x^i \sim q_{\phi}(x)} \left[ \sum_{i=1}^N \bar{w}^i \nabla_{\theta} \log w^i \right] \quad (47)

printed 48:
    = \mathbb{E}_{x^i \sim q_{\phi}(x)} \left[ \sum_{i=1}^N \bar{w}^i \nabla_{\theta} \log p_{\theta}(x^i, y) \right]. \quad (48)

equation 46, 47, 48 in value:
    ∇θ L
    = 𝔼[X ~ Q(·; φ)](∇θ log(1/N * Σ[i=1..N](p(s(X, i), y; θ) / q(s(X, i); φ))))
    = 𝔼[X ~ Q(·; φ)](∇θ Σ[i=1..N](p(s(X, i), y; θ) / q(s(X, i); φ)) / Σ[i=1..N](p(s(X, i), y; θ) / q(s(X, i); φ)))
    = 𝔼[X ~ Q(·; φ)](Σ[i=1..N]((p(s(X, i), y; θ) / q(s(X, i); φ)) * ∇θ log(p(s(X, i), y; θ) / q(s(X, i); φ))) / Σ[i=1..N](p(s(X, i), y; θ) / q(s(X, i); φ)))
    = 𝔼[X ~ Q(·; φ)](Σ[i=1..N]((p(s(X, i), y; θ) / q(s(X, i); φ) / Σ[j=1..N](p(s(X, j), y; θ) / q(s(X, j); φ))) * ∇θ log(p(s(X, i), y; θ) / q(s(X, i); φ))))
    = 𝔼[X ~ Q(·; φ)](Σ[i=1..N]((p(s(X, i), y; θ) / q(s(X, i); φ) / Σ[j=1..N](p(s(X, j), y; θ) / q(s(X, j); φ))) * ∇θ log p(s(X, i), y; θ)))
