# must fail: refuted, line 10: in value
#
# Of two nested conditional expectations the earlier time remains, and not the later one.

use "@dpf"
function g(x)

theorem tower for every t:
  𝔼[· | t-1](𝔼[· | t](Σ[i=1..N] g(x[T,i])))
    = 𝔼[· | t](Σ[i=1..N] g(x[T,i]))
