# Algorithm 1: the particle filter and the differentiable one.
#
# As printed the weights at time t have those after resampling at time t-1, and the ancestors of time t-1 with them.
# There u, ū, ũ, U, Y are v, v̄, ṽ, V, Ẑ as printed; what ṽ is at time 0 is not printed, and taken to be 1/N.

use "models/algorithm_1.sc"

define ũ[0,i] = 1/N
define ũ[t,i] = 1/N * (ū[t-1, a[t,i]] / ⊥(ū[t-1, a[t,i]]))
define u[t,i] = ũ[t-1,i] * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)
define U[t]   = Σ[i=1..N] u[t,i]
define ū[0,i] = 1/N
define ū[t,i] = u[t,i] / U[t]
define Y      = ∏[t=1..T] U[t]

printed Algorithm 1:
    **function** PF( $p, q, N, T$ )
    $x_0^i \sim p(x_0)$
    $w_0^i = \bar{w}_0^i = \frac{1}{N}$
    for  $t \in 1 : T$  do
    if resampling condition then
    $a_t^{1:N} \sim R(\bar{w}_{t-1}^{1:N})$
    $\tilde{w}_t^i = \frac{1}{N}$
    else
    $a_t^i = i$
    $\tilde{w}_t^i = \bar{w}_{t-1}^i$
    $x_t^i \sim q_\phi(x_t | x_{t-1}^{a_t^i})$
    $w_t^i = \tilde{w}_{t-1}^i \frac{p_\theta(x_t^i, y_t | x_{t-1}^{a_t^i})}{q_\phi(x_t^i | x_{t-1}^{a_t^i})}$
    $W_t = \sum_{i=1}^N w_t^i$
    $\bar{w}_t^i = w_t^i / W_t$
    $\hat{Z}_{\text{PF}} = \prod_{t=1}^T W_t$
    **function** DPF( $p, q, N, T$ )
    $x_0^i \sim p(x_0)$
    $v_0^i = \bar{v}_0^i = \frac{1}{N}$
    for  $t \in 1 : T$  do
    if resampling condition then
    $a_t^{1:N} \sim R(\perp(\bar{v}_{t-1}^{1:N}))$
    $\tilde{v}_t^i = \frac{1}{N} \frac{\bar{v}_{t-1}^{a_t^i}}{\perp(\bar{v}_{t-1}^{a_t^i})}$
    else
    $a_t^i = i$
    $\tilde{v}_t^i = \bar{v}_{t-1}^i$
    $x_t^i \sim q_\phi(x_t | x_{t-1}^{a_t^i})$
    $v_t^i = \tilde{v}_{t-1}^i \frac{p_\theta(x_t^i, y_t | x_{t-1}^{a_t^i})}{q_\phi(x_t^i | x_{t-1}^{a_t^i})}$
    $V_t = \sum_{i=1}^N v_t^i$
    $\bar{v}_t^i = v_t^i / V_t$
    $\hat{Z}_{\text{DPF}} = \prod_{t=1}^T V_t$

equation Algorithm 1 in value:
    used in: ∇θ log Y =→ Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))

corrected Algorithm 1:
    used in: ∇θ log Z =→ Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))
