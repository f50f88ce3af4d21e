# Section 10, Theorem 1: the induction, Eq. 117, 118 and 127–135.
#
# The count T stands for T+1 in Eq. 127–135, so that the step is from T-1 to T.  The sign 𝔼 that the print lacks in
# Eq. 127–134 is over all that is drawn; its law is that of Algorithm 1.  p(x, y | x) is written as p(x | y, x) p(y | x),
# which it is, with post and ev for the two; K is the density of the path and the observations up to T-1, f depends on
# that path and on the last state.  g and h are written out as the text defines them; the path in Eq. 134 is that of
# particle i.

count N, T
parameter θ, φ
index i, j = 1..N;  index t = 1..T
observed y[t]
density post(x[t] | y[t], x[t-1]; θ), ev(y[t] | x[t-1]; θ), q(x[t] | x[t-1]; φ), p0(x[0])
density K(ξ; θ)
resampling R
function f(ξ, z; θ)

sample x[0,i] ~ p0
sample a[t,·] ~ R(w̄[t-1,·])
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a

define w̄[0,i] = 1/N
define w[t,i] = 1/N * (post(x[t,i] | y[t], x[t-1, a[t,i]]; θ) * ev(y[t] | x[t-1, a[t,i]]; θ)) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]

notation
    x_{1:T}^{1:N}, a_{1:T}^{1:N} => \mathbb{E}_{\mid 0}
    \mathbb{E}_{a_{T+1}^{1:N}, x_{T+1}^{1:N}} => \mathbb{E}_{\mid T-1}
    \mathbb{E}_{a_{T+1}^{1:N}} => \mathbb{E}_{\mid T-1}
    \mathbb{E}_{x_{T+1}^{1:N}} => \mathbb{E}_{\mid T-1}
    \prod_{t=1}^{T+1} W_t => \prod_{t=1}^T W_t
    \prod_{t=1}^T W_t => \prod_{t=1}^{T-1} W_t
    W_{T+1} => W_T
    w_{T+1}^i => w_T^i
    \bar{w}_{T+1}^i => \bar{w}_T^i
    \bar{w}_T^i => \bar{w}_{T-1}^i
    f_\theta(\tilde{x}_{1:T+1}^i) => f_\theta(\tilde{x}_{1:T-1}^{a_T^i}, x_T^i)
    p_\theta(\tilde{x}_{1:T+1}^i, y_{1:T+1}) => \left(K_\theta(\tilde{x}_{1:T-1}^{a_T^i}) \mathrm{post}_\theta(x_T^i | y_T, x_{T-1}^{a_T^i}) \mathrm{ev}_\theta(y_T | x_{T-1}^{a_T^i})\right)
    g(\tilde{x}_{1:T+1}^i) => \left(f_\theta(\tilde{x}_{1:T-1}^{a_T^i}, x_T^i) \nabla_\theta \log \left(K_\theta(\tilde{x}_{1:T-1}^{a_T^i}) \mathrm{post}_\theta(x_T^i | y_T, x_{T-1}^{a_T^i}) \mathrm{ev}_\theta(y_T | x_{T-1}^{a_T^i})\right) + \nabla_\theta f_\theta(\tilde{x}_{1:T-1}^{a_T^i}, x_T^i)\right)
    x_{T+1} \sim q_\phi(x_{T+1} | x_T^{a_{T+1}^i}) => z \sim q_\phi(z | x_{T-1}^{a_T^i})
    x_{T+1} \sim p_\theta(x_{T+1} | y_{T+1}, x_T^{a_{T+1}^i}) => z \sim \mathrm{post}_\theta(z | y_T, x_{T-1}^{a_T^i})
    x_{T+1} \sim p_\theta(x_{T+1} | y_{T+1}, x_T^i) => z \sim \mathrm{post}_\theta(z | y_T, x_{T-1}^i)
    p_\theta(x_{T+1}, y_{T+1} | x_T^{a_{T+1}^i}) => \mathrm{post}_\theta(z | y_T, x_{T-1}^{a_T^i}) \mathrm{ev}_\theta(y_T | x_{T-1}^{a_T^i})
    q_\phi(x_{T+1} | x_T^{a_{T+1}^i}) => q_\phi(z | x_{T-1}^{a_T^i})
    p_\theta(y_{T+1} | x_T^{a_{T+1}^i}) => \mathrm{ev}_\theta(y_T | x_{T-1}^{a_T^i})
    p_\theta(y_{T+1} | x_T^i) => \mathrm{ev}_\theta(y_T | x_{T-1}^i)
    g(\tilde{x}_{1:T}^{a_{T+1}^i}, x_{T+1}) => \left(f_\theta(\tilde{x}_{1:T-1}^{a_T^i}, z) \nabla_\theta \log \left(K_\theta(\tilde{x}_{1:T-1}^{a_T^i}) \mathrm{post}_\theta(z | y_T, x_{T-1}^{a_T^i}) \mathrm{ev}_\theta(y_T | x_{T-1}^{a_T^i})\right) + \nabla_\theta f_\theta(\tilde{x}_{1:T-1}^{a_T^i}, z)\right)
    g(\tilde{x}_{1:T}^i, x_{T+1}) => \left(f_\theta(\tilde{x}_{1:T-1}^i, z) \nabla_\theta \log \left(K_\theta(\tilde{x}_{1:T-1}^i) \mathrm{post}_\theta(z | y_T, x_{T-1}^i) \mathrm{ev}_\theta(y_T | x_{T-1}^i)\right) + \nabla_\theta f_\theta(\tilde{x}_{1:T-1}^i, z)\right)
    \nabla_\theta h(x_{1:T}) => \nabla_\theta \mathbb{E}_{z \sim \mathrm{post}_\theta(z | y_T, x_{T-1}^i)} \left[\mathrm{ev}_\theta(y_T | x_{T-1}^i) f_\theta(\tilde{x}_{1:T-1}^i, z)\right]
    h(x_{1:T}) => \mathbb{E}_{z \sim \mathrm{post}_\theta(z | y_T, x_{T-1}^i)} \left[\mathrm{ev}_\theta(y_T | x_{T-1}^i) f_\theta(\tilde{x}_{1:T-1}^i, z)\right]
    p_\theta(x_{1:T}, y_{1:T}) => K_\theta(\tilde{x}_{1:T-1}^i)

