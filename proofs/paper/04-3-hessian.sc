# Section 4.3: the Hessian through DPF, Eq. 26, for a vector of parameters.
#
# A superscript T behind a parenthesis transposes.

count N, T, K
index k = 1..K;  index i, j = 1..N;  index t = 1..T
parameter θ[k], φ
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; φ), p0(x[0])
resampling R

sample x[0,i] ~ p0
sample a[t,·] ~ R(⊥(v̄[t-1,·]))
sample x[t,i] ~ q(· | x[t-1, a[t,i]]; φ)
lineage x̃ of x by a

define v̄[0,i] = 1/N
define v[t,i] = 1/N * (v̄[t-1, a[t,i]] / ⊥(v̄[t-1, a[t,i]]))
                * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define V[t]   = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z      = ∏[t=1..T] V[t]

# What they are in value: the particle filter (Algorithm 1, left).
define w[t,i] = 1/N * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]

notation
    )^T => )^\top

printed 26:
    \begin{aligned} \nabla_{\theta}^2 \log p_{\theta}(y_{1:T}) \approx & \quad (26) \\ & - \sum_{i=1}^N \sum_{j=1}^N \bar{w}_T^i \bar{w}_T^j \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^i, y_{1:T}) \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^j, y_{1:T})^T \\ & + \sum_{i=1}^N \bar{w}_T^i \left( \nabla_{\theta}^2 \log p_{\theta}(\tilde{x}_{1:T}^i, y_{1:T}) + \right. \\ & \quad \left. \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^i, y_{1:T}) \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^i, y_{1:T})^T \right), \end{aligned}

equation 26 in value:
    no claim: the gradient of an expectation, which is approximated
    ≈ -Σ[i=1..N](Σ[j=1..N](w̄[T,i] * w̄[T,j] * ∇θ log p(x̃[1:T,i], y[1:T]; θ) ⊗ ∇θ log p(x̃[1:T,j], y[1:T]; θ))) + Σ[i=1..N](w̄[T,i] * (∇²θ log p(x̃[1:T,i], y[1:T]; θ) + ∇θ log p(x̃[1:T,i], y[1:T]; θ) ⊗ ∇θ log p(x̃[1:T,i], y[1:T]; θ)))
    by construction: →(∇²θ log Z)      # AD twice through DPF
