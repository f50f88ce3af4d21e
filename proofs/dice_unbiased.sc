# DiCE's derivatives are unbiased at every order; those of a surrogate loss at the first only.

count K
parameter θ
variable x
density p(x; θ)
function f(x; θ)

# →∇ᴷ of DiCE is the K-th derivative of p f, divided by p.
lemma order_by_order for every x:
  ∇^K[θ](p(x; θ) / ⊥(p(x; θ)) * f(x; θ))
    = ∇^K[θ](p(x; θ) * f(x; θ)) / ⊥(p(x; θ))      by induction on K, order, using hypothesis, product, stop
lemma dice_of_every_order for every x:
  →(∇^K[θ](p(x; θ) / ⊥(p(x; θ)) * f(x; θ)))
    = ∇^K[θ](p(x; θ) * f(x; θ)) / p(x; θ)         by using order_by_order, evaluate

# Its expectation is the K-th derivative of 𝔼, by induction on the order.
assume interchange
lemma integral_base:
  𝔼[x ~ p(·; θ)](∇^(0)[θ](p(x; θ) * f(x; θ)) / p(x; θ)) = ∇^(0)[θ](𝔼[x ~ p(·; θ)](f(x; θ)))     by order
lemma integral_of_every_order by induction on K from integral_base:
  𝔼[x ~ p(·; θ)](∇^K[θ](p(x; θ) * f(x; θ)) / p(x; θ))
    = 𝔼[x ~ p(·; θ)](∇θ ∇^(K-1)[θ](p(x; θ) * f(x; θ)) / p(x; θ))     by order
    = ∇θ 𝔼[x ~ p(·; θ)](∇^(K-1)[θ](p(x; θ) * f(x; θ)) / p(x; θ))
      by score, product, power, log_derivative, expectation
    = ∇θ ∇^(K-1)[θ](𝔼[x ~ p(·; θ)](f(x; θ)))     by using hypothesis
    = ∇^K[θ](𝔼[x ~ p(·; θ)](f(x; θ)))     by order
theorem dice_is_unbiased_at_every_order:
  𝔼[x ~ p(·; θ)](→(∇^K[θ](p(x; θ) / ⊥(p(x; θ)) * f(x; θ))))
    = 𝔼[x ~ p(·; θ)](∇^K[θ](p(x; θ) * f(x; θ)) / p(x; θ))     by using dice_of_every_order
    = ∇^K[θ](𝔼[x ~ p(·; θ)](f(x; θ)))     by using integral_of_every_order

# The surrogate loss is so at the first order only.
theorem reinforce_is_unbiased_at_the_first_order:
  𝔼[x ~ p(·; θ)](→(∇θ (f(x; θ) + ⊥(f(x; θ)) * log p(x; θ))))
    = 𝔼[x ~ p(·; θ)](f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ))     by sum, product, stop, evaluate
    = ∇θ 𝔼[x ~ p(·; θ)](f(x; θ))     by score, expectation
refute reinforce_is_unbiased_at_the_second_order:
  𝔼[x ~ p(·; θ)](→(∇²θ (f(x; θ) + ⊥(f(x; θ)) * log p(x; θ)))) = ∇²θ 𝔼[x ~ p(·; θ)](f(x; θ))
