# Section 9.2: the score, through DPF.
#
# L is the importance weight along the lineage of a particle.

use "models/algorithm_1.sc"

# Eq. 55 and 56 speak of v[0] and V[0] at t = 1.
define v[0,i] = 1/N
define V[0]   = Σ[i=1..N] v[0,i]

notation
    \hat{Z}_{\text{DPF}} => Z
    L_t^i => \left(\frac{p_\theta(\tilde{x}_{1:t}^i, y_{1:t})}{q_\phi(\tilde{x}_{1:t}^i)}\right)
    L_T^i => \left(\frac{p_\theta(\tilde{x}_{1:T}^i, y_{1:T})}{q_\phi(\tilde{x}_{1:T}^i)}\right)
    L_{t-1}^{a_t^i} => \left(\frac{p_\theta(\tilde{x}_{1:t-1}^{a_t^i}, y_{1:t-1})}{q_\phi(\tilde{x}_{1:t-1}^{a_t^i})}\right)

printed 55:
    v_t^i = \frac{p_{\theta}(x_t^i, y_t | x_{t-1}^{a_t^i})}{q_{\phi}(x_t^i | x_{t-1}^{a_t^i})} \tilde{v}_t^i = w_t^i \frac{\bar{v}_{t-1}^{a_t^i}}{\perp(\bar{v}_{t-1}^{a_t^i})} = w_t^i \frac{v_{t-1}^{a_t^i}}{\perp(v_{t-1}^{a_t^i})} \frac{\perp(V_{t-1})}{V_{t-1}}. \quad (55)

equation 55 strictly:
    v[t,i]
    = p(x[t,i], y[t] | x[t-1,a[t,i]]; θ) / q(x[t,i] | x[t-1,a[t,i]]; φ) * ṽ[t,i]
    = w[t,i] * v̄[t-1,a[t,i]] / ⊥(v̄[t-1,a[t,i]])
    = w[t,i] * v[t-1,a[t,i]] / ⊥(v[t-1,a[t,i]]) * ⊥(V[t-1]) / V[t-1]

printed 56:
    \frac{v_t^i}{\perp(v_t^i)} = \frac{w_t^i}{\perp(w_t^i)} \frac{v_{t-1}^{a_t^i}}{\perp(v_{t-1}^{a_t^i})} \frac{\perp(V_{t-1})}{V_{t-1}} = \frac{L_t^i}{\perp(L_t^i)} \prod_{j=1}^{t-1} \frac{\perp(V_j)}{V_j}. \quad (56)

equation 56 strictly:
    v[t,i] / ⊥(v[t,i])
    = w[t,i] / ⊥(w[t,i]) * v[t-1,a[t,i]] / ⊥(v[t-1,a[t,i]]) * ⊥(V[t-1]) / V[t-1]
    = (p(x̃[1:t,i], y[1:t]; θ) / q(x̃[1:t,i]; φ)) / ⊥(p(x̃[1:t,i], y[1:t]; θ) / q(x̃[1:t,i]; φ)) * ∏[j=1..t-1](⊥(V[j]) / V[j])

printed 57:
    v_t^i = w_t^i \frac{L_{t-1}^{a_t^i}}{\perp(L_{t-1}^{a_t^i})} \prod_{j=1}^{t-1} \frac{\perp(V_j)}{V_j} = \perp(v_t^i) \frac{L_t^i}{\perp(L_t^i)} \prod_{j=1}^{t-1} \frac{\perp(V_j)}{V_j} \quad (57)

equation 57 strictly:
    v[t,i]
    = w[t,i] * (p(x̃[1:t-1,a[t,i]], y[1:t-1]; θ) / q(x̃[1:t-1,a[t,i]]; φ)) / ⊥(p(x̃[1:t-1,a[t,i]], y[1:t-1]; θ) / q(x̃[1:t-1,a[t,i]]; φ)) * ∏[j=1..t-1](⊥(V[j]) / V[j])
    = ⊥(v[t,i]) * (p(x̃[1:t,i], y[1:t]; θ) / q(x̃[1:t,i]; φ)) / ⊥(p(x̃[1:t,i], y[1:t]; θ) / q(x̃[1:t,i]; φ)) * ∏[j=1..t-1](⊥(V[j]) / V[j])

