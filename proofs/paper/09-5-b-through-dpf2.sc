# Section 9.5: the recursion of the score through DPF2, Eq. 91–96.
#
# The i of Eq. 91 is the n of Eq. 92–96.  p(x, y | x) is p(x | x) p(y | x), Eq. 136.

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

printed 91:
    \nabla_\theta \overrightarrow{\frac{v_t^i}{\perp(v_t^i)} \prod_{k=1}^{t-1} \frac{V_k}{\perp(V_k)}} = \quad (91)

printed 92:
    \nabla_\theta \overrightarrow{\frac{\sum_{i=1}^N \bar{v}_{t-1}^i p_\theta(x_t^n, y_t | x_{t-1}^i)}{\perp \left( \sum_{i=1}^N \bar{v}_{t-1}^i p_\theta(x_t^n, y_t | x_{t-1}^i) \right)} \frac{\perp \left( \sum_{i=1}^N \perp(\bar{v}_{t-1}^i) q_\phi(x_t^n | x_{t-1}^i, y_t) \right)}{\sum_{i=1}^N \perp(\bar{v}_{t-1}^i) q_\phi(x_t^n | x_{t-1}^i, y_t)} \prod_{k=1}^{t-1} \frac{V_k}{\perp(V_k)}} = \quad (92)

printed 93:
    \nabla_\theta \overrightarrow{\frac{\sum_{i=1}^N \perp(\bar{v}_{t-1}^i) p_\theta(x_t^n, y_t | x_{t-1}^i) \frac{\bar{v}_{t-1}^i}{\perp(\bar{v}_{t-1}^i)} \prod_{k=1}^{t-1} \frac{V_k}{\perp(V_k)}}{\perp \left( \sum_{i=1}^N \bar{v}_{t-1}^i p_\theta(x_t^n, y_t | x_{t-1}^i) \right)}} = \quad (93)

printed 94:
    \frac{\sum_{i=1}^N \bar{w}_{t-1}^i \nabla_\theta \left( p_\theta(x_t^n, y_t | x_{t-1}^i) \frac{v_{t-1}^i}{\perp(v_{t-1}^i)} \prod_{k=1}^{t-2} \frac{V_k}{\perp(V_k)} \right)}{\sum_{i=1}^N \bar{w}_{t-1}^i p_\theta(x_t^n, y_t | x_{t-1}^i)} = \quad (94)

printed 95:
    \frac{\sum_{i=1}^N \bar{w}_{t-1}^i \left( \nabla_\theta p_\theta(x_t^n, y_t | x_{t-1}^i) + p_\theta(x_t^n, y_t | x_{t-1}^i) \nabla_\theta \frac{v_{t-1}^i}{\perp(v_{t-1}^i)} \prod_{k=1}^{t-2} \frac{V_k}{\perp(V_k)} \right)}{\sum_{i=1}^N \bar{w}_{t-1}^i p_\theta(x_t^n, y_t | x_{t-1}^i)} = \quad (95)

printed 96:
    \frac{\sum_{i=1}^N \bar{w}_{t-1}^i p_\theta(x_t^n, y_t | x_{t-1}^i) \left( \nabla_\theta \log p_\theta(x_t^n, y_t | x_{t-1}^i) + \nabla_\theta \frac{v_{t-1}^i}{\perp(v_{t-1}^i)} \prod_{k=1}^{t-2} \frac{V_k}{\perp(V_k)} \right)}{\sum_{i=1}^N \bar{w}_{t-1}^i p_\theta(x_t^n, y_t | x_{t-1}^i)}. \quad (96)

equation 91, 92, 93, 94, 95, 96 in value:
    ∇θ →(v[t,n] / ⊥(v[t,n]) * ∏[k=1..t-1](V[k] / ⊥(V[k])))
    = ∇θ →(Σ[i=1..N](v̄[t-1,i] * (m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ))) / ⊥(Σ[i=1..N](v̄[t-1,i] * (m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ)))) * ⊥(Σ[i=1..N](⊥(v̄[t-1,i]) * q(x[t,n] | x[t-1,i], y[t]; φ))) / Σ[i=1..N](⊥(v̄[t-1,i]) * q(x[t,n] | x[t-1,i], y[t]; φ)) * ∏[k=1..t-1](V[k] / ⊥(V[k])))
    = ∇θ →(Σ[i=1..N](⊥(v̄[t-1,i]) * (m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ)) * v̄[t-1,i] / ⊥(v̄[t-1,i]) * ∏[k=1..t-1](V[k] / ⊥(V[k]))) / ⊥(Σ[i=1..N](v̄[t-1,i] * (m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ)))))
    = Σ[i=1..N](w̄[t-1,i] * ∇θ((m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ)) * v[t-1,i] / ⊥(v[t-1,i]) * ∏[k=1..t-2](V[k] / ⊥(V[k])))) / Σ[i=1..N](w̄[t-1,i] * (m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ)))
    = Σ[i=1..N](w̄[t-1,i] * (∇θ(m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ)) + (m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ)) * ∇θ(v[t-1,i] / ⊥(v[t-1,i]) * ∏[k=1..t-2](V[k] / ⊥(V[k]))))) / Σ[i=1..N](w̄[t-1,i] * (m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ)))
    = Σ[i=1..N](w̄[t-1,i] * (m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ)) * (∇θ log(m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ)) + ∇θ(v[t-1,i] / ⊥(v[t-1,i]) * ∏[k=1..t-2](V[k] / ⊥(V[k]))))) / Σ[i=1..N](w̄[t-1,i] * (m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ)))

corrected 91, 92, 93, 94, 95, 96:
    →(∇θ(v[t,n] / ⊥(v[t,n]) * ∏[k=1..t-1](V[k] / ⊥(V[k]))))
    = α[t,n]
