# Section 9.5: the score through DPF2, Eq. 88–99.
#
# The initial value of the recursion is not printed: it is 0.  p(x, y | x) is p(x | x) p(y | x), Eq. 136; p(x, y)
# without a condition, as it stands in Eq. 89 and 90, is another density.  The i of Eq. 91 is the n of Eq. 92–96.

count N, T
parameter θ, φ
index i, j, n = 1..N;  index t, k = 1..T
observed y[t]
density m(x[t] | x[t-1]; θ), g(y[t] | x[t]; θ), r(x[t], y[t]; θ)      # p(x | x), p(y | x), p(x, y)
density q(x[t] | x[t-1], y[t]; φ), p0(x[0])

sample x[0,i] ~ p0
sample x[t,i] ~ Σ[j=1..N](⊥(v̄[t-1,j]) * q(· | x[t-1,j], y[t]; φ))

# Algorithm 2, right.
define v[0,i] = 1/N
define v̄[0,i] = 1/N
define v[t,n] = 1/N * Σ[i=1..N](v̄[t-1,i] * (m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ))) / Σ[i=1..N](⊥(v̄[t-1,i]) * q(x[t,n] | x[t-1,i], y[t]; φ))
define V[t]   = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z      = ∏[t=1..T] V[t]

# What they are in value.
define w̄[0,i] = 1/N
define w[t,n] = 1/N * Σ[i=1..N](w̄[t-1,i] * (m(x[t,n] | x[t-1,i]; θ) * g(y[t] | x[t,n]; θ))) / Σ[i=1..N](w̄[t-1,i] * q(x[t,n] | x[t-1,i], y[t]; φ))
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]
define Ẑ      = ∏[t=1..T] W[t]

# The recursion as it should be.
define α[0,i] = 0
define α[t,i] = Σ[j=1..N](w̄[t-1,j] * (m(x[t,i] | x[t-1,j]; θ) * g(y[t] | x[t,i]; θ)) * (α[t-1,j] + ∇θ log(m(x[t,i] | x[t-1,j]; θ) * g(y[t] | x[t,i]; θ)))) / Σ[j=1..N](w̄[t-1,j] * (m(x[t,i] | x[t-1,j]; θ) * g(y[t] | x[t,i]; θ)))
define β[0,i] = 0
define β[t,i] = Σ[j=1..N](w̄[t,j] * m(x[t,i] | x[t-1,j]; θ) * (β[t-1,j] + ∇θ log r(x[t,i], y[t]; θ))) / Σ[j=1..N](w̄[t,j] * m(x[t,i] | x[t-1,j]; θ))

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

printed 88:
    \nabla_{\theta} \log p_{\theta}(y_{1:T}) \approx \sum_{i=1}^N \bar{w}_T^i \bar{\alpha}_T^i, \quad (88)

equation 88: an approximation

printed 89:
    \bar{\alpha}_{t+1}^i = \frac{\sum_{j=1}^N \bar{w}_{t+1}^j p_\theta(x_{t+1}^i | x_t^j) \left( \bar{\alpha}_t^j + \nabla_\theta \log p_\theta(x_{t+1}^i, y_{t+1}) \right)}{\sum_{j=1}^N \bar{w}_{t+1}^j p_\theta(x_{t+1}^i | x_t^j)} \quad (89)

printed 90:
    = \frac{\sum_{j=1}^N \bar{w}_{t+1}^j p_\theta(x_{t+1}^i, y_{t+1} | x_t^j) \left( \bar{\alpha}_t^j + \nabla_\theta \log p_\theta(x_{t+1}^i, y_{t+1}) \right)}{\sum_{j=1}^N \bar{w}_{t+1}^j p_\theta(x_{t+1}^i, y_{t+1} | x_t^j)}. \quad (90)

equation 89, 90 in value:
    β[t+1,i]
    = Σ[j=1..N](w̄[t+1,j] * m(x[t+1,i] | x[t,j]; θ) * (β[t,j] + ∇θ log r(x[t+1,i], y[t+1]; θ))) / Σ[j=1..N](w̄[t+1,j] * m(x[t+1,i] | x[t,j]; θ))
    = Σ[j=1..N](w̄[t+1,j] * (m(x[t+1,i] | x[t,j]; θ) * g(y[t+1] | x[t+1,i]; θ)) * (β[t,j] + ∇θ log r(x[t+1,i], y[t+1]; θ))) / Σ[j=1..N](w̄[t+1,j] * (m(x[t+1,i] | x[t,j]; θ) * g(y[t+1] | x[t+1,i]; θ)))
    used in: →(∇θ log Z) =→ Σ[i=1..N](w̄[T,i] * β[T,i])

corrected 89, 90:
    used in: →(∇θ log Z) =→ Σ[i=1..N](w̄[T,i] * α[T,i])

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
