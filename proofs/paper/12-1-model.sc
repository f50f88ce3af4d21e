# Section 12.1: the state space model.

printed 136:
    p_\theta(x_{0:T}, y_{1:T}) = p_\theta(x_0) \prod_{t=1}^T p_\theta(x_t|x_{t-1})p_\theta(y_t|x_t). \quad (136)

equation 136: a definition
