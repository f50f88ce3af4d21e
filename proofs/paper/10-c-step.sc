# Section 10, Theorem 1: one step of the induction, Eq. 119–126.
#
# x and y are the paths up to T, u and v the state and observation at T+1; what is conditioned on x_T may depend
# on all of the path.  p(u, v | x) is written as p(u | v, x) p(v | x), which it is, with post and ev for the two, and
# past for the density of the paths.  g and h are written out as the text defines them.

parameter θ
observed y, v
variable x
density past(x, y; θ), post(u | v, x; θ), ev(v | x; θ)
function f(x, u; θ)

notation
    \mathbb{E}_{x_{T+1}} => \mathbb{E}_{u \sim \mathrm{post}_\theta(u | v, x)}
    x_{T+1} \sim p_\theta(x_{T+1}|y_{T+1}, x_T) => u \sim \mathrm{post}_\theta(u | v, x)
    g(x_{1:T+1}) => \left(f_\theta(x, u) \nabla_\theta \log \left(\mathrm{past}_\theta(x, y) \mathrm{post}_\theta(u | v, x) \mathrm{ev}_\theta(v | x)\right) + \nabla_\theta f_\theta(x, u)\right)
    h(x_{1:T}) => \mathbb{E}_{u \sim \mathrm{post}_\theta(u | v, x)} \left[\mathrm{ev}_\theta(v | x) f_\theta(x, u)\right]
    f_\theta(x_{1:T+1}) => f_\theta(x, u)
    p_\theta(x_{1:T+1}, y_{1:T+1}) => \left(\mathrm{past}_\theta(x, y) \mathrm{post}_\theta(u | v, x) \mathrm{ev}_\theta(v | x)\right)
    p_\theta(x_{1:T}, y_{1:T}) => \mathrm{past}_\theta(x, y)
    p_\theta(x_{T+1}, y_{T+1}|x_T) => \left(\mathrm{post}_\theta(u | v, x) \mathrm{ev}_\theta(v | x)\right)
    p_\theta(x_{T+1}|y_{T+1}, x_T) => \mathrm{post}_\theta(u | v, x)
    p_\theta(y_{T+1}|x_T) => \mathrm{ev}_\theta(v | x)

printed 119:
    \mathbb{E}_{x_{T+1} \sim p_\theta(x_{T+1}|y_{T+1}, x_T)} [p_\theta(y_{T+1}|x_T) g(x_{1:T+1})] = \quad (119)

printed 120:
    \mathbb{E}_{x_{T+1} \sim p_\theta(x_{T+1}|y_{T+1}, x_T)} [p_\theta(y_{T+1}|x_T) (f_\theta(x_{1:T+1}) \nabla_\theta \log p_\theta(x_{1:T+1}, y_{1:T+1}) + \nabla_\theta f_\theta(x_{1:T+1}))] = \quad (120)

printed 121:
    \mathbb{E}_{x_{T+1} \sim p_\theta(x_{T+1}|y_{T+1}, x_T)} [p_\theta(y_{T+1}|x_T) f_\theta(x_{1:T+1})] \nabla_\theta \log p_\theta(x_{1:T}, y_{1:T}) + \quad (121)

printed 122:
    \mathbb{E}_{x_{T+1} \sim p_\theta(x_{T+1}|y_{T+1}, x_T)} [p_\theta(y_{T+1}|x_T) (f_\theta(x_{1:T+1}) \nabla_\theta \log p_\theta(x_{T+1}, y_{T+1}|x_T) + \nabla_\theta f_\theta(x_{1:T+1}))] = \quad (122)

