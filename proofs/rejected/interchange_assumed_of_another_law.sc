# must fail: condition, line 11: ∇ and ∫ may be exchanged in 𝔼[x ~ p(·; θ)](f(x; θ))
#
# The assumption is about the integral under q.

parameter θ
density p(x; θ), q(x; θ)
function f(x; θ)

assume interchange 𝔼[x ~ q(·; θ)](f(x; θ))

theorem under_p:
  ∇θ 𝔼[x ~ p(·; θ)](f(x; θ)) = 𝔼[x ~ p(·; θ)](∇θ f(x; θ) + f(x; θ) * ∇θ log p(x; θ))     by expect_score
