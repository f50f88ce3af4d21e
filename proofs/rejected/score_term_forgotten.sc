# must fail: refuted, line 13: in value
#
# The law depends on θ; moving ∇ inside the 𝔼 leaves out f ∇ log p.

parameter θ
density p(x; θ)
function f(x; θ)

assume interchange 𝔼[x ~ p(·; θ)](f(x; θ))

theorem gradient_moved_inside:
  ∇θ 𝔼[x ~ p(·; θ)](f(x; θ))
    = 𝔼[x ~ p(·; θ)](∇θ f(x; θ))
