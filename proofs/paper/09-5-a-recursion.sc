# Section 9.5: the recursion of the score, Eq. 88–90.
#
# The initial value of the recursion is not printed: it is 0.  p(x, y | x) is p(x | x) p(y | x), Eq. 136; p(x, y)
# without a condition, as it stands in Eq. 89 and 90, is another density.

count N, T
parameter θ, φ
index i, j, n = 1..N;  index s = 1..T;  index t = 0..T-1
observed y[s]
density m(x[s] | x[s-1]; θ), g(y[s] | x[s]; θ), r(x[s], y[s]; θ)      # p(x | x), p(y | x), p(x, y)
density q(x[s] | x[s-1], y[s]; φ), p0(x[0])

sample x[0,i] ~ p0
sample x[s,i] ~ Σ[j=1..N](⊥(v̄[s-1,j]) * q(· | x[s-1,j], y[s]; φ))

# Algorithm 2, right.
define v̄[0,i] = 1/N
define v[s,n] = 1/N * Σ[i=1..N](v̄[s-1,i] * (m(x[s,n] | x[s-1,i]; θ) * g(y[s] | x[s,n]; θ))) / Σ[i=1..N](⊥(v̄[s-1,i]) * q(x[s,n] | x[s-1,i], y[s]; φ))
define V[s]   = Σ[i=1..N] v[s,i]
define v̄[s,i] = v[s,i] / V[s]
define Z      = ∏[s=1..T] V[s]

# What they are in value.
define w̄[0,i] = 1/N
define w[s,n] = 1/N * Σ[i=1..N](w̄[s-1,i] * (m(x[s,n] | x[s-1,i]; θ) * g(y[s] | x[s,n]; θ))) / Σ[i=1..N](w̄[s-1,i] * q(x[s,n] | x[s-1,i], y[s]; φ))
define W[s]   = Σ[i=1..N] w[s,i]
define w̄[s,i] = w[s,i] / W[s]
define Ẑ      = ∏[s=1..T] W[s]

# The recursion as it should be.
define α[0,i] = 0
define α[s,i] = Σ[j=1..N](w̄[s-1,j] * (m(x[s,i] | x[s-1,j]; θ) * g(y[s] | x[s,i]; θ)) * (α[s-1,j] + ∇θ log(m(x[s,i] | x[s-1,j]; θ) * g(y[s] | x[s,i]; θ)))) / Σ[j=1..N](w̄[s-1,j] * (m(x[s,i] | x[s-1,j]; θ) * g(y[s] | x[s,i]; θ)))
define β[0,i] = 0
define β[s,i] = Σ[j=1..N](w̄[s,j] * m(x[s,i] | x[s-1,j]; θ) * (β[s-1,j] + ∇θ log r(x[s,i], y[s]; θ))) / Σ[j=1..N](w̄[s,j] * m(x[s,i] | x[s-1,j]; θ))

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
