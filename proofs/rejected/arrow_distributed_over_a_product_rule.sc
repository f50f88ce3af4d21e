# must fail: refuted, line 13: in value
#
# → goes through sums, products and functions, and not through the ∇ that the product rule leaves behind.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem arrow_distributed:
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * f(x; θ)))
    = →(f(x; θ) * ∇θ (p(x; θ) / ⊥(p(x; θ))) + p(x; θ) / ⊥(p(x; θ)) * ∇θ f(x; θ))     by product
    = f(x; θ) * ∇θ →(p(x; θ) / ⊥(p(x; θ))) + ∇θ f(x; θ)
