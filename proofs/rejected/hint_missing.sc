# must fail: hint, line 13: log_derivative
#
# What turns ∇p / p into ∇ log p is not named.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem dice_first_order:
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * f(x; θ)))
    = →(f(x; θ) * ∇θ p(x; θ) / ⊥(p(x; θ)) + p(x; θ) / ⊥(p(x; θ)) * ∇θ f(x; θ))    by product, stop
    = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)                                        by evaluate
