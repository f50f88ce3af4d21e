# Section 9.5: the score through DPF2, Eq. 97–99.
#
# α is the recursion of Eq. 89 and 90 as it should be; p(x, y | x) is p(x | x) p(y | x), Eq. 136.

use "models/algorithm_2.sc"
define v[0,i] = 1/N

notation
    p_\theta(x_t^n, y_t | x_{t-1}^i) => \left(m_\theta(x_t^n | x_{t-1}^i) g_\theta(y_t | x_t^n)\right)
    p_\theta(x_{t+1}^i, y_{t+1} | x_t^j) => \left(m_\theta(x_{t+1}^i | x_t^j) g_\theta(y_{t+1} | x_{t+1}^i)\right)
    p_\theta(x_{t+1}^i | x_t^j) => m_\theta(x_{t+1}^i | x_t^j)
    p_\theta(x_{t+1}^i, y_{t+1}) => r_\theta(x_{t+1}^i, y_{t+1})
    \hat{Z}_{\text{DPF2}} => Z
    v_t^i => v_t^n
    \bar{\alpha}_{t+1} => \beta_{t+1}
    \bar{\alpha}_t => \beta_t
    \bar{\alpha}_T => \alpha_T

printed 97:
    \nabla_\theta \log \hat{Z}_{\text{DPF2}} = \frac{\nabla_\theta \hat{Z}_{\text{DPF2}}}{\hat{Z}} = \frac{1}{\hat{Z}} \nabla_\theta \prod_{t=1}^T V_t = \frac{1}{\hat{Z}} \nabla_\theta \sum_{i=1}^N v_T^i \prod_{t=1}^{T-1} V_t = \quad (97)

printed 98:
    \frac{1}{\hat{Z}} \nabla_\theta \sum_{i=1}^N \perp(\bar{v}_T^i V_T) \frac{v_T^i}{\perp(v_T^i)} \prod_{t=1}^{T-1} V_t = \frac{1}{\hat{Z}} \nabla_\theta \perp(\hat{Z}) \sum_{i=1}^N \perp(\bar{v}_T^i) \frac{v_T^i}{\perp(v_T^i)} \prod_{t=1}^{T-1} \frac{V_t}{\perp(V_t)} = \quad (98)

printed 99:
    \sum_{i=1}^N \bar{w}_T^i \nabla_\theta \frac{v_T^i}{\perp(v_T^i)} \prod_{t=1}^{T-1} \frac{V_t}{\perp(V_t)} = \sum_{i=1}^N \bar{w}_T^i \bar{\alpha}_T^i, \quad (99)

equation 97, 98, 99 in value:
    ∇θ log Z
    = ∇θ Z / Ẑ
    = 1/Ẑ * ∇θ ∏[t=1..T](V[t])
    = 1/Ẑ * ∇θ Σ[i=1..N](v[T,i] * ∏[t=1..T-1](V[t]))
    = 1/Ẑ * ∇θ Σ[i=1..N](⊥(v̄[T,i] * V[T]) * v[T,i] / ⊥(v[T,i]) * ∏[t=1..T-1](V[t]))
    = 1/Ẑ * ∇θ(⊥(Ẑ) * Σ[i=1..N](⊥(v̄[T,i]) * v[T,i] / ⊥(v[T,i]) * ∏[t=1..T-1](V[t] / ⊥(V[t]))))
    = Σ[i=1..N](w̄[T,i] * ∇θ(v[T,i] / ⊥(v[T,i]) * ∏[t=1..T-1](V[t] / ⊥(V[t]))))
    = Σ[i=1..N](w̄[T,i] * α[T,i])
