# Section 3.1, Eq. 13–16: the score, through both filters of Algorithm 1.

count N, T
parameter θ, φ
index i, j = 1..N;  index t, k, s = 1..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; φ), p0(x[0])
resampling R
function f(x; θ)

sample x[0,i] ~ p0
sample a[t,·] ~ R(⊥(v̄[t-1,·]))
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a

# Algorithm 1, right.
define v̄[0,i] = 1/N
define ṽ[t,i] = 1/N * (v̄[t-1, a[t,i]] / ⊥(v̄[t-1, a[t,i]]))
define v[t,i] = ṽ[t,i] * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define V[t]   = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z      = ∏[t=1..T] V[t]

# Algorithm 1, left: what they are in value.
define w̄[0,i] = 1/N
define w[t,i] = 1/N * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]
define Ẑ      = ∏[t=1..T] W[t]
define f̄      = Σ[i=1..N](w̄[T,i] * f(x̃[1:T,i]; θ))
define D      = ∏[t=1..T] ∏[i=1..N](w̄[t-1, a[t,i]] / ⊥(w̄[t-1, a[t,i]]))      # DiCE on the ancestors

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
