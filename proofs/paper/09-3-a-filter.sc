# Section 9.3: expectations through the particle filter, Eq. 63–70.
#
# W[0] is Σ w[0,i]; Algorithm 1 does not name it.  In Eq. 68–70 x_T is x_T^i and a_i is a_T^i or a_t^i.

use "models/particle_filter.sc"

notation
    \bar{f}_\theta => \bar{f}
    x_T, y_T | x_{T-1}^{a_i} => x_T^i, y_T | x_{T-1}^{a_T^i}
    w_{t-1}^{a_i} => w_{t-1}^{a_t^i}
    \bar{w}_{t-1}^{a_i} => \bar{w}_{t-1}^{a_t^i}

printed 63:
    \lim_{N \rightarrow \infty} \sum_{i=1}^N \bar{w}_T^i f_\theta(\tilde{x}_{1:T}^i) = \mathbb{E}_{x \sim p_\theta(x_{1:T}|y_{1:T})} [f_\theta(x_{1:T})]. \quad (63)

equation 63: a limit in N

printed 64:
    \nabla_\theta \mathbb{E}_{x \sim p_\theta(x_{1:T}|y_{1:T})} [f_\theta(x_{1:T})] \approx \sum_{i=1}^N \bar{w}_T^i (f_\theta(\tilde{x}_{1:T}^i) \nabla_\theta \log \bar{w}_T^i + \nabla_\theta f_\theta(\tilde{x}_{1:T}^i)) = \quad (64)

printed 65:
    - \nabla_\theta \log W_T \sum_{i=1}^N \bar{w}_T^i f_\theta(\tilde{x}_{1:T}^i) + \sum_{i=1}^N \bar{w}_T^i (f_\theta(\tilde{x}_{1:T}^i) \nabla_\theta \log w_T^i + \nabla_\theta f_\theta(\tilde{x}_{1:T}^i)) = \quad (65)

printed 66:
    - \nabla_\theta \log W_T \bar{f}_\theta + \sum_{i=1}^N \bar{w}_T^i (f_\theta(\tilde{x}_{1:T}^i) \nabla_\theta \log w_T^i + \nabla_\theta f_\theta(\tilde{x}_{1:T}^i)) = \quad (66)

printed 67:
    - \bar{f}_\theta \sum_{i=1}^N \bar{w}_T^i \nabla_\theta \log w_T^i + \sum_{i=1}^N \bar{w}_T^i (f_\theta(\tilde{x}_{1:T}^i) \nabla_\theta \log w_T^i + \nabla_\theta f_\theta(\tilde{x}_{1:T}^i)) = \quad (67)

printed 68:
    \sum_{i=1}^N \bar{w}_T^i \left( (f_\theta(\tilde{x}_{1:T}^i) - \bar{f}_\theta) \nabla_\theta \log p_\theta(x_T, y_T | x_{T-1}^{a_i}) + \nabla_\theta f_\theta(\tilde{x}_{1:T}^i) \right). \quad (68)

equation 64, 65, 66, 67, 68 in value:
    no claim: the gradient of an expectation, which is approximated
    ≈ Σ[i=1..N](w̄[T,i] * (f(x̃[1:T,i]; θ) * ∇θ log w̄[T,i] + ∇θ f(x̃[1:T,i]; θ)))
    = -∇θ log W[T] * Σ[i=1..N](w̄[T,i] * f(x̃[1:T,i]; θ)) + Σ[i=1..N](w̄[T,i] * (f(x̃[1:T,i]; θ) * ∇θ log w[T,i] + ∇θ f(x̃[1:T,i]; θ)))
    = -∇θ log W[T] * f̄ + Σ[i=1..N](w̄[T,i] * (f(x̃[1:T,i]; θ) * ∇θ log w[T,i] + ∇θ f(x̃[1:T,i]; θ)))
    = -f̄ * Σ[i=1..N](w̄[T,i] * ∇θ log w[T,i]) + Σ[i=1..N](w̄[T,i] * (f(x̃[1:T,i]; θ) * ∇θ log w[T,i] + ∇θ f(x̃[1:T,i]; θ)))
    = Σ[i=1..N](w̄[T,i] * ((f(x̃[1:T,i]; θ) - f̄) * ∇θ log p(x[T,i], y[T] | x[T-1,a[T,i]]; θ) + ∇θ f(x̃[1:T,i]; θ)))
    by construction: ∇θ f̄      # AD through PF
    read as: 68, x_T in the sum over i is x_T^i, and a_i is a_T^i

printed 69:
    \bar{f}_\theta \sum_{t=1}^T \sum_{i=1}^N \nabla_\theta \log \bar{w}_{t-1}^{a_i} = \bar{f}_\theta \sum_{t=1}^T \sum_{i=1}^N \nabla_\theta \left( \log w_{t-1}^{a_i} - \log W_{t-1} \right) = \quad (69)

printed 70:
    \bar{f}_\theta \sum_{t=1}^T \sum_{i=1}^N \left( \nabla_\theta \log w_{t-1}^{a_i} - \sum_{j=1}^N \bar{w}_{t-1}^j \nabla_\theta \log w_{t-1}^j \right). \quad (70)

equation 69, 70 in value:
    f̄ * Σ[t=1..T](Σ[i=1..N](∇θ log w̄[t-1,a[t,i]]))
    = f̄ * Σ[t=1..T](Σ[i=1..N](∇θ(log w[t-1,a[t,i]] - log W[t-1])))
    = f̄ * Σ[t=1..T](Σ[i=1..N](∇θ log w[t-1,a[t,i]] - Σ[j=1..N](w̄[t-1,j] * ∇θ log w[t-1,j])))
    by construction: ∇θ(D * f̄) - ∇θ f̄      # what DiCE on the ancestors adds
    read as: 69, a_i in the sum over t is a_t^i
    read as: 70, a_i in the sum over t is a_t^i
