# must fail: refuted, line 10: in value
#
# Resampling has spent the weights: the offspring weigh 1/N each. Weighting them again is biased.

use "@dpf"
function g(x)

theorem weighted_offspring for every t:
  𝔼[· | t-1](Σ[i=1..N](w̄[t-1, a[t,i]] * g(x[t-1, a[t,i]])))
    = Σ[j=1..N](w̄[t-1,j] * g(x[t-1,j]))
