# must fail: refuted, line 13: in value
#
# The gradient of a product has a term for each factor.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem product_rule:
  ∇θ (f(x; θ) * p(x; θ)) = f(x; θ) * ∇θ p(x; θ) + p(x; θ) * ∇θ f(x; θ)      by product
theorem product_rule_with_a_term_missing:
  ∇θ (f(x; θ) * p(x; θ)) = f(x; θ) * ∇θ p(x; θ)      by product
