# must fail: condition, line 13: ∇ and ∫ may be exchanged in 𝔼[x ~ p(·; θ)](f(x; θ))
#
# Exchanging ∇ and ∫ for g says nothing of the integral of f.

parameter θ
density p(x; θ)
function f(x; θ), g(x; θ)

assume interchange 𝔼[x ~ p(·; θ)](g(x; θ))

theorem of_g:
  ∇θ 𝔼[x ~ p(·; θ)](g(x; θ)) = 𝔼[x ~ p(·; θ)](∇θ g(x; θ) + g(x; θ) * ∇θ log p(x; θ))     by expect_score
theorem of_f:
  ∇θ 𝔼[x ~ p(·; θ)](f(x; θ)) = 𝔼[x ~ p(·; θ)](∇θ f(x; θ) + f(x; θ) * ∇θ log p(x; θ))     by expect_score
