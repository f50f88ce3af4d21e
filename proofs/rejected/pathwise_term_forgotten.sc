# must fail: refuted, line 13: in value
#
# The reward depends on θ too; the score-function term alone is not the gradient.

parameter θ
density p(x; θ)
function f(x; θ)

assume interchange 𝔼[x ~ p(·; θ)](f(x; θ))

theorem gradient_of_the_law_only:
  ∇θ 𝔼[x ~ p(·; θ)](f(x; θ))
    = 𝔼[x ~ p(·; θ)](f(x; θ) * ∇θ log p(x; θ))
