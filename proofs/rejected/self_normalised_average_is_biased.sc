# must fail: refuted, line 10: in value
#
# A self-normalised average is a ratio of estimates; its mean is not the ratio of their means.

use "@dpf"
function g(x)

theorem mean_of_a_ratio for every t:
  𝔼[· | t-1](Σ[i=1..N](w̄[t,i] * g(x[t,i])))
    = 𝔼[· | t-1](Σ[i=1..N](w[t,i] * g(x[t,i]))) / 𝔼[· | t-1](W[t])
