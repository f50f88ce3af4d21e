# must fail: refuted, line 10: in value
#
# The mean over the offspring is unbiased for the weighted mean over the parents, and not for the plain one.

use "@dpf"
function g(x)

theorem unweighted_parents for every t:
  𝔼[· | t-1](1/N * Σ[i=1..N](g(x[t-1, a[t,i]])))
    = 1/N * Σ[j=1..N](g(x[t-1,j]))
