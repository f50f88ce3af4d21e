# Section 9.3: expectations under the unnormalised posterior through PF and DiCE, Eq. 79–86.

use "models/particle_filter.sc"

notation
    \hat{Z}_{\text{PF}} => \hat{Z}
    \bar{f}_\theta => \bar{f}

printed 79:
    \nabla_{\theta} \mathbb{E}_{x_{1:T} \sim p_{\theta}(x_{1:T}|y_{1:T})} [Z f_{\theta}(x_{1:T})] \approx \quad (79)

printed 80:
    \bar{f}_{\theta} \nabla_{\theta} \hat{Z}_{\text{PF}} + \hat{Z}_{\text{PF}} \nabla_{\theta} \sum_{i=1}^N \bar{w}_T^i f_{\theta}(\tilde{x}_{1:T}^i) + \hat{Z}_{\text{PF}} \bar{f}_{\theta} \sum_{t=1}^T \sum_{i=1}^N \nabla_{\theta} \log \bar{w}_{t-1}^i = \quad (80)

printed 81:
    \hat{Z} \bar{f}_{\theta} \sum_{t=1}^T \nabla_{\theta} \log W_t + \hat{Z} \sum_{i=1}^N \bar{w}_T^i (\nabla_{\theta} f_{\theta}(\tilde{x}_{1:T}^i) + (f_{\theta}(\tilde{x}_{1:T}^i) - \bar{f}_{\theta}) \nabla_{\theta} \log w_T^i) + \quad (81)

printed 82:
    \hat{Z} \bar{f}_{\theta} \sum_{t=1}^T \sum_{i=1}^N \left( \nabla_{\theta} \log w_{t-1}^i - \sum_{j=1}^N \bar{w}_{t-1}^j \nabla_{\theta} \log w_{t-1}^j \right) = \quad (82)

printed 83:
    \hat{Z} \bar{f}_{\theta} \sum_{t=1}^T \nabla_{\theta} \log W_t + \hat{Z} \sum_{i=1}^N \bar{w}_T^i (\nabla_{\theta} f_{\theta}(\tilde{x}_{1:T}^i) + (f_{\theta}(\tilde{x}_{1:T}^i) - \bar{f}_{\theta}) \nabla_{\theta} \log w_T^i) + \quad (83)

printed 84:
    \hat{Z} \bar{f}_{\theta} \sum_{t=1}^T \sum_{i=1}^N \left( \nabla_{\theta} \log w_{t-1}^i - \sum_{j=1}^N \bar{w}_{t-1}^j \nabla_{\theta} \log w_{t-1}^j \right) = \quad (84)

printed 85:
    \hat{Z} \sum_{i=1}^N \bar{w}_T^i (\nabla_{\theta} f_{\theta}(\tilde{x}_{1:T}^i) + (f_{\theta}(\tilde{x}_{1:T}^i) - \bar{f}_{\theta}) \nabla_{\theta} \log w_T^i) + \quad (85)

printed 86:
    \hat{Z} \bar{f}_{\theta} \sum_{t=1}^T \sum_{i=1}^N \left( \nabla_{\theta} \log w_{t-1}^i + \bar{w}_t^i \nabla_{\theta} \log w_t^i - \sum_{j=1}^N \bar{w}_{t-1}^j \nabla_{\theta} \log w_{t-1}^j \right). \quad (86)

equation 79, 80, 81, 82, 83, 84, 85, 86 in value:
    no claim: the gradient of an expectation, which is approximated
    ≈ f̄ * ∇θ Ẑ + Ẑ * ∇θ Σ[i=1..N](w̄[T,i] * f(x̃[1:T,i]; θ)) + Ẑ * f̄ * Σ[t=1..T](Σ[i=1..N](∇θ log w̄[t-1,i]))
    = Ẑ * f̄ * Σ[t=1..T](∇θ log W[t]) + Ẑ * Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log w[T,i])) + Ẑ * f̄ * Σ[t=1..T](Σ[i=1..N](∇θ log w[t-1,i] - Σ[j=1..N](w̄[t-1,j] * ∇θ log w[t-1,j])))
    = Ẑ * f̄ * Σ[t=1..T](∇θ log W[t]) + Ẑ * Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log w[T,i])) + Ẑ * f̄ * Σ[t=1..T](Σ[i=1..N](∇θ log w[t-1,i] - Σ[j=1..N](w̄[t-1,j] * ∇θ log w[t-1,j])))
    = Ẑ * Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log w[T,i])) + Ẑ * f̄ * Σ[t=1..T](Σ[i=1..N](∇θ log w[t-1,i] + w̄[t,i] * ∇θ log w[t,i] - Σ[j=1..N](w̄[t-1,j] * ∇θ log w[t-1,j])))
    by construction: ∇θ(D * Ẑ * f̄)

corrected 80:
    f̄ * ∇θ Ẑ + Ẑ * ∇θ(Σ[i=1..N](w̄[T,i] * f(x̃[1:T,i]; θ))) + Ẑ * f̄ * Σ[t=1..T](Σ[i=1..N](∇θ log w̄[t-1, a[t,i]]))

corrected 81, 82, 83, 84:
    Ẑ * f̄ * Σ[t=1..T](∇θ log W[t]) + Ẑ * Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log w[T,i])) + Ẑ * f̄ * Σ[t=1..T](Σ[i=1..N](∇θ log w[t-1, a[t,i]] - Σ[j=1..N](w̄[t-1,j] * ∇θ log w[t-1,j])))

corrected 85, 86:
    Ẑ * Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log w[T,i])) + Ẑ * f̄ * Σ[t=1..T](Σ[i=1..N](∇θ log w[t-1, a[t,i]] + w̄[t,i] * ∇θ log w[t,i] - Σ[j=1..N](w̄[t-1,j] * ∇θ log w[t-1,j])))
