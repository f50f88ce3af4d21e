# DiCE, p/⊥p · f, and the surrogate loss of REINFORCE: the same first derivative, different second ones
# (Eq. 6, 41-44).

parameter θ
variable x
density p(x; θ)
function f(x; θ)

define dice = p(x; θ) / ⊥(p(x; θ)) * f(x; θ)
define reinforce = f(x; θ) + ⊥(f(x; θ)) * log p(x; θ)

# Eq. 6.
lemma dice_first_order:
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * f(x; θ)))
    = →(f(x; θ) * ∇θ p(x; θ) / ⊥(p(x; θ)) + p(x; θ) / ⊥(p(x; θ)) * ∇θ f(x; θ))    by product, stop
    = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)                                        by evaluate, log_derivative

# It has the value of f, and its derivative is that of p f, divided by p: an unbiased estimator of ∇ ∫ p f.
theorem dice_has_the_value_of_f: dice =→ f(x; θ)      by definition, evaluate
theorem dice_is_the_derivative_of_the_integrand:
  →(∇θ dice)
    = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)           by definition, using dice_first_order
    = ∇θ (p(x; θ) * f(x; θ)) / p(x; θ)                by product, log_derivative

# For another function: a lemma about every f.
lemma dice_once for every F(x; θ):
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * F(x; θ))) = F(x; θ) * ∇θ log p(x; θ) + ∇θ F(x; θ)
theorem dice_of_a_square:
  →(∇θ (p(x; θ) / ⊥(p(x; θ)) * f(x; θ)^2))
    = f(x; θ)^2 * ∇θ log p(x; θ) + 2 * f(x; θ) * ∇θ f(x; θ)
      by using dice_once with F(x; θ) := f(x; θ)^2, power

lemma reinforce_first_order:
  →(∇θ reinforce)
    = →(∇θ f(x; θ) + ⊥(f(x; θ)) * ∇θ log p(x; θ))     by definition, sum, product, stop
    = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)           by evaluate
theorem same_first_derivative:
  →(∇θ dice) = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)      by definition, using dice_first_order
    = →(∇θ reinforce)                                     by using reinforce_first_order

# The second order: DiCE is again the second derivative of the integrand, divided by p.
theorem dice_second_order:
  →(∇²θ dice)
    = f(x; θ) * (∇²θ log p(x; θ) + (∇θ log p(x; θ))^2) + 2 * ∇θ f(x; θ) * ∇θ log p(x; θ) + ∇²θ f(x; θ)
    = ∇²θ (p(x; θ) * f(x; θ)) / p(x; θ)
theorem what_reinforce_lacks:
  →(∇²θ dice) - →(∇²θ reinforce)
    = f(x; θ) * (∇θ log p(x; θ))^2 + 2 * ∇θ f(x; θ) * ∇θ log p(x; θ)
refute same_second_derivative: →(∇²θ dice) = →(∇²θ reinforce)

# Every order at once: →∇ᴷ of DiCE is the K-th derivative of p f, divided by p.
count K
lemma order_by_order:
  ∇^K[θ](p(x; θ) / ⊥(p(x; θ)) * f(x; θ))
    = ∇^K[θ](p(x; θ) * f(x; θ)) / ⊥(p(x; θ))      by induction on K, order, using hypothesis, product, stop
theorem dice_of_every_order:
  →(∇^K[θ](p(x; θ) / ⊥(p(x; θ)) * f(x; θ)))
    = ∇^K[θ](p(x; θ) * f(x; θ)) / p(x; θ)         by using order_by_order, evaluate
