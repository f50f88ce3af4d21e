# must fail: refuted, line 10: in value
#
# A particle and a function of the same particle are not independent, whatever is known.

use "@dpf"
function g(x), h(x)

theorem product_of_means for every t, i:
  𝔼[· | t-1](g(x[t,i]) * h(x[t,i]))
    = 𝔼[· | t-1](g(x[t,i])) * 𝔼[· | t-1](h(x[t,i]))
