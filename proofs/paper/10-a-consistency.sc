# Section 10: consistency, Eq. 108–116.
#
# x and y are the paths x_{1:T} and y_{1:T}; p(x, y) is written as p(x | y) p(y), which it is, with post for the
# posterior and ev for the evidence.  The limits themselves, Eq. 108, 109 and 112, are outside of the calculus.

parameter θ
observed y
density post(x | y; θ), ev(y; θ)
function f(x; θ)
variable x'

notation
    x_{1:T} \sim p_{\theta}(x_{1:T}|y_{1:T}) => x \sim \mathrm{post}_\theta(x | y)
    x'_{1:T} \sim p_{\theta}(x'_{1:T}|y_{1:T}) => x' \sim \mathrm{post}_\theta(x' | y)
    x_{1:T} => x
    x'_{1:T} => x'
    p_{\theta}(x_{1:T}, y_{1:T}) => \left(\mathrm{post}_\theta(x | y) \mathrm{ev}_\theta(y)\right)
    p_{\theta}(x_{1:T}|y_{1:T}) => \mathrm{post}_\theta(x | y)
    p_{\theta}(y_{1:T}) => \mathrm{ev}_\theta(y)

printed 108:
    \lim_{N \rightarrow \infty} \sum_{i=1}^N \bar{w}_T^i ((f_{\theta}(\tilde{x}_{1:T}^i) - \bar{f}_{\theta}) \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^i, y_{1:T}) + \nabla_{\theta} f_{\theta}(\tilde{x}_{1:T}^i)) = \quad (108)

printed 109:
    \lim_{N \rightarrow \infty} \sum_{i=1}^N \bar{w}_T^i ((f_{\theta}(\tilde{x}_{1:T}^i) - \bar{f}_{\theta}) \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^i | y_{1:T}) + \nabla_{\theta} f_{\theta}(\tilde{x}_{1:T}^i)) = \quad (109)

printed 110:
    \mathbb{E}_{x_{1:T} \sim p_{\theta}(x_{1:T}|y_{1:T})} \left[ \left( f_{\theta}(x_{1:T}) - \mathbb{E}_{x'_{1:T} \sim p_{\theta}(x'_{1:T}|y_{1:T})} [f_{\theta}(x'_{1:T})] \right) \nabla_{\theta} \log p_{\theta}(x_{1:T}|y_{1:T}) + \nabla_{\theta} f_{\theta}(x_{1:T}) \right] = \quad (110)

printed 111:
    \mathbb{E}_{x_{1:T} \sim p_{\theta}(x_{1:T}|y_{1:T})} [f_{\theta}(x_{1:T}) \nabla_{\theta} \log p_{\theta}(x_{1:T}|y_{1:T}) + \nabla_{\theta} f_{\theta}(x_{1:T})] = \nabla_{\theta} \mathbb{E}_{x_{1:T} \sim p_{\theta}(x_{1:T}|y_{1:T})} [f_{\theta}(x_{1:T})]. \quad (111)

equation 108, 109, 110, 111 in value:
    no claim: a limit in N
    = no claim: a limit in N
    = 𝔼[x ~ post(· | y; θ)]((f(x; θ) - 𝔼[x' ~ post(· | y; θ)](f(x'; θ))) * ∇θ log post(x | y; θ) + ∇θ f(x; θ))
    = 𝔼[x ~ post(· | y; θ)](f(x; θ) * ∇θ log post(x | y; θ) + ∇θ f(x; θ))
    = ∇θ 𝔼[x ~ post(· | y; θ)](f(x; θ))

printed 112:
    \lim_{N \rightarrow \infty} \mathbb{E}_{PF} \left[ \hat{Z} \sum_{i=1}^N \bar{w}_T^i (f_\theta(\tilde{x}_{1:T}^i) \nabla_\theta \log p_\theta(\tilde{x}_{1:T}^i, y_{1:T}) + \nabla_\theta f_\theta(\tilde{x}_{1:T}^i)) \right] = \quad (112)

printed 113:
    \mathbb{E}_{x_{1:T} \sim p_\theta(x_{1:T}|y_{1:T})} [p_\theta(y_{1:T}) (f_\theta(x_{1:T}) \nabla_\theta \log p_\theta(x_{1:T}, y_{1:T}) + \nabla_\theta f_\theta(x_{1:T}))] = \quad (113)

printed 114:
    \mathbb{E}_{x_{1:T} \sim p_\theta(x_{1:T}|y_{1:T})} [p_\theta(y_{1:T}) (f_\theta(x_{1:T}) \nabla_\theta \log p_\theta(x_{1:T}|y_{1:T}) + \nabla_\theta f_\theta(x_{1:T})) + f_\theta(x_{1:T}) \nabla_\theta p_\theta(y_{1:T})] = \quad (114)

printed 115:
    \mathbb{E}_{x_{1:T} \sim p_\theta(x_{1:T}|y_{1:T})} [p_\theta(y_{1:T}) f_\theta(x_{1:T}) \nabla_\theta \log p_\theta(x_{1:T}|y_{1:T}) + \nabla_\theta (f_\theta(x_{1:T}) p_\theta(y_{1:T}))] = \quad (115)

printed 116:
    \nabla_\theta \mathbb{E}_{x_{1:T} \sim p_\theta(x_{1:T}|y_{1:T})} [p_\theta(y_{1:T}) f_\theta(x_{1:T})]. \quad (116)

equation 112, 113, 114, 115, 116 in value:
    no claim: a limit in N
    = 𝔼[x ~ post(· | y; θ)](ev(y; θ) * (f(x; θ) * ∇θ log(post(x | y; θ) * ev(y; θ)) + ∇θ f(x; θ)))
    = 𝔼[x ~ post(· | y; θ)](ev(y; θ) * (f(x; θ) * ∇θ log post(x | y; θ) + ∇θ f(x; θ)) + f(x; θ) * ∇θ ev(y; θ))
    = 𝔼[x ~ post(· | y; θ)](ev(y; θ) * f(x; θ) * ∇θ log post(x | y; θ) + ∇θ(f(x; θ) * ev(y; θ)))
    = ∇θ 𝔼[x ~ post(· | y; θ)](ev(y; θ) * f(x; θ))
