# Algorithm 2: the marginal particle filter and the differentiable one.
#
# As printed nothing is stopped in DPF2, whose weights are then those of PF2.  The a_i in the law of the particles,
# which is j, has no influence on what is differentiated.

use "models/algorithm_2.sc"

printed Algorithm 2:
    **function** PF2( $p, q, N, T$ )
    $$x_0^i \sim p(x_0)$$
    $$w_0^i = \bar{w}_0^i = \frac{1}{N}$$
    **for**  $t \in 1 : T$  **do**
    $$x_t^i \sim \sum_{j=1}^N \bar{v}_{t-1}^j q_\phi(x_t | x_{t-1}^{a_i}, y_t)$$
    $$w_t^n = \frac{1}{N} \frac{\sum_{i=1}^N \bar{w}_{t-1}^i p_\theta(x_t^n, y_t | x_{t-1}^i)}{\sum_{i=1}^N \bar{w}_{t-1}^i q_\phi(x_t^n | x_{t-1}^i, y_t)}$$
    $$W_t = \sum_{i=1}^N w_t^i$$
    $$\bar{w}_t^i = w_t^i / W_t$$
    $$\hat{Z}_{\text{PF2}} = \prod_{t=1}^T W_t$$
    **function** DPF2( $p, q, N, T$ )
    $$x_0^i \sim p(x_0)$$
    $$v_0^i = \bar{v}_0^i = \frac{1}{N}$$
    **for**  $t \in 1 : T$  **do**
    $$x_t^i \sim \sum_{j=1}^N \left( \bar{v}_{t-1}^j \right) q_\phi(x_t | x_{t-1}^{a_i}, y_t)$$
    $$v_t^n = \frac{1}{N} \frac{\sum_{i=1}^N \bar{v}_{t-1}^i p_\theta(x_t^n, y_t | x_{t-1}^i)}{\sum_{i=1}^N \bar{v}_{t-1}^i q_\phi(x_t^n | x_{t-1}^i, y_t)}$$
    $$V_t = \sum_{i=1}^N v_t^i$$
    $$\bar{v}_t^i = v_t^i / V_t$$
    $$\hat{Z}_{\text{DPF2}} = \prod_{t=1}^T V_t$$

equation Algorithm 2 in value:
    used in: ∇θ log Ẑ =→ Σ[i=1..N](w̄[T,i] * α[T,i])

corrected Algorithm 2:
    used in: ∇θ log Z =→ Σ[i=1..N](w̄[T,i] * α[T,i])
