# The differentiable particle filter (Algorithm 1): its closed forms, Eq. 55-60, and what automatic
# differentiation makes of it, Eq. 13 and 26, for symbolic N and T.

use "../surrogate_calculus/estimators/dpf.sc"

# Eq. 55.
theorem weight_of_a_step for every t, i:
  v[t,i]
    = w[t,i] * v̄[t-1, a[t,i]] / ⊥(v̄[t-1, a[t,i]])      by definition of v, definition of w

# Eq. 60, an equality of surrogates, from which everything else follows.
theorem surrogate_form_of_the_likelihood:
  Z = ⊥(Z) * Σ[i=1..N](⊥(v̄[T,i]) * (p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) / ⊥((p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ))))

# Without one of its ⊥ it is false.
refute surrogate_form_with_live_weights:
  Z = ⊥(Z) * Σ[i=1..N](v̄[T,i] * (p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ)) / ⊥((p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ))))

# The filter in value.
theorem likelihood_in_value: Z =→ Ẑ
theorem weights_in_value for every i: v̄[T,i] =→ w̄[T,i]

# Eq. 13: the score, by Fisher's identity.
theorem score:
  →(∇θ log Z)
    = Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))

# Eq. 26: the Hessian, by Louis' identity.
theorem hessian:
  →(∇²θ log Z)
    = Σ[i=1..N](w̄[T,i] * (∇²θ log p(x̃[1:T,i], y[1:T]; θ) + (∇θ log p(x̃[1:T,i], y[1:T]; θ))^2))
      - Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))^2

# Eq. 18 and 20-21.
theorem posterior_expectation:
  →(∇θ Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ)))
    = Σ[i=1..N](w̄[T,i] * (∇θ f(x̃[1:T,i]; θ) + (f(x̃[1:T,i]; θ) - f̄) * ∇θ log p(x̃[1:T,i], y[1:T]; θ)))
theorem unnormalised_posterior:
  →(∇θ(Z * Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ))))
    = Ẑ * Σ[i=1..N](w̄[T,i] * (f(x̃[1:T,i]; θ) * ∇θ log p(x̃[1:T,i], y[1:T]; θ) + ∇θ f(x̃[1:T,i]; θ)))
