# Section 9.1, Eq. 49–51: Fisher's identity and importance sampling.
#
# p(x, y) is written as p(x | y) p(y), which it is, with post for p(x | y) and ev for p(y).  In Eq. 50 the
# particles x^i are drawn from q one by one, so that the mean over them is that of any one.

count N
parameter θ, φ
index i = 1..N
observed y
density post(x | y; θ), ev(y; θ), q(x; φ)

notation
    p_\theta(x, y) => \left(\mathrm{post}_\theta(x | y) \mathrm{ev}_\theta(y)\right)
    p_\theta(x|y) => \mathrm{post}_\theta(x | y)
    p_\theta(y) => \mathrm{ev}_\theta(y)
    w => \left(\frac{\mathrm{post}_\theta(x | y) \mathrm{ev}_\theta(y)}{q_\phi(x)}\right)
    \mathbb{E}_{x^i \sim q_{\phi}(x)} \left[ \frac{1}{N} \sum_{i=1}^N \frac{w^i}{p_{\theta}(y)} \nabla_{\theta} \log p_{\theta}(x^i, y) \right] => \frac{1}{N} \sum_{i=1}^N \mathbb{E}_{x \sim q_\phi(x)} \left[\frac{\left(\frac{\mathrm{post}_\theta(x | y) \mathrm{ev}_\theta(y)}{q_\phi(x)}\right)}{\mathrm{ev}_\theta(y)} \nabla_\theta \log \left(\mathrm{post}_\theta(x | y) \mathrm{ev}_\theta(y)\right)\right]

printed 49:
    \nabla_{\theta} \log p_{\theta}(y) = \mathbb{E}_{x \sim p_{\theta}(x|y)} \left[ \nabla_{\theta} \log p_{\theta}(x, y) \right] = \mathbb{E}_{x \sim q_{\phi}(x)} \left[ \frac{p_{\theta}(x|y)}{q_{\phi}(x)} \nabla_{\theta} \log p_{\theta}(x, y) \right] \quad (49)

printed 50:
    = \mathbb{E}_{x \sim q_{\phi}(x)} \left[ \frac{w}{p_{\theta}(y)} \nabla_{\theta} \log p_{\theta}(x, y) \right] = \mathbb{E}_{x^i \sim q_{\phi}(x)} \left[ \frac{1}{N} \sum_{i=1}^N \frac{w^i}{p_{\theta}(y)} \nabla_{\theta} \log p_{\theta}(x^i, y) \right] \quad (50)

printed 51:
    \approx \mathbb{E}_{x^i \sim q_{\phi}(x)} \left[ \sum_{i=1}^N \bar{w}^i \nabla_{\theta} \log p_{\theta}(x^i, y) \right]. \quad (51)

equation 49, 50, 51 in value:
    ∇θ log ev(y; θ)
    = 𝔼[x ~ post(· | y; θ)](∇θ log(post(x | y; θ) * ev(y; θ)))
    = 𝔼[x ~ q(·; φ)](post(x | y; θ) / q(x; φ) * ∇θ log(post(x | y; θ) * ev(y; θ)))
    = 𝔼[x ~ q(·; φ)]((post(x | y; θ) * ev(y; θ) / q(x; φ)) / ev(y; θ) * ∇θ log(post(x | y; θ) * ev(y; θ)))
    = 1/N * Σ[i=1..N](𝔼[x ~ q(·; φ)]((post(x | y; θ) * ev(y; θ) / q(x; φ)) / ev(y; θ) * ∇θ log(post(x | y; θ) * ev(y; θ))))
    ≈ no claim: an approximation
