# must fail: refuted, line 9: in value
#
# Without resampling the weight of a step multiplies that of the step before.

use "@sis"

theorem weight_of_a_step for every t, i:
  w[t,i]
    = 1/N * p(x[t,i], y[t] | x[t-1,i]; θ) / q(x[t,i] | x[t-1,i]; φ)
