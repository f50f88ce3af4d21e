# must fail: refuted, line 12: in value
#
# The gradient of a log-softmax subtracts the mean of the gradients.

count N
parameter θ
index i, j = 1..N
function s(k; θ)

theorem log_softmax for every i:
  ∇θ log(exp(s(i; θ)) / Σ[j=1..N] exp(s(j; θ)))
    = ∇θ s(i; θ)
