# must fail: refuted, line 10: in value
#
# The weights of step t depend on the particles of step t; only those of t - 1 are known at t - 1.

use "@dpf"
function g(x)

theorem weights_taken_out for every t, i:
  𝔼[· | t-1](w̄[t,i] * g(x[t,i]))
    = w̄[t,i] * 𝔼[· | t-1](g(x[t,i]))
