# must fail: parse, line 11: there is no rule leibniz_rule
#
# A name that stands for no rule is refused, and not passed over.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem product_rule:
  ∇θ (f(x; θ) * p(x; θ)) = f(x; θ) * ∇θ p(x; θ) + p(x; θ) * ∇θ f(x; θ)     by leibniz rule
