# must fail: term, line 11: in the law that is sampled
#
# With the law stopped, ∇ would go through 𝔼 as if the law were free of θ: the score-function term is lost
# by notation.

parameter θ
density p(x; θ)
function f(x; θ)

theorem gradient_under_a_stopped_law:
  ∇θ 𝔼[x ~ p(·; ⊥(θ))](f(x; θ)) = 𝔼[x ~ p(·; ⊥(θ))](∇θ f(x; θ))
