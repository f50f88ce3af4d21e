# Section 10, Theorem 1: the statement, Eq. 117 and 118.
#
# The law of Eq. 117 is the printed one: particle i is drawn from q given particle i of the time before, not its
# ancestor; the weights are those of Algorithm 1.  The law of a path given the observations, times their density, is
# the product of p(x, y | x) = p(x | y, x) p(y | x) over time, with cond and pred for the two: so the 𝔼 of Eq. 118 is over
# a chain s that is drawn from cond, and the density of y_{1:T} is the product of pred along that chain.  X[t,i] is the
# path that ends in particle i of time t, J[t,i] its density with that of the observations, S[t] the path of the chain.
#
# The two sides being all there is, they tie.  What should stand there is proved in unbiased.sc, for any N and T.

count N, T
parameter θ, φ
index i = 1..N;  index t = 1..T
observed y[t]
density cond(x | y, x'; θ), pred(y | x'; θ), q(x | x', y; φ), p0(x)
resampling R
function begin(x), extend(path, x), f(path; θ)

sample x[0,i] ~ p0(·)
sample a[t,·] ~ R(w̄[t-1,·])
sample x[t,i] ~ q(· | x[t-1,i], y[t]; φ)
sample s[0] ~ p0(·)
sample s[t] ~ cond(· | y[t], s[t-1]; θ)

define X[0,i] = begin(x[0,i])
define X[t,i] = extend(X[t-1, a[t,i]], x[t,i])
define S[0] = begin(s[0])
define S[t] = extend(S[t-1], s[t])
define J[0,i] = 1
define J[t,i] = J[t-1, a[t,i]] * (cond(x[t,i] | y[t], x[t-1, a[t,i]]; θ) * pred(y[t] | x[t-1, a[t,i]]; θ))

define w̄[0,i] = 1/N
define w[t,i] = 1/N * (cond(x[t,i] | y[t], x[t-1, a[t,i]]; θ) * pred(y[t] | x[t-1, a[t,i]]; θ)) / q(x[t,i] | x[t-1, a[t,i]], y[t]; φ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]
define Ẑ      = ∏[t=1..T] W[t]

notation
    \mathbb{E}_{x_t^i \sim q_\phi(x_t | x_{t-1}^i, y_t), a_t^{1:N} \sim R(\bar{w}_{t-1}^{1:N})} => \mathbb{E}_{\mid -1}
    \mathbb{E}_{x_{1:T} \sim p_{\theta}(x_{1:T}|y_{1:T})} [p_{\theta}(y_{1:T}) f_{\theta}(x_{1:T})] => \mathbb{E}_{\mid -1} \left[\left(\prod_{t=1}^{T} \mathrm{pred}_{\theta}(y_t | s_{t-1})\right) f_{\theta}(S_T)\right]
    f_\theta(\tilde{x}_{1:T}^i) => f_\theta(X_T^i)
    p_\theta(\tilde{x}_{1:T}^i, y_{1:T}) => J_T^i

printed 117:
    \mathbb{E}_{x_t^i \sim q_\phi(x_t | x_{t-1}^i, y_t), a_t^{1:N} \sim R(\bar{w}_{t-1}^{1:N})} \left[ \hat{Z} \sum_{i=1}^N \bar{w}_T^i (f_\theta(\tilde{x}_{1:T}^i) \nabla_\theta \log p_\theta(\tilde{x}_{1:T}^i, y_{1:T}) + \nabla_\theta f_\theta(\tilde{x}_{1:T}^i)) \right] = \quad (117)

printed 118:
    \nabla_\theta \mathbb{E}_{x_{1:T} \sim p_\theta(x_{1:T}|y_{1:T})} [p_\theta(y_{1:T}) f_\theta(x_{1:T})]. \quad (118)

equation 117, 118 in value:
    𝔼[· | -1](Ẑ * Σ[i=1..N](w̄[T,i] * (f(X[T,i]; θ) * ∇θ log J[T,i] + ∇θ f(X[T,i]; θ))))
    = ∇θ 𝔼[· | -1](∏[t=1..T](pred(y[t] | s[t-1]; θ)) * f(S[T]; θ))

corrected 117, 118:
    by theorem: "../unbiased.sc" theorem_1