printed 117:
    \mathbb{E}_{x_t^i \sim q_\phi(x_t | x_{t-1}^i, y_t), a_t^{1:N} \sim R(\bar{w}_{t-1}^{1:N})} \left[ \hat{Z} \sum_{i=1}^N \bar{w}_T^i (f_\theta(\tilde{x}_{1:T}^i) \nabla_\theta \log p_\theta(\tilde{x}_{1:T}^i, y_{1:T}) + \nabla_\theta f_\theta(\tilde{x}_{1:T}^i)) \right] = \quad (117)

printed 118:
    \nabla_\theta \mathbb{E}_{x_{1:T} \sim p_\theta(x_{1:T}|y_{1:T})} [p_\theta(y_{1:T}) f_\theta(x_{1:T})]. \quad (118)

equation 117, 118 in value:
    not read: an expectation over all particles whose law is not that of Algorithm 1
    = not read: an expectation over a whole path

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
    𝔼[· | 0](∏[t=1..T](W[t]) * Σ[i=1..N](w̄[T,i] * (f(x̃[1:T-1,a[T,i]], x[T,i]; θ) * ∇θ log(K(x̃[1:T-1,a[T,i]]; θ) * post(x[T,i] | y[T], x[T-1,a[T,i]]; θ) * ev(y[T] | x[T-1,a[T,i]]; θ)) + ∇θ f(x̃[1:T-1,a[T,i]], x[T,i]; θ))))
    = 𝔼[· | 0](∏[t=1..T](W[t]) * Σ[i=1..N](w̄[T,i] * (f(x̃[1:T-1,a[T,i]], x[T,i]; θ) * ∇θ log(K(x̃[1:T-1,a[T,i]]; θ) * post(x[T,i] | y[T], x[T-1,a[T,i]]; θ) * ev(y[T] | x[T-1,a[T,i]]; θ)) + ∇θ f(x̃[1:T-1,a[T,i]], x[T,i]; θ))))
    = 𝔼[· | 0](∏[t=1..T-1](W[t]) * 𝔼[· | T-1](W[T] * Σ[i=1..N](w̄[T,i] * (f(x̃[1:T-1,a[T,i]], x[T,i]; θ) * ∇θ log(K(x̃[1:T-1,a[T,i]]; θ) * post(x[T,i] | y[T], x[T-1,a[T,i]]; θ) * ev(y[T] | x[T-1,a[T,i]]; θ)) + ∇θ f(x̃[1:T-1,a[T,i]], x[T,i]; θ)))))
    = 𝔼[· | 0](∏[t=1..T-1](W[t]) * 𝔼[· | T-1](𝔼[· | T-1](Σ[i=1..N](w[T,i] * (f(x̃[1:T-1,a[T,i]], x[T,i]; θ) * ∇θ log(K(x̃[1:T-1,a[T,i]]; θ) * post(x[T,i] | y[T], x[T-1,a[T,i]]; θ) * ev(y[T] | x[T-1,a[T,i]]; θ)) + ∇θ f(x̃[1:T-1,a[T,i]], x[T,i]; θ))))))
    = 𝔼[· | 0](∏[t=1..T-1](W[t]) * 𝔼[· | T-1](1/N * Σ[i=1..N](𝔼[z ~ q(· | x[T-1,a[T,i]]; φ)](post(z | y[T], x[T-1,a[T,i]]; θ) * ev(y[T] | x[T-1,a[T,i]]; θ) / q(z | x[T-1,a[T,i]]; φ) * (f(x̃[1:T-1,a[T,i]], z; θ) * ∇θ log(K(x̃[1:T-1,a[T,i]]; θ) * post(z | y[T], x[T-1,a[T,i]]; θ) * ev(y[T] | x[T-1,a[T,i]]; θ)) + ∇θ f(x̃[1:T-1,a[T,i]], z; θ))))))
    = 𝔼[· | 0](∏[t=1..T-1](W[t]) * 𝔼[· | T-1](1/N * Σ[i=1..N](𝔼[z ~ post(· | y[T], x[T-1,a[T,i]]; θ)](ev(y[T] | x[T-1,a[T,i]]; θ) * (f(x̃[1:T-1,a[T,i]], z; θ) * ∇θ log(K(x̃[1:T-1,a[T,i]]; θ) * post(z | y[T], x[T-1,a[T,i]]; θ) * ev(y[T] | x[T-1,a[T,i]]; θ)) + ∇θ f(x̃[1:T-1,a[T,i]], z; θ))))))
    = 𝔼[· | 0](∏[t=1..T-1](W[t]) * Σ[i=1..N](w̄[T-1,i] * 𝔼[z ~ post(· | y[T], x[T-1,i]; θ)](ev(y[T] | x[T-1,i]; θ) * (f(x̃[1:T-1,i], z; θ) * ∇θ log(K(x̃[1:T-1,i]; θ) * post(z | y[T], x[T-1,i]; θ) * ev(y[T] | x[T-1,i]; θ)) + ∇θ f(x̃[1:T-1,i], z; θ)))))
    = 𝔼[· | 0](∏[t=1..T-1](W[t]) * Σ[i=1..N](w̄[T-1,i] * (𝔼[z ~ post(· | y[T], x[T-1,i]; θ)](ev(y[T] | x[T-1,i]; θ) * f(x̃[1:T-1,i], z; θ)) * ∇θ log K(x̃[1:T-1,i]; θ) + ∇θ 𝔼[z ~ post(· | y[T], x[T-1,i]; θ)](ev(y[T] | x[T-1,i]; θ) * f(x̃[1:T-1,i], z; θ)))))
    = not read: an expectation over a whole path
    = not read: an expectation over a whole path
