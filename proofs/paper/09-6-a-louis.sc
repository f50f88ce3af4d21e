# Section 9.6: Louis' identity, Eq. 100–103, for a scalar θ.
#
# x and y are the paths x_{1:T} and y_{1:T}; p(x, y) is written as p(x | y) p(y), which it is, with post for the
# posterior and ev for the evidence.  A superscript T behind a parenthesis transposes, which does nothing to a scalar.

parameter θ
observed y
density post(x | y; θ), ev(y; θ)

notation
    x_{1:T} \sim p_{\theta}(x_{1:T}|y_{1:T}) => x \sim \mathrm{post}_\theta(x | y)
    p_{\theta}(x_{1:T}, y_{1:T}) => \left(\mathrm{post}_\theta(x | y) \mathrm{ev}_\theta(y)\right)
    p_{\theta}(y_{1:T}) => \mathrm{ev}_\theta(y)
    p_{\theta}(y_{1:T})^T => \mathrm{ev}_\theta(y)
    p_{\theta}(x_{1:T}, y_{1:T})^T => \left(\mathrm{post}_\theta(x | y) \mathrm{ev}_\theta(y)\right)

printed 100:
    \nabla_{\theta}^2 \log p_{\theta}(y_{1:T}) = -\nabla_{\theta} \log p_{\theta}(y_{1:T}) \nabla_{\theta} \log p_{\theta}(y_{1:T})^T + \quad (100)

printed 101:
    \mathbb{E}_{x_{1:T} \sim p_{\theta}(x_{1:T}|y_{1:T})} [\nabla_{\theta}^2 \log p_{\theta}(x_{1:T}, y_{1:T}) + \nabla_{\theta} \log p_{\theta}(x_{1:T}, y_{1:T}) \nabla_{\theta} \log p_{\theta}(x_{1:T}, y_{1:T})^T] \approx \quad (101)

printed 102:
    - \sum_{i=1}^N \sum_{j=1}^N \bar{w}_T^i \bar{w}_T^j \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^i, y_{1:T}) \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^j, y_{1:T})^T + \quad (102)

printed 103:
    \sum_{i=1}^N \bar{w}_T^i (\nabla_{\theta}^2 \log p_{\theta}(\tilde{x}_{1:T}^i, y_{1:T}) + \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^i, y_{1:T}) \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^i, y_{1:T})^T), \quad (103)

equation 100, 101, 102, 103 in value:
    ∇²θ log ev(y; θ)
    = -∇θ log ev(y; θ) * ∇θ log ev(y; θ) + 𝔼[x ~ post(· | y; θ)](∇²θ log(post(x | y; θ) * ev(y; θ)) + ∇θ log(post(x | y; θ) * ev(y; θ)) * ∇θ log(post(x | y; θ) * ev(y; θ)))
    ≈ no claim: an approximation
