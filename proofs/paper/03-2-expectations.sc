# Section 3.2: expectations, through both filters of Algorithm 1.

use "models/algorithm_1.sc"

notation
    \hat{Z}_{\text{DPF}} => Z
    \bar{f}_\theta => \bar{f}
    x_T, y_T | x_{T-1}^i => x_T^i, y_T | x_{T-1}^i

printed 17:
    \lim_{N \rightarrow \infty} \sum_{i=1}^N \bar{w}_T^i f_\theta(\tilde{x}_{1:T}^i) = \mathbb{E}_{x \sim p_\theta(x_{1:T}|y_{1:T})} [f_\theta(x_{1:T})]. \quad (17)

equation 17: a limit in N

printed 18:
    \begin{aligned} \nabla_\theta \mathbb{E}_{x \sim p_\theta(x_{1:T}|y_{1:T})} [f_\theta(x_{1:T})] &\approx \nabla_\theta \sum_{i=1}^N \bar{w}_T^i f_\theta(\tilde{x}_{1:T}^i) = \\ &\sum_{i=1}^N \bar{w}_T^i \left( \nabla_\theta f_\theta(\tilde{x}_{1:T}^i) + \right. \\ &\left. (f_\theta(\tilde{x}_{1:T}^i) - \bar{f}_\theta) \nabla_\theta \log p_\theta(\tilde{x}_{1:T}^i, y_{1:T}) \right), \end{aligned} \quad (18)

equation 18 in value:
    no claim: the gradient of an expectation, which is approximated
    ≈ ∇θ Σ[i=1..N](w̄[T,i] * f(x̃[1:T,i]; θ))
    = Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log p(x̃[1:T,i], y[1:T]; θ)))
    by construction: ∇θ(Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ)))      # AD through DPF

corrected 18:
    ∇θ(Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ)))

printed 19:
    \begin{aligned} \bar{f}_\theta \sum_{t=1}^T \sum_{i=1}^N \nabla_\theta \log \bar{w}_{t-1}^i + \sum_{i=1}^N \bar{w}_T^i \left( \nabla_\theta f_\theta(\tilde{x}_{1:T}^i) + \right. \\ \left. (f_\theta(\tilde{x}_{1:T}^i) - \bar{f}_\theta) \nabla_\theta \log p_\theta(x_T, y_T | x_{T-1}^i) \right). \end{aligned} \quad (19)

equation 19 in value:
    f̄ * Σ[t=1..T](Σ[i=1..N](∇θ log w̄[t-1,i])) + Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log p(x[T,i], y[T] | x[T-1,i]; θ)))
    by construction: ∇θ(D * f̄)

corrected 19:
    f̄ * Σ[t=1..T](Σ[i=1..N](∇θ log w̄[t-1, a[t,i]])) + Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log p(x[T,i], y[T] | x[T-1, a[T,i]]; θ)))

printed 20:
    \nabla_\theta \mathbb{E}_{x_{1:T} \sim p_\theta(x_{1:T}|y_{1:T})} [Z f_\theta(x_{1:T})] \approx \nabla_\theta \hat{Z}_{\text{DPF}} \sum_{i=1}^N \bar{v}_T^i f_\theta(\tilde{x}_{1:T}^i) = \quad (20)

printed 21:
    \hat{Z} \sum_{i=1}^N \bar{w}_T^i (f_\theta(\tilde{x}_{1:T}^i) \nabla_\theta \log p_\theta(\tilde{x}_{1:T}^i, y_{1:T}) + \nabla_\theta f_\theta(\tilde{x}_{1:T}^i)). \quad (21)

equation 20, 21 in value:
    no claim: the gradient of an expectation, which is approximated
    ≈ ∇θ(Z * Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ)))
    = Ẑ * Σ[i=1..N](w̄[T,i] * (f(x̃[1:T,i]; θ) * ∇θ log p(x̃[1:T,i], y[1:T]; θ) + ∇θ f(x̃[1:T,i]; θ)))
    by construction: ∇θ(Z * Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ)))

printed 22:
    \begin{aligned} \nabla_\theta \mathbb{E}_{x_{1:T} \sim p_\theta(x_{1:T}|y_{1:T})} [Z f_\theta(x_{1:T})] &\approx \\ \hat{Z} \sum_{i=1}^N \bar{w}_T^i (\nabla_\theta f_\theta(\tilde{x}_{1:T}^i) + (f_\theta(\tilde{x}_{1:T}^i) - \bar{f}_\theta) \nabla_\theta \log w_T^i) &+ \\ \hat{Z} \bar{f}_\theta \sum_{t=1}^T \sum_{i=1}^N \nabla_\theta \log \bar{w}_{t-1}^i. \end{aligned} \quad (22)

equation 22 in value:
    no claim: the gradient of an expectation, which is approximated
    ≈ Ẑ * Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log w[T,i])) + Ẑ * f̄ * Σ[t=1..T](Σ[i=1..N](∇θ log w̄[t-1,i]))
    by construction: ∇θ(D * Ẑ * f̄)

corrected 22:
    Ẑ * Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log w[T,i])) + Ẑ * f̄ * Σ[t=1..T](Σ[i=1..N](∇θ log w̄[t-1, a[t,i]])) + f̄ * ∇θ Ẑ
