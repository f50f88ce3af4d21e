# Section 12.2: Fisher's identity.
#
# x and y are the paths x_{1:T} and y_{1:T}; p(x, y) is written as p(x | y) p(y), which it is, with post for the
# posterior, ev for the evidence and prior for the density of x alone.

parameter θ
observed y
density post(x | y; θ), ev(y; θ), prior(x; θ)


notation
    p_{\theta}(x_{1:T}, y_{1:T}) => \left(\mathrm{post}_\theta(x | y) \mathrm{ev}_\theta(y)\right)
    p_{\theta}(y_{1:T}) => \mathrm{ev}_\theta(y)
    x_{1:T} \sim p(x_{1:T}) => x \sim \mathrm{prior}_\theta(x)
    x_{1:T} \sim p_{\theta}(x_{1:T}|y_{1:T}) => x \sim \mathrm{post}_\theta(x | y)

printed 137:
    \nabla_{\theta} \log p_{\theta}(y_{1:T}) = \nabla_{\theta} \log \mathbb{E}_{x_{1:T} \sim p(x_{1:T})} [p_{\theta}(x_{1:T}, y_{1:T})] = \quad (137)

printed 138:
    \mathbb{E}_{x_{1:T} \sim p_{\theta}(x_{1:T}|y_{1:T})} [\nabla_{\theta} \log p_{\theta}(x_{1:T}, y_{1:T})]. \quad (138)

equation 137, 138 in value:
    ∇θ log ev(y; θ)
    = ∇θ log 𝔼[x ~ prior(·; θ)](post(x | y; θ) * ev(y; θ))
    = 𝔼[x ~ post(· | y; θ)](∇θ log(post(x | y; θ) * ev(y; θ)))

corrected 137:
    ∇θ log 𝔼[x ~ prior(·; θ)](post(x | y; θ) * ev(y; θ) / prior(x; θ))

printed 139:
    \nabla_{\theta} \log p_{\theta}(y_{1:T}) \approx \sum_{i=1}^N \bar{w}_T^i \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^i, y_{1:T}). \quad (139)

equation 139: an approximation