printed 123:
    h(x_{1:T}) \nabla_\theta \log p_\theta(x_{1:T}, y_{1:T}) + \mathbb{E}_{x_{T+1}} \left[ p_\theta(y_{T+1}|x_T) f_\theta(x_{1:T+1}) \nabla_\theta \log p_\theta(x_{T+1}|y_{T+1}, x_T) + \right. \\ \left. p_\theta(y_{T+1}|x_T) f_\theta(x_{1:T+1}) \frac{\nabla_\theta p_\theta(y_{T+1}|x_T)}{p_\theta(y_{T+1}|x_T)} + p_\theta(y_{T+1}|x_T) \nabla_\theta f_\theta(x_{1:T+1}) \right] = \quad (123)

printed 124:
    h(x_{1:T}) \nabla_\theta \log p_\theta(x_{1:T}, y_{1:T}) + \mathbb{E}_{x_{T+1} \sim p_\theta(x_{T+1}|y_{T+1}, x_T)} \left[ p_\theta(y_{T+1}|x_T) f_\theta(x_{1:T+1}) \nabla_\theta \log p_\theta(x_{T+1}|y_{T+1}, x_T) + \right. \\ \left. \nabla_\theta (p_\theta(y_{T+1}|x_T) f_\theta(x_{1:T+1})) \right] = \quad (124)

printed 125:
    h(x_{1:T}) \nabla_\theta \log p_\theta(x_{1:T}, y_{1:T}) + \nabla_\theta \mathbb{E}_{x_{T+1} \sim p_\theta(x_{T+1}|y_{T+1}, x_T)} [p_\theta(y_{T+1}|x_T) f_\theta(x_{1:T+1})] = \quad (125)

printed 126:
    h(x_{1:T}) \nabla_\theta \log p_\theta(x_{1:T}, y_{1:T}) + \nabla_\theta h(x_{1:T}). \quad (126)

equation 119, 120, 121, 122, 123, 124, 125, 126 in value:
    𝔼[u ~ post(· | v, x; θ)](ev(v | x; θ) * (f(x, u; θ) * ∇θ log(past(x, y; θ) * post(u | v, x; θ) * ev(v | x; θ)) + ∇θ f(x, u; θ)))
    = 𝔼[u ~ post(· | v, x; θ)](ev(v | x; θ) * (f(x, u; θ) * ∇θ log(past(x, y; θ) * post(u | v, x; θ) * ev(v | x; θ)) + ∇θ f(x, u; θ)))
    = 𝔼[u ~ post(· | v, x; θ)](ev(v | x; θ) * f(x, u; θ)) * ∇θ log past(x, y; θ) + 𝔼[u ~ post(· | v, x; θ)](ev(v | x; θ) * (f(x, u; θ) * ∇θ log(post(u | v, x; θ) * ev(v | x; θ)) + ∇θ f(x, u; θ)))
    = 𝔼[u ~ post(· | v, x; θ)](ev(v | x; θ) * f(x, u; θ)) * ∇θ log past(x, y; θ) + 𝔼[u ~ post(· | v, x; θ)](ev(v | x; θ) * f(x, u; θ) * ∇θ log post(u | v, x; θ) + ev(v | x; θ) * f(x, u; θ) * ∇θ ev(v | x; θ) / ev(v | x; θ) + ev(v | x; θ) * ∇θ f(x, u; θ))
    = 𝔼[u ~ post(· | v, x; θ)](ev(v | x; θ) * f(x, u; θ)) * ∇θ log past(x, y; θ) + 𝔼[u ~ post(· | v, x; θ)](ev(v | x; θ) * f(x, u; θ) * ∇θ log post(u | v, x; θ) + ∇θ(ev(v | x; θ) * f(x, u; θ)))
    = 𝔼[u ~ post(· | v, x; θ)](ev(v | x; θ) * f(x, u; θ)) * ∇θ log past(x, y; θ) + ∇θ 𝔼[u ~ post(· | v, x; θ)](ev(v | x; θ) * f(x, u; θ))
    = 𝔼[u ~ post(· | v, x; θ)](ev(v | x; θ) * f(x, u; θ)) * ∇θ log past(x, y; θ) + ∇θ 𝔼[u ~ post(· | v, x; θ)](ev(v | x; θ) * f(x, u; θ))
