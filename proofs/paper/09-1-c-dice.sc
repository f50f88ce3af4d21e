# Section 9.1: DiCE with a proposal that depends on the parameter, Eq. 52–54, read for N = 1.
#
# For N = 1 there is one particle x, and its normalised weight is 1; what fails there fails.  p(x, y) is written as
# p(x) p(y | x), which it is, with prior for p(x) and lik for p(y | x).  For every N see Eq. 9.

parameter θ
observed y
density q(x; θ), prior(x; θ), lik(y | x; θ)

notation
    x^i \sim q_{\theta}(x) => x \sim q_\theta(x)
    x^i \sim p_{\theta}(x) => x \sim \mathrm{prior}_\theta(x)
    \frac{1}{N} \sum_{i=1}^N \frac{p_{\theta}(x^i, y)}{q_{\theta}(x^i)} => \left(\frac{\mathrm{prior}_\theta(x) \mathrm{lik}_\theta(y | x)}{q_\theta(x)}\right)
    \hat{Z} => \left(\frac{\mathrm{prior}_\theta(x) \mathrm{lik}_\theta(y | x)}{q_\theta(x)}\right)
    \sum_{i=1}^N =>
    \prod_{i=1}^N =>
    \sum_{i=1}^N \bar{w}^i =>
    p_{\theta}(x^i) => \mathrm{prior}_\theta(x)
    q_{\theta}(x^i) => q_\theta(x)
    p_{\theta}(x^i, y) => \left(\mathrm{prior}_\theta(x) \mathrm{lik}_\theta(y | x)\right)

printed 52:
    \nabla_{\theta} \mathbb{E}_{x^i \sim q_{\theta}(x)} \left[ \log \frac{1}{N} \sum_{i=1}^N \frac{p_{\theta}(x^i, y)}{q_{\theta}(x^i)} \right] = \mathbb{E}_{x^i \sim q_{\theta}(x)} \left[ \overrightarrow{\nabla_{\theta} \left( \prod_{i=1}^N \frac{p_{\theta}(x^i)}{\perp(q_{\theta}(x^i))} \log \frac{1}{N} \sum_{i=1}^N \frac{p_{\theta}(x^i, y)}{q_{\theta}(x^i)} \right)} \right] = \quad (52)

printed 53:
    \mathbb{E}_{x^i \sim p_{\theta}(x)} \left[ \overrightarrow{\left( \nabla_{\theta} \prod_{i=1}^N \frac{p_{\theta}(x^i)}{\perp(q_{\theta}(x^i))} \right) \log \frac{1}{N} \sum_{i=1}^N \frac{p_{\theta}(x^i, y)}{q_{\theta}(x^i)} + \left( \prod_{i=1}^N \frac{p_{\theta}(x^i)}{\perp(q_{\theta}(x^i))} \right) \sum_{i=1}^N \bar{w}^i \nabla_{\theta} \log \frac{p_{\theta}(x^i, y)}{q_{\theta}(x^i)}} \right] = \quad (53)

printed 54:
    \mathbb{E}_{x^i \sim q_{\theta}(x)} \left[ \log \hat{Z} \sum_{i=1}^N \nabla_{\theta} \log p_{\theta}(x^i) + \sum_{i=1}^N \bar{w}^i \nabla_{\theta} \log \frac{p_{\theta}(x^i, y)}{q_{\theta}(x^i)} \right]. \quad (54)

equation 52, 53, 54 in value:
    ∇θ 𝔼[x ~ q(·; θ)](log(prior(x; θ) * lik(y | x; θ) / q(x; θ)))
    = 𝔼[x ~ q(·; θ)](→(∇θ(prior(x; θ) / ⊥(q(x; θ)) * log(prior(x; θ) * lik(y | x; θ) / q(x; θ)))))
    = 𝔼[x ~ prior(·; θ)](→(∇θ(prior(x; θ) / ⊥(q(x; θ))) * log(prior(x; θ) * lik(y | x; θ) / q(x; θ)) + (prior(x; θ) / ⊥(q(x; θ))) * ∇θ log((prior(x; θ) * lik(y | x; θ)) / q(x; θ))))
    = 𝔼[x ~ q(·; θ)](log(prior(x; θ) * lik(y | x; θ) / q(x; θ)) * ∇θ log prior(x; θ) + ∇θ log((prior(x; θ) * lik(y | x; θ)) / q(x; θ)))
    by construction: ∇θ 𝔼[x ~ q(·; θ)](log(prior(x; θ) * lik(y | x; θ) / q(x; θ)))      # what DiCE is applied to

corrected 52, 53, 54:
    ∇θ 𝔼[x ~ q(·; θ)](log(prior(x; θ) * lik(y | x; θ) / q(x; θ)))
    = 𝔼[x ~ q(·; θ)](→(∇θ(q(x; θ) / ⊥(q(x; θ)) * log(prior(x; θ) * lik(y | x; θ) / q(x; θ)))))
    = 𝔼[x ~ q(·; θ)](→(∇θ(q(x; θ) / ⊥(q(x; θ))) * log(prior(x; θ) * lik(y | x; θ) / q(x; θ)) + q(x; θ) / ⊥(q(x; θ)) * ∇θ log(prior(x; θ) * lik(y | x; θ) / q(x; θ))))
    = 𝔼[x ~ q(·; θ)](log(prior(x; θ) * lik(y | x; θ) / q(x; θ)) * ∇θ log q(x; θ) + ∇θ log(prior(x; θ) * lik(y | x; θ) / q(x; θ)))
