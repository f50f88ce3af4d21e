# must fail: term, line 11: an expectation is not defined where ⊥ stands outside every →
#
# An integral of an expression with a ⊥ outside every → has no meaning: the stopped copy of θ is no number
# yet.

parameter θ
density p(x; θ)
function f(x; θ)

theorem dice_is_unbiased:
  ∇θ 𝔼[x ~ p(·; θ)](p(x; θ) / ⊥(p(x; θ)) * f(x; θ)) = ∇θ 𝔼[x ~ p(·; θ)](f(x; θ))
