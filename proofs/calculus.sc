# The calculus (Eq. 2-5, and 27-30, 140-143 of the appendix), at instances with opaque functions,
# and the tutorial of the paper, Eq. 31-42.

parameter θ, x
variable y
density p(y; θ)
function f(y; θ), g(y; θ), h(a, b)

# The four rules. -----------------------------------------------------------------------------

# Eq. 2: → goes through any fixed function.
theorem evaluation_of_a_function:
  →(h(f(y; θ), ⊥(g(y; θ)))) = h(→(f(y; θ)), →(⊥(g(y; θ))))      by evaluate

# Eq. 3.
theorem evaluation_of_a_stopped_term: →(⊥(f(y; θ))) = →(f(y; θ))     by evaluate

# Eq. 4.
theorem gradient_of_a_stopped_term: ∇θ ⊥(f(y; θ)) = 0     by stop

# Eq. 5.
theorem evaluation_without_a_stop: →(∇θ f(y; θ)) = ∇θ f(y; θ)     by evaluate

# What the paper uses without naming it. ------------------------------------------------------

# Eq. 141 as it ought to read: ⊥(→E) = ⊥E.
theorem stopping_an_evaluated_term:
  ⊥(→(f(y; θ) / ⊥(g(y; θ)))) = ⊥(f(y; θ) / ⊥(g(y; θ)))     by evaluate

# Equal values: whatever is of value 1 may be left out of a value, and under ⊥.
theorem a_correction_has_value_one: p(y; θ) / ⊥(p(y; θ)) * f(y; θ) =→ f(y; θ)      by evaluate
theorem equal_values_stopped:
  ⊥(p(y; θ) / ⊥(p(y; θ)) * f(y; θ)) = ⊥(f(y; θ))     by evaluate

# But not out of a derivative: → and ∇ do not commute, and equal values do not give equal gradients.
refute arrow_and_gradient_commute:
  →(∇θ (p(y; θ) / ⊥(p(y; θ)))) = ∇θ →(p(y; θ) / ⊥(p(y; θ)))
refute equal_values_are_equal: p(y; θ) / ⊥(p(y; θ)) * f(y; θ) = f(y; θ)
refute equal_values_have_equal_gradients:
  →(∇θ (p(y; θ) / ⊥(p(y; θ)) * f(y; θ))) = →(∇θ f(y; θ))

# The tutorial. -------------------------------------------------------------------------------

# Eq. 31-32.
theorem gradient_of_an_evaluated_term:
  ∇x →(x + ⊥(x)^2 + x*⊥(x)^2)
    = ∇x (x + x^2 + x^3)        by evaluate
    = 1 + 2*x + 3*x^2           by sum, power

# Eq. 33-34.
theorem evaluated_gradient:
  →(∇x (x + ⊥(x)^2 + x*⊥(x)^2))
    = →(1 + ⊥(x)^2)             by sum, product, stop
    = 1 + x^2                   by evaluate

# Eq. 35-40.
theorem nested_gradients:
  ∇x →(∇x exp(⊥(x) + log x))
    = ∇x →(exp(⊥(x) + log x) / x)                                   by chain, sum, stop
    = ∇x (exp(x + log x) / x)                                       by evaluate
    = exp(x + log x) * (1 + 1/x) / x - exp(x + log x) / x^2         by quotient, chain, sum
    = exp(x + log x) / x                                            by arithmetic

# It is about x > 0.
assume x > 0

# Eq. 41 and 42, for every positive E; the last sides of the paper lack their ∇.
theorem score_of_a_ratio for every E(y; θ) > 0:
  →(∇θ (E(y; θ) / ⊥(E(y; θ))))
    = →(∇θ E(y; θ) / ⊥(E(y; θ)))            by product, stop
    = ∇θ E(y; θ) / E(y; θ)                  by evaluate
    = ∇θ log E(y; θ)                        by log_derivative
theorem score_of_an_inverse_ratio for every E(y; θ) > 0:
  →(∇θ (⊥(E(y; θ)) / E(y; θ)))
    = →(-⊥(E(y; θ)) * ∇θ E(y; θ) / E(y; θ)^2)   by product, power, stop
    = -∇θ E(y; θ) / E(y; θ)                     by evaluate
    = -∇θ log E(y; θ)                           by log_derivative
refute score_of_a_ratio_as_printed: →(∇θ (p(y; θ) / ⊥(p(y; θ)))) = log p(y; θ)
