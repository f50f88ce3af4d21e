# Section 4.2: less variance with the marginal particle filter, Eq. 24 and 25.
#
# The initial value of the recursion is not printed: it is 0.  p(x, y | x) is p(x | x) p(y | x), Eq. 136.

count N, T
parameter θ, φ
index i, j, n = 1..N;  index t, k = 1..T
observed y[t]
density m(x[t] | x[t-1]; θ), g(y[t] | x[t]; θ), r(x[t], y[t]; θ)      # p(x | x), p(y | x), p(x, y)
density q(x[t] | x[t-1], y[t]; φ), p0(x[0])

sample x[0,i] ~ p0
sample x[t,i] ~ Σ[j=1..N](⊥(v̄[t-1,j]) * q(· | x[t-1,j], y[t]; φ))

# Algorithm 2, right.
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
define β[t,i] = 1 / Σ[j=1..N](w̄[t,j] * m(x[t,i] | x[t-1,j]; θ)) * Σ[j=1..N](w̄[t,j] * m(x[t,i] | x[t-1,j]; θ) * (β[t-1,j] + ∇θ log(m(x[t,i] | x[t-1,j]; θ) * g(y[t] | x[t,i]; θ))))

notation
    p_\theta(x_t^n, y_t | x_{t-1}^i) => \left(m_\theta(x_t^n | x_{t-1}^i) g_\theta(y_t | x_t^n)\right)
    p_\theta(x_{t+1}^i, y_{t+1} | x_t^j) => \left(m_\theta(x_{t+1}^i | x_t^j) g_\theta(y_{t+1} | x_{t+1}^i)\right)
    p_\theta(x_{t+1}^i | x_t^j) => m_\theta(x_{t+1}^i | x_t^j)
    p_\theta(x_{t+1}^i, y_{t+1}) => r_\theta(x_{t+1}^i, y_{t+1})
    \bar{\alpha} => \beta

printed 24:
    \nabla_{\theta} \log p_{\theta}(y_{1:T}) \approx \sum_{i=1}^N \bar{w}_T^i \bar{\alpha}_T^i, \quad (24)

equation 24: an approximation

printed 25:
    \bar{\alpha}_{t+1}^i = \frac{1}{\sum_{j=1}^N \bar{w}_{t+1}^j p_{\theta}(x_{t+1}^i | x_t^j)} \sum_{j=1}^N \bar{w}_{t+1}^j p_{\theta}(x_{t+1}^i | x_t^j) \left( \bar{\alpha}_t^j + \nabla_{\theta} \log p_{\theta}(x_{t+1}^i, y_{t+1} | x_t^j) \right). \quad (25)

equation 25 in value:
    β[t+1,i]
    = 1 / Σ[j=1..N](w̄[t+1,j] * m(x[t+1,i] | x[t,j]; θ)) * Σ[j=1..N](w̄[t+1,j] * m(x[t+1,i] | x[t,j]; θ) * (β[t,j] + ∇θ log(m(x[t+1,i] | x[t,j]; θ) * g(y[t+1] | x[t+1,i]; θ))))
    used in: →(∇θ log Z) =→ Σ[i=1..N](w̄[T,i] * β[T,i])

corrected 25:
    used in: →(∇θ log Z) =→ Σ[i=1..N](w̄[T,i] * α[T,i])
