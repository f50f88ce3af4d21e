# must fail: condition, line 10: ∇ and ∫ may be exchanged in 𝔼[x ~ p(·; θ)](f(x; θ))
#
# ∇ goes into an integral under conditions on the integrand, which have to be said: `assume interchange`
# names them.

parameter θ
density p(x; θ)
function f(x; θ)

theorem score_function_estimator:
  ∇θ 𝔼[x ~ p(·; θ)](f(x; θ)) = 𝔼[x ~ p(·; θ)](∇θ f(x; θ) + f(x; θ) * ∇θ log p(x; θ))     by expect_score
