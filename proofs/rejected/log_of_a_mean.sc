# must fail: refuted, line 15: in value
#
# The log of a mean of weights is not the mean of their logs (which is what the evidence lower bound
# averages).

count N
parameter θ
index i = 1..N
observed y
density p(x[i], y; θ), q(x[i])
sample x[i] ~ q

theorem log_of_the_mean_weight:
  log(1/N * Σ[i=1..N](p(x[i], y; θ) / q(x[i])))
    = 1/N * Σ[i=1..N] log(p(x[i], y; θ) / q(x[i]))
