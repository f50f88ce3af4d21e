# must fail: refuted, line 11: in value
#
# Particles are drawn from the proposal; the weights make up for that, and their mean must not leave them
# out.

use "@dpf"
function g(x)

theorem unweighted_draw for every t:
  𝔼[· | t-1](Σ[i=1..N](w̄[t,i] * g(x[t,i])))
    = 1/N * Σ[i=1..N](𝔼[· | t-1](g(x[t,i])))
