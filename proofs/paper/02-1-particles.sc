# Section 2.1: the particle approximation of the score.

printed 1:
    \nabla_{\theta} \log p_{\theta}(y_{1:T}) \approx \sum_{i=1}^N \bar{w}_T^i \nabla_{\theta} \log p_{\theta}(\tilde{x}_{1:T}^i, y_{1:T}), \quad (1)

equation 1: an approximation
