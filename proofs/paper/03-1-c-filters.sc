# Section 3.1, Eq. 13–16: the score, through both filters of Algorithm 1.

use "models/algorithm_1.sc"

notation
    \hat{Z}_{\text{DPF}} => Z
    \hat{Z}_{\text{PF}} => \hat{Z}

printed 13:
    \nabla_{\theta} \log \hat{Z}_{\text{DPF}} = \sum_{i=1}^N \bar{w}_T^i \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^i, y_{1:T}), \quad (13)

equation 13 in value:
    ∇θ log Z
    = Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))

printed 14:
    \nabla_{\theta} \left( \prod_{t=1}^T \prod_{i=1}^N \frac{w_t^{a_t^i}}{\perp(w_t^{a_t^i})} \log \hat{Z}_{\text{PF}} \right) = \quad (14)

printed 15:
    \log \hat{Z}_{\text{PF}} \sum_{i=1}^N \sum_{t=1}^T \nabla_{\theta} \log \bar{w}_t^i + \nabla_{\theta} \log \hat{Z}_{\text{PF}} = \quad (15)

printed 16:
    \sum_{i=1}^N \sum_{t=1}^T \log \hat{Z} \nabla_{\theta} \log \bar{w}_t^i + \bar{w}_t^i \nabla_{\theta} \log p_{\theta}(x_t^i, y_t | x_{t-1}^{a_t^i}). \quad (16)

equation 14, 15, 16 in value:
    ∇θ ∏[t=1..T](∏[i=1..N](w[t,a[t,i]] / ⊥(w[t,a[t,i]]) * log Ẑ))
    = log Ẑ * Σ[i=1..N](Σ[t=1..T](∇θ log w̄[t,i])) + ∇θ log Ẑ
    = Σ[i=1..N](Σ[t=1..T](log Ẑ * ∇θ log w̄[t,i] + w̄[t,i] * ∇θ log p(x[t,i], y[t] | x[t-1,a[t,i]]; θ)))
    by construction: ∇θ(D * log Ẑ)

corrected 14:
    ∇θ(∏[t=1..T](∏[i=1..N](w̄[t-1, a[t,i]] / ⊥(w̄[t-1, a[t,i]]))) * log Ẑ)

corrected 15:
    log Ẑ * Σ[i=1..N](Σ[t=1..T](∇θ log w̄[t-1, a[t,i]])) + ∇θ log Ẑ

corrected 16:
    Σ[i=1..N](Σ[t=1..T](log Ẑ * ∇θ log w̄[t-1, a[t,i]] + w̄[t,i] * ∇θ log p(x[t,i], y[t] | x[t-1, a[t,i]]; θ)))
