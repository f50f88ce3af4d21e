# Sections 4.1 and 9.4: a proposal with parameters of its own, reparameterised.
#
# The lineage h̃(ε̃) of the paper is x̃, for its particles are functions of the noise; the derivatives are total.

count N, T
parameter θ, φ
index i, j = 1..N;  index t = 1..T
observed y[t]
density p(x[t], y[t] | x[t-1]; θ), q(x[t] | x[t-1]; φ), p0(x0), n(ε)
resampling R
function h(ε, x; φ)

sample x0[i] ~ p0
define x[0,i] = x0[i]
sample a[t,·] ~ R(⊥(v̄[t-1,·]))
sample ε[t,i] ~ n
define x[t,i] = h(ε[t,i], x[t-1, a[t,i]]; φ)
lineage x̃ of x by a

define v̄[0,i] = 1/N
define v[t,i] = 1/N * (v̄[t-1, a[t,i]] / ⊥(v̄[t-1, a[t,i]]))
                * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define V[t]   = Σ[i=1..N] v[t,i]
define v̄[t,i] = v[t,i] / V[t]
define Z      = ∏[t=1..T] V[t]

# What they are in value.
define w[t,i] = 1/N * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define W[t]   = Σ[i=1..N] w[t,i]
define w̄[t,i] = w[t,i] / W[t]

notation
    \hat{Z}_{\text{DPF}} => Z
    \hat{Z}_{\text{DPPF}} => Z
    \tilde{h}_{\phi}(\tilde{\epsilon}_{1:T}^i) => \tilde{x}_{1:T}^i
    L_T^i => \left(\frac{p_\theta(\tilde{x}_{1:T}^i, y_{1:T})}{q_\phi(\tilde{x}_{1:T}^i)}\right)

printed 23:
    \nabla_\phi \log \hat{Z}_{\text{DPF}} = \sum_{i=1}^N \bar{w}_T^i \nabla_\phi \log \frac{p_\theta(\tilde{h}_\phi(\tilde{\epsilon}_{1:T}^i), y_{1:T})}{q_\phi(\tilde{h}_\phi(\tilde{\epsilon}_{1:T}^i))}. \quad (23)

equation 23 in value:
    ∇φ log Z
    = Σ[i=1..N](w̄[T,i] * ∇φ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)))

printed 87:
    \frac{\overrightarrow{\nabla_{\phi} \log \hat{Z}_{\text{DPPF}}}}{\hat{Z}_{\text{DPPF}}} = \frac{\overrightarrow{\nabla_{\phi} \hat{Z}_{\text{DPPF}}}}{\hat{Z}_{\text{DPPF}}} = \sum_{i=1}^N \frac{\overrightarrow{\bar{v}_T^i}}{\bar{v}_T^i} \nabla_{\phi} \log L_T^i = \sum_{i=1}^N \bar{w}_T^i \nabla_{\phi} \log \frac{p_{\theta}(\tilde{h}_{\phi}(\tilde{\epsilon}_{1:T}^i), y_{1:T})}{q_{\phi}(\tilde{h}_{\phi}(\tilde{\epsilon}_{1:T}^i))}. \quad (87)

equation 87 in value:
    →(∇φ log Z) / Z
    = →(∇φ Z) / Z
    = Σ[i=1..N](→(v̄[T,i]) / v̄[T,i] * ∇φ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)))
    = Σ[i=1..N](w̄[T,i] * ∇φ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)))
    by construction: →(∇φ log Z)      # AD through DPF

corrected 87:
    →(∇φ Z) / Z
    = Σ[i=1..N](→(v̄[T,i]) * ∇φ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)))
