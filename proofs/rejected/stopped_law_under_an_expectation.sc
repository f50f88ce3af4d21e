# must fail: term, line 11: in the law that is sampled
#
# A statement of an algorithm may stop the law that it draws from. Under 𝔼 the law is part of a formula, and
# ⊥ is none.

parameter θ
density p(x; θ)
function f(x; θ)

theorem same_expectation:
  𝔼[x ~ p(·; ⊥(θ))](f(x; θ)) = 𝔼[x ~ p(·; θ)](f(x; θ))
