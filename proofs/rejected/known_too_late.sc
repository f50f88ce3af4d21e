# must fail: refuted, line 10: in value
#
# What is drawn at t is not known at t - 1, and may not be taken out of 𝔼[· | t-1].

use "@dpf"
function g(x)

theorem taken_out_too_early for every t:
  𝔼[· | t-1](Σ[i=1..N](w̄[t,i] * g(x[t,i])))
    = Σ[i=1..N](w̄[t,i] * g(x[t,i]))
