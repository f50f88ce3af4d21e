# Section 9.3: expectations through DPF, Eq. 71–78.
#
# L is the importance weight along the lineage of a particle.  A superscript i on Ẑ is a power: Ẑ has no index.

use "models/algorithm_1.sc"

notation
    \hat{Z}_{\text{DPF}} => Z
    \hat{Z}_{\text{DPPF}} => Z
    \bar{f}_\theta => \bar{f}
    L_T^i => \left(\frac{p_\theta(\tilde{x}_{1:T}^i, y_{1:T})}{q_\phi(\tilde{x}_{1:T}^i)}\right)

printed 71:
    \nabla_\theta \mathbb{E}_{x \sim p_\theta(x_{1:T}|y_{1:T})} [f_\theta(x_{1:T})] \approx \nabla_\theta \sum_{i=1}^N \bar{v}_T^i f_\theta(\tilde{x}_{1:T}^i) = \quad (71)

printed 72:
    \nabla_\theta \sum_{i=1}^N \perp (\bar{v}_T^i) \frac{L_T^i}{\perp (L_T^i)} \frac{\perp (\hat{Z}_{\text{DPF}}^i)}{\hat{Z}_{\text{DPF}}} f_\theta(\tilde{x}_{1:T}^i) = \quad (72)

printed 73:
    \sum_{i=1}^N \bar{w}_T^i (f_\theta(\tilde{x}_{1:T}^i) \nabla_\theta \log L_T^i + \nabla_\theta f_\theta(\tilde{x}_{1:T}^i)) - \bar{f}_\theta \nabla_\theta \log \hat{Z}_{\text{DPF}} = \quad (73)

printed 74:
    \sum_{i=1}^N \bar{w}_T^i \left( (f_\theta(\tilde{x}_{1:T}^i) - \bar{f}_\theta) \nabla_\theta \log p_\theta(\tilde{x}_{1:T}^i, y_{1:T}) + \nabla_\theta f_\theta(\tilde{x}_{1:T}^i) \right). \quad (74)

equation 71, 72, 73, 74 in value:
    no claim: the gradient of an expectation, which is approximated
    ≈ ∇θ Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ))
    = ∇θ Σ[i=1..N](⊥(v̄[T,i]) * (p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) / ⊥(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) * ⊥(Z^i) / Z * f(x̃[1:T,i]; θ))
    = Σ[i=1..N](w̄[T,i] * (f(x̃[1:T,i]; θ) * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) + ∇θ f(x̃[1:T,i]; θ))) - f̄ * ∇θ log Z
    = Σ[i=1..N](w̄[T,i] * ((f(x̃[1:T,i]; θ) - f̄) * ∇θ log p(x̃[1:T,i], y[1:T]; θ) + ∇θ f(x̃[1:T,i]; θ)))
    by construction: ∇θ(Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ)))      # AD through DPF

corrected 72:
    ∇θ(Σ[i=1..N](⊥(v̄[T,i]) * (p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) / ⊥(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) * ⊥(Z) / Z * f(x̃[1:T,i]; θ)))

printed 75:
    \nabla_{\theta} \mathbb{E}_{x_{1:T} \sim p_{\theta}(x_{1:T}|y_{1:T})} [Z f_{\theta}(x_{1:T})] \approx \nabla_{\theta} \hat{Z}_{\text{DPPF}} \sum_{i=1}^N \bar{w}_T^i f_{\theta}(\tilde{x}_{1:T}^i) = \quad (75)

printed 76:
    \nabla_{\theta} \hat{Z}_{\text{DPPF}} \sum_{i=1}^N \perp(\bar{v}_T^i) \frac{L_T^i}{\perp(L_T^i)} \frac{\perp(\hat{Z}_{\text{DPPF}})}{\hat{Z}_{\text{DPPF}}} f_{\theta}(\tilde{x}_{1:T}^i) = \quad (76)

printed 77:
    \hat{Z} \sum_{i=1}^N \bar{w}_T^i (f_{\theta}(\tilde{x}_{1:T}^i) \nabla_{\theta} \log L_T^i + \nabla_{\theta} f_{\theta}(\tilde{x}_{1:T}^i)) = \quad (77)

printed 78:
    \hat{Z} \sum_{i=1}^N \bar{w}_T^i (f_{\theta}(\tilde{x}_{1:T}^i) \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^i, y_{1:T}) + \nabla_{\theta} f_{\theta}(\tilde{x}_{1:T}^i)). \quad (78)

equation 75, 76, 77, 78 in value:
    no claim: the gradient of an expectation, which is approximated
    ≈ ∇θ(Z * Σ[i=1..N](w̄[T,i] * f(x̃[1:T,i]; θ)))
    = ∇θ(Z * Σ[i=1..N](⊥(v̄[T,i]) * (p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) / ⊥(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) * ⊥(Z) / Z * f(x̃[1:T,i]; θ)))
    = Ẑ * Σ[i=1..N](w̄[T,i] * (f(x̃[1:T,i]; θ) * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) + ∇θ f(x̃[1:T,i]; θ)))
    = Ẑ * Σ[i=1..N](w̄[T,i] * (f(x̃[1:T,i]; θ) * ∇θ log p(x̃[1:T,i], y[1:T]; θ) + ∇θ f(x̃[1:T,i]; θ)))
    by construction: ∇θ(Z * Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ)))

corrected 75:
    ∇θ(Z * Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ)))
