# DiCE: one random variable, drawn from a law that depends on the parameter.
#
# Its value is f.  Differentiated k times, it estimates the k-th derivative of the expectation of f.

parameter θ
density p(x; θ)
function f(x; θ)

sample x ~ p(·; θ)

define D = p(x; θ) / ⊥(p(x; θ)) * f(x; θ)

#: gradient
#:   paper: Eq. 6, 43–44, 146–148
#:   estimator: f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)
derive →(∇θ D)

#: Hessian
#:   paper: section 2.2
#:   estimator: f(x; θ) * (∇²θ log p(x; θ) + (∇θ log p(x; θ))^2) + 2 * ∇θ f(x; θ) * ∇θ log p(x; θ) + ∇²θ f(x; θ)
#:   note: The surrogate f + ⊥f * log p has the same gradient and loses most of these terms.
derive →(∇²θ D)
