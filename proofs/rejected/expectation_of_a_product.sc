# must fail: refuted, line 11: in value
#
# Two functions of the same draw are not independent.

parameter θ
density p(x; θ)
function f(x), g(x)

theorem expectation_of_a_product:
  𝔼[x ~ p(·; θ)](f(x) * g(x))
    = 𝔼[x ~ p(·; θ)](f(x)) * 𝔼[x ~ p(·; θ)](g(x))
