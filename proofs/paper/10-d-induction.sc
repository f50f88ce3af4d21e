# Section 10, Theorem 1: the induction, Eq. 127–135.
#
# The count T stands for T+1, so that the step is from T-1 to T.  The names are those of unbiased.sc, which proves the
# steps: X[t,i] is the path of particle i, joint the density of a path and the observations given x_0, cond and pred
# are p(x | y, x) and p(y | x), post and marg the law of a path given the observations and their density, Ẑ the product of
# W.  The sign 𝔼 that the print lacks in Eq. 127–134 is over all that is drawn, by the laws of Algorithm 1.
#
# g and h are written out as the text defines them.  In Eq. 134 x_{1:T} has no index of a particle, and stands in a sum
# over i: it is read as the path of particle i, as in Eq. 133, as x_T is read as x_T^i in Eq. 68–70.  In Eq. 135 it is what
# the 𝔼 is over.

use "../unbiased.sc"

notation
    x_{1:T}^{1:N}, a_{1:T}^{1:N} => \mathbb{E}_{\mid -1}
    \mathbb{E}_{a_{T+1}^{1:N}, x_{T+1}^{1:N}} => \mathbb{E}_{\mid T-1}
    \mathbb{E}_{a_{T+1}^{1:N}} => \mathbb{E}_{\mid T-1}
    \mathbb{E}_{x_{T+1}^{1:N}} => \mathbb{E}_{\mid T-1}
    \prod_{t=1}^{T+1} W_t => \hat{Z}_T
    \prod_{t=1}^T W_t => \hat{Z}_{T-1}
    W_{T+1} => W_T
    w_{T+1}^i => w_T^i
    \bar{w}_{T+1}^i => \bar{w}_T^i
    \bar{w}_T^i => \bar{w}_{T-1}^i
    f_\theta(\tilde{x}_{1:T+1}^i) => f_\theta(X_T^i)
    p_\theta(\tilde{x}_{1:T+1}^i, y_{1:T+1}) => \mathrm{joint}_\theta(X_T^i, \mathrm{ys} | T)
    g(\tilde{x}_{1:T+1}^i) => \left(f_\theta(X_T^i) \nabla_\theta \log \mathrm{joint}_\theta(X_T^i, \mathrm{ys} | T) + \nabla_\theta f_\theta(X_T^i)\right)
    x_{T+1} \sim q_\phi(x_{T+1} | x_T^{a_{T+1}^i}) => x' \sim q_\phi(x' | \mathrm{end}(X_{T-1}^{a_T^i}))
    x_{T+1} \sim p_\theta(x_{T+1} | y_{T+1}, x_T^{a_{T+1}^i}) => x' \sim \mathrm{cond}_\theta(x' | y_T, \mathrm{end}(X_{T-1}^{a_T^i}))
    x_{T+1} \sim p_\theta(x_{T+1} | y_{T+1}, x_T^i) => x' \sim \mathrm{cond}_\theta(x' | y_T, \mathrm{end}(X_{T-1}^i))
    p_\theta(x_{T+1}, y_{T+1} | x_T^{a_{T+1}^i}) => p_\theta(x', y_T | \mathrm{end}(X_{T-1}^{a_T^i}))
    q_\phi(x_{T+1} | x_T^{a_{T+1}^i}) => q_\phi(x' | \mathrm{end}(X_{T-1}^{a_T^i}))
    p_\theta(y_{T+1} | x_T^{a_{T+1}^i}) => \mathrm{pred}_\theta(y_T | \mathrm{end}(X_{T-1}^{a_T^i}))
    p_\theta(y_{T+1} | x_T^i) => \mathrm{pred}_\theta(y_T | \mathrm{end}(X_{T-1}^i))
    g(\tilde{x}_{1:T}^{a_{T+1}^i}, x_{T+1}) => \left(f_\theta(\mathrm{extend}(X_{T-1}^{a_T^i}, x')) \nabla_\theta \log \mathrm{joint}_\theta(\mathrm{extend}(X_{T-1}^{a_T^i}, x'), \mathrm{ys} | T) + \nabla_\theta f_\theta(\mathrm{extend}(X_{T-1}^{a_T^i}, x'))\right)
    g(\tilde{x}_{1:T}^i, x_{T+1}) => \left(f_\theta(\mathrm{extend}(X_{T-1}^i, x')) \nabla_\theta \log \mathrm{joint}_\theta(\mathrm{extend}(X_{T-1}^i, x'), \mathrm{ys} | T) + \nabla_\theta f_\theta(\mathrm{extend}(X_{T-1}^i, x'))\right)
    \nabla_\theta h(x_{1:T}) => \nabla_\theta \mathbb{E}_{x' \sim \mathrm{cond}_\theta(x' | y_T, \mathrm{end}(X_{T-1}^i))} \left[\mathrm{pred}_\theta(y_T | \mathrm{end}(X_{T-1}^i)) f_\theta(\mathrm{extend}(X_{T-1}^i, x'))\right]
    h(x_{1:T}) => \mathbb{E}_{x' \sim \mathrm{cond}_\theta(x' | y_T, \mathrm{end}(X_{T-1}^i))} \left[\mathrm{pred}_\theta(y_T | \mathrm{end}(X_{T-1}^i)) f_\theta(\mathrm{extend}(X_{T-1}^i, x'))\right]
    p_\theta(x_{1:T}, y_{1:T}) => \mathrm{joint}_\theta(X_{T-1}^i, \mathrm{ys} | T - 1)
    x_{1:T} \sim p_\theta(x_{1:T} | y_{1:T}) => \mathrm{path} \sim \mathrm{post}_\theta(\mathrm{path} | T - 1)
    [p_\theta(y_{1:T}) h(x_{1:T})] => [\mathrm{marg}_\theta(\mathrm{ys} | T - 1) \mathbb{E}_{x' \sim \mathrm{cond}_\theta(x' | y_T, \mathrm{end}(\mathrm{path}))} \left[\mathrm{pred}_\theta(y_T | \mathrm{end}(\mathrm{path})) f_\theta(\mathrm{extend}(\mathrm{path}, x'))\right]]
    x_{1:T+1} \sim p_\theta(x_{1:T+1} | y_{1:T+1}) => \mathrm{path} \sim \mathrm{post}_\theta(\mathrm{path} | T)
    p_\theta(y_{1:T+1}) => \mathrm{marg}_\theta(\mathrm{ys} | T)
    f_\theta(x_{1:T+1}) => f_\theta(\mathrm{path})

printed 127:
    x_{1:T}^{1:N}, a_{1:T}^{1:N} \left[ \left( \prod_{t=1}^{T+1} W_t \right) \sum_{i=1}^N \bar{w}_{T+1}^i (f_\theta(\tilde{x}_{1:T+1}^i) \nabla_\theta \log p_\theta(\tilde{x}_{1:T+1}^i, y_{1:T+1}) + \nabla_\theta f_\theta(\tilde{x}_{1:T+1}^i)) \right] = \quad (127)

printed 128:
    x_{1:T}^{1:N}, a_{1:T}^{1:N} \left[ \left( \prod_{t=1}^{T+1} W_t \right) \sum_{i=1}^N \bar{w}_{T+1}^i g(\tilde{x}_{1:T+1}^i) \right] = \quad (128)

printed 129:
    x_{1:T}^{1:N}, a_{1:T}^{1:N} \left[ \left( \prod_{t=1}^T W_t \right) \mathbb{E}_{a_{T+1}^{1:N}, x_{T+1}^{1:N}} \left[ W_{T+1} \sum_{i=1}^N \bar{w}_{T+1}^i g(\tilde{x}_{1:T+1}^i) \right] \right] = \quad (129)

printed 130:
    x_{1:T}^{1:N}, a_{1:T}^{1:N} \left[ \left( \prod_{t=1}^T W_t \right) \mathbb{E}_{a_{T+1}^{1:N}} \left[ \mathbb{E}_{x_{T+1}^{1:N}} \left[ \sum_{i=1}^N w_{T+1}^i g(\tilde{x}_{1:T+1}^i) \right] \right] \right] = \quad (130)

printed 131:
    x_{1:T}^{1:N}, a_{1:T}^{1:N} \left[ \left( \prod_{t=1}^T W_t \right) \mathbb{E}_{a_{T+1}^{1:N}} \left[ \frac{1}{N} \sum_{i=1}^N \mathbb{E}_{x_{T+1} \sim q_\phi(x_{T+1} | x_T^{a_{T+1}^i})} \left[ \frac{p_\theta(x_{T+1}, y_{T+1} | x_T^{a_{T+1}^i})}{q_\phi(x_{T+1} | x_T^{a_{T+1}^i})} g(\tilde{x}_{1:T}^{a_{T+1}^i}, x_{T+1}) \right] \right] \right] = \quad (131)

printed 132:
    x_{1:T}^{1:N}, a_{1:T}^{1:N} \left[ \left( \prod_{t=1}^T W_t \right) \mathbb{E}_{a_{T+1}^{1:N}} \left[ \frac{1}{N} \sum_{i=1}^N \mathbb{E}_{x_{T+1} \sim p_\theta(x_{T+1} | y_{T+1}, x_T^{a_{T+1}^i})} \left[ p_\theta(y_{T+1} | x_T^{a_{T+1}^i}) g(\tilde{x}_{1:T}^{a_{T+1}^i}, x_{T+1}) \right] \right] \right] = \quad (132)

printed 133:
    x_{1:T}^{1:N}, a_{1:T}^{1:N} \left[ \left( \prod_{t=1}^T W_t \right) \sum_{i=1}^N \bar{w}_T^i \mathbb{E}_{x_{T+1} \sim p_\theta(x_{T+1} | y_{T+1}, x_T^i)} \left[ p_\theta(y_{T+1} | x_T^i) g(\tilde{x}_{1:T}^i, x_{T+1}) \right] \right] = \quad (133)

printed 134:
    x_{1:T}^{1:N}, a_{1:T}^{1:N} \left[ \left( \prod_{t=1}^T W_t \right) \sum_{i=1}^N \bar{w}_T^i (h(x_{1:T}) \nabla_\theta \log p_\theta(x_{1:T}, y_{1:T}) + \nabla_\theta h(x_{1:T})) \right] = \quad (134)

printed 135:
    \nabla_\theta \mathbb{E}_{x_{1:T} \sim p_\theta(x_{1:T} | y_{1:T})} [p_\theta(y_{1:T}) h(x_{1:T})] = \nabla_\theta \mathbb{E}_{x_{1:T+1} \sim p_\theta(x_{1:T+1} | y_{1:T+1})} [p_\theta(y_{1:T+1}) f_\theta(x_{1:T+1})], \quad (135)

equation 127, 128, 129, 130, 131, 132, 133, 134, 135 in value:
    𝔼[· | -1](Ẑ[T] * Σ[i=1..N](w̄[T,i] * (f(X[T,i]; θ) * ∇θ log joint(X[T,i], ys | T; θ) + ∇θ f(X[T,i]; θ))))
    = 𝔼[· | -1](Ẑ[T] * Σ[i=1..N](w̄[T,i] * (f(X[T,i]; θ) * ∇θ log joint(X[T,i], ys | T; θ) + ∇θ f(X[T,i]; θ))))
    = 𝔼[· | -1](Ẑ[T-1] * 𝔼[· | T-1](W[T] * Σ[i=1..N](w̄[T,i] * (f(X[T,i]; θ) * ∇θ log joint(X[T,i], ys | T; θ) + ∇θ f(X[T,i]; θ)))))
    = 𝔼[· | -1](Ẑ[T-1] * 𝔼[· | T-1](𝔼[· | T-1](Σ[i=1..N](w[T,i] * (f(X[T,i]; θ) * ∇θ log joint(X[T,i], ys | T; θ) + ∇θ f(X[T,i]; θ))))))
    = 𝔼[· | -1](Ẑ[T-1] * 𝔼[· | T-1](1/N * Σ[i=1..N](𝔼[z ~ q(· | end(X[T-1, a[T,i]]); φ)](p(z, y[T] | end(X[T-1, a[T,i]]); θ) / q(z | end(X[T-1, a[T,i]]); φ) * (f(extend(X[T-1, a[T,i]], z); θ) * ∇θ log joint(extend(X[T-1, a[T,i]], z), ys | T; θ) + ∇θ f(extend(X[T-1, a[T,i]], z); θ))))))
    = 𝔼[· | -1](Ẑ[T-1] * 𝔼[· | T-1](1/N * Σ[i=1..N](𝔼[z ~ cond(· | y[T], end(X[T-1, a[T,i]]); θ)](pred(y[T] | end(X[T-1, a[T,i]]); θ) * (f(extend(X[T-1, a[T,i]], z); θ) * ∇θ log joint(extend(X[T-1, a[T,i]], z), ys | T; θ) + ∇θ f(extend(X[T-1, a[T,i]], z); θ))))))
    = 𝔼[· | -1](Ẑ[T-1] * Σ[i=1..N](w̄[T-1,i] * 𝔼[z ~ cond(· | y[T], end(X[T-1, i]); θ)](pred(y[T] | end(X[T-1, i]); θ) * (f(extend(X[T-1, i], z); θ) * ∇θ log joint(extend(X[T-1, i], z), ys | T; θ) + ∇θ f(extend(X[T-1, i], z); θ)))))
    = 𝔼[· | -1](Ẑ[T-1] * Σ[i=1..N](w̄[T-1,i] * (𝔼[z ~ cond(· | y[T], end(X[T-1, i]); θ)](pred(y[T] | end(X[T-1, i]); θ) * f(extend(X[T-1, i], z); θ)) * ∇θ log joint(X[T-1, i], ys | T-1; θ) + ∇θ 𝔼[z ~ cond(· | y[T], end(X[T-1, i]); θ)](pred(y[T] | end(X[T-1, i]); θ) * f(extend(X[T-1, i], z); θ)))))
    = ∇θ 𝔼[π ~ post(· | T-1; θ)](marg(ys | T-1; θ) * 𝔼[z ~ cond(· | y[T], end(π); θ)](pred(y[T] | end(π); θ) * f(extend(π, z); θ)))
    = ∇θ 𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * f(π; θ))
    by theorem: "../unbiased.sc" one_step_out, weights_not_normalised, particles_averaged, own_law, ancestors_averaged, step_taken, theorem_1, fold_back
    read as: 134, the path in the sum over i is that of particle i
