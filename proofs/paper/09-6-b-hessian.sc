# Section 9.6: the Hessian through DPF, Eq. 104–107, for a scalar θ.
#
# A superscript T behind a parenthesis transposes, which does nothing to a scalar.  For a vector the first product of
# Eq. 105 is of two columns: it has a meaning only as their outer product, which Eq. 106 and 107 write with the
# transpose, and the claim is then the same.  So 105 is read as an abbreviation; Eq. 106 has no such reading, since it
# is of the first order where the second stands, for a scalar too.

use "models/algorithm_1.sc"

notation
    \hat{Z}_{\text{DPF}} => Z
    )^T => )
    \log L_T^i ( => \log \left(\frac{p_\theta(\tilde{x}_{1:T}^i, y_{1:T})}{q_\phi(\tilde{x}_{1:T}^i)}\right) \cdot (
    L_T^i => \left(\frac{p_\theta(\tilde{x}_{1:T}^i, y_{1:T})}{q_\phi(\tilde{x}_{1:T}^i)}\right)
    L_T^j => \left(\frac{p_\theta(\tilde{x}_{1:T}^j, y_{1:T})}{q_\phi(\tilde{x}_{1:T}^j)}\right)

printed 104:
    \overrightarrow{\nabla_{\theta}^2 \log \hat{Z}_{\text{DPF}}} = \overrightarrow{\nabla_{\theta} \frac{\nabla_{\theta} \hat{Z}_{\text{DPF}}}{\hat{Z}_{\text{DPF}}}} = \overrightarrow{\nabla_{\theta} \left( \frac{\perp(\hat{Z}_{\text{DPF}})}{\hat{Z}_{\text{DPF}}} \sum_{i=1}^N \perp(\bar{v}_T^i) \frac{\nabla_{\theta} L_T^i}{\perp(L_T^i)} \right)} = \quad (104)

printed 105:
    - \overrightarrow{\nabla_{\theta} \log \hat{Z}_{\text{DPF}}} \sum_{i=1}^N \bar{w}_T^i \nabla_{\theta} \log L_T^i + \sum_{i=1}^N \bar{w}_T^i \overrightarrow{\frac{\nabla_{\theta}^2 L_T^i}{\perp(L_T^i)}} = \quad (105)

printed 106:
    - \sum_{i=1}^N \sum_{j=1}^N \bar{w}_T^i \bar{w}_T^j \nabla_{\theta} \log L_T^i (\nabla_{\theta} \log L_T^j)^T + \sum_{i=1}^N \bar{w}_T^i \overrightarrow{\left( \frac{L_T^i}{\perp(L_T^i)} (\nabla_{\theta} \log L_T^i)^T \right)} = \quad (106)

printed 107:
    - \sum_{i=1}^N \sum_{j=1}^N \bar{w}_T^i \bar{w}_T^j \nabla_{\theta} \log L_T^i (\nabla_{\theta} \log L_T^j)^T + \sum_{i=1}^N \bar{w}_T^i (\nabla_{\theta} \log L_T^i (\nabla_{\theta} \log L_T^i)^T + \nabla_{\theta}^2 \log L_T^i), \quad (107)

equation 104, 105, 106, 107 in value:
    →(∇²θ log Z)
    = →(∇θ(∇θ Z / Z))
    = →(∇θ(⊥(Z) / Z * Σ[i=1..N](⊥(v̄[T,i]) * ∇θ(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) / ⊥(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)))))
    = -→(∇θ log Z) * Σ[i=1..N](w̄[T,i] * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ))) + Σ[i=1..N](w̄[T,i] * →(∇²θ(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) / ⊥(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ))))
    = -Σ[i=1..N](Σ[j=1..N](w̄[T,i] * w̄[T,j] * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) * ∇θ log(p(x̃[1:T,j], y[1:T]; θ) / q(x̃[1:T,j]; φ)))) + Σ[i=1..N](w̄[T,i] * →((p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) / ⊥(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ))))
    = -Σ[i=1..N](Σ[j=1..N](w̄[T,i] * w̄[T,j] * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) * ∇θ log(p(x̃[1:T,j], y[1:T]; θ) / q(x̃[1:T,j]; φ)))) + Σ[i=1..N](w̄[T,i] * (∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) + ∇²θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ))))
    by construction: →(∇²θ log Z)      # AD twice through DPF
    read as: 105, θ is a scalar; of a vector the product of two gradients would be the outer one

corrected 106:
    -Σ[i=1..N](Σ[j=1..N](w̄[T,i] * w̄[T,j] * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) * ∇θ log(p(x̃[1:T,j], y[1:T]; θ) / q(x̃[1:T,j]; φ)))) + Σ[i=1..N](w̄[T,i] * →(∇θ((p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) / ⊥(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) * ∇θ log(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)))))