printed 58:
    \hat{Z}_{\text{DPF}} = \prod_{t=1}^T V_t = \left( \prod_{t=1}^{T-1} V_t \right) \sum_{i=1}^N v_T^i = \left( \prod_{t=1}^{T-1} \perp(V_t) \right) \sum_{i=1}^N \perp(v_T^i) \frac{L_T^i}{\perp(L_T^i)} \quad (58)

printed 59:
    = \left( \prod_{t=1}^{T-1} \perp(V_t) \right) \sum_{i=1}^N \perp(v_T^i) \frac{L_T^i}{\perp(L_T^i)} \frac{\perp(V_T)}{\sum_{i=1}^N \perp(v_T^i)} \quad (59)

printed 60:
    = \left( \prod_{t=1}^T \perp(V_t) \right) \frac{\sum_{i=1}^N \perp(v_T^i) \frac{L_T^i}{\perp(L_T^i)}}{\sum_{i=1}^N \perp(v_T^i)} = \perp(\hat{Z}_{\text{DPF}}) \sum_{i=1}^N \perp(\bar{v}_T^i) \frac{L_T^i}{\perp(L_T^i)}. \quad (60)

equation 58, 59, 60 strictly:
    Z
    = ∏[t=1..T](V[t])
    = ∏[t=1..T-1](V[t]) * Σ[i=1..N](v[T,i])
    = ∏[t=1..T-1](⊥(V[t])) * Σ[i=1..N](⊥(v[T,i]) * (p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) / ⊥(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)))
    = ∏[t=1..T-1](⊥(V[t])) * Σ[i=1..N](⊥(v[T,i]) * (p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) / ⊥(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) * ⊥(V[T]) / Σ[i=1..N](⊥(v[T,i])))
    = ∏[t=1..T](⊥(V[t])) * Σ[i=1..N](⊥(v[T,i]) * (p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) / ⊥(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ))) / Σ[i=1..N](⊥(v[T,i]))
    = ⊥(Z) * Σ[i=1..N](⊥(v̄[T,i]) * (p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) / ⊥(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)))

printed 61:
    \overrightarrow{\nabla_{\theta} \hat{Z}_{\text{DPF}}} = \overrightarrow{\hat{Z}_{\text{DPF}}} \sum_{i=1}^N \overrightarrow{\bar{v}_T^i} \frac{\overrightarrow{\nabla_{\theta} L_T^i}}{\perp(L_T^i)} = \overrightarrow{\hat{Z}_{\text{DPF}}} \sum_{i=1}^N \overrightarrow{\bar{v}_T^i} \nabla_{\theta} \log L_T^i. \quad (61)

equation 61 in value:
    →(∇θ Z)
    = →(Z) * Σ[i=1..N](→(v̄[T,i]) * →(∇θ(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ))) / ⊥(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)))
    = →(Z) * Σ[i=1..N](→(v̄[T,i]) * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)))

printed 62:
    \overrightarrow{\nabla_{\theta} \log \hat{Z}_{\text{DPF}}} = \frac{\overrightarrow{\nabla_{\theta} \hat{Z}_{\text{DPF}}}}{\hat{Z}_{\text{DPF}}} = \sum_{i=1}^N \overrightarrow{\bar{v}_T^i} \nabla_{\theta} \log L_T^i = \sum_{i=1}^N \bar{w}_T^i \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^i, y_{1:T}). \quad (62)

equation 62 in value:
    →(∇θ log Z)
    = →(∇θ Z) / Z
    = Σ[i=1..N](→(v̄[T,i]) * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)))
    = Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))
