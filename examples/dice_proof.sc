parameter θ
variable x
density p(x; θ)

theorem dice_first_order for every f(x; θ):
  →(∇θ (p(x;θ) / ⊥(p(x;θ)) * f(x;θ)))
    = →(f(x;θ) * ∇θ p(x;θ) / ⊥(p(x;θ)) + p(x;θ) / ⊥(p(x;θ)) * ∇θ f(x;θ))    by product, stop
    = f(x;θ) * ∇θ log p(x;θ) + ∇θ f(x;θ)                                      by evaluate, log_derivative

theorem of_a_square for every g(x; θ):
  →(∇θ (p(x;θ) / ⊥(p(x;θ)) * g(x;θ)^2)) = g(x;θ)^2 * ∇θ log p(x;θ) + 2 * g(x;θ) * ∇θ g(x;θ)
      by using dice_first_order with f(x; θ) := g(x; θ)^2, power

refute equal_values_have_equal_gradients:
  →(∇θ (p(x;θ) / ⊥(p(x;θ)))) = ∇θ →(p(x;θ) / ⊥(p(x;θ)))
