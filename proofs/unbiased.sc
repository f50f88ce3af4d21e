# The differentiable particle filter is unbiased under automatic differentiation of any order.
#
# Theorem 1 of the paper, and the conjecture of its section 4.3: for every N, T and K, every proposal q that is
# free of θ, every smooth f of the path and θ, and every resampling law whose offspring are unbiased,
#
#     𝔼(→∇ᴷ(Ẑ Σ v̄ f)) = ∇ᴷ 𝔼[x ~ p(x | y)](p(y) f(x)).
#
# What is assumed are definitions (the density of a path, the proposal of a path), Bayes' rule and the chain rule
# of densities, that ∇ and ∫ may be exchanged, and that q is positive where the model is.  A filter's forward
# unbiasedness is not assumed: it is the theorem `forward`, by induction over time.

use "particle_filter.sc"

count K
# p(x | y, x'), p(y | x'); of whole paths p(x[1:n] | y[1:n]), p(y[1:n]), p(x[1:n], y[1:n] | x[0]), q(x[1:n]).
density cond(x | y, x'; θ), pred(y | x'; θ)
density post(path | n; θ), marg(ys | n; θ), joint(path, ys | n; θ), proposal(path | n; φ)
function first(path), f(path; θ)

assume joint_begin for every u: joint(begin(u), ys | 0; θ) = 1
assume joint_extend for every m >= 1, u, z:
  joint(extend(u, z), ys | m; θ) = joint(u, ys | m-1; θ) * p(z, y[m] | end(u); θ)
assume proposal_begin for every u: proposal(begin(u) | 0; φ) = 1
assume proposal_extend for every m >= 1, u, z:
  proposal(extend(u, z) | m; φ) = proposal(u | m-1; φ) * q(z | end(u); φ)
assume bayes for every m >= 1, z, u: p(z, y[m] | u; θ) = cond(z | y[m], u; θ) * pred(y[m] | u; θ)
assume posterior for every m >= 1, u: post(u | m; θ) * marg(ys | m; θ) = p0(first(u)) * joint(u, ys | m; θ)
assume start for every g(u):
  𝔼[π ~ post(· | 0; θ)](marg(ys | 0; θ) * g(π)) = 𝔼[z ~ p0(·)](g(begin(z)))
assume extension for every m >= 1, g(u):
  𝔼[π ~ post(· | m; θ)](marg(ys | m; θ) * g(π))
    = 𝔼[π ~ post(· | m-1; θ)](marg(ys | m-1; θ) * 𝔼[z ~ cond(· | y[m], end(π); θ)](pred(y[m] | end(π); θ) * g(extend(π, z))))
assume support
assume interchange

lemma normalised: Σ[j=1..N](w̄[T-1,j]) = 1
lemma one_step for every g(u):
  𝔼[· | T-1](Ẑ[T] * Σ[i=1..N](w̄[T,i] * g(X[T,i])))
    = 𝔼[· | T-1](Ẑ[T-1] * Σ[i=1..N](w[T,i] * g(X[T,i])))
      by definition of Ẑ, definition of w̄, sums
    = 𝔼[· | T-1](Ẑ[T-1] * Σ[i=1..N](1/N * 𝔼[z ~ q(· | end(X[T-1, a[T,i]]); φ)](
          p(z, y[T] | end(X[T-1, a[T,i]]); θ) / q(z | end(X[T-1, a[T,i]]); φ) * g(extend(X[T-1, a[T,i]], z)))))
      by definition of X, definition of w, draw of x
    = Ẑ[T-1] * Σ[j=1..N](w̄[T-1,j] * 𝔼[z ~ q(· | end(X[T-1, j]); φ)](
          p(z, y[T] | end(X[T-1, j]); θ) / q(z | end(X[T-1, j]); φ) * g(extend(X[T-1, j], z))))
      by draw of a, using normalised

lemma forward_base for every g(u):
  𝔼[· | -1](Ẑ[0] * Σ[i=1..N](w̄[0,i] * g(X[0,i])))
    = 𝔼[z ~ p0(·)](g(begin(z)))
      by definition of Ẑ, definition of w̄, definition of X, draw of x, sums
    = 𝔼[π ~ post(· | 0; θ)](marg(ys | 0; θ) * g(π))      by using start

theorem forward for every g(u) by induction on T from forward_base:
  𝔼[· | -1](Ẑ[T] * Σ[i=1..N](w̄[T,i] * g(X[T,i])))
    = 𝔼[· | -1](𝔼[· | T-1](Ẑ[T] * Σ[i=1..N](w̄[T,i] * g(X[T,i]))))
      by expectation
    = 𝔼[· | -1](Ẑ[T-1] * Σ[j=1..N](w̄[T-1,j] * 𝔼[z ~ q(· | end(X[T-1, j]); φ)](
          p(z, y[T] | end(X[T-1, j]); θ) / q(z | end(X[T-1, j]); φ) * g(extend(X[T-1, j], z)))))
      by using one_step
    = 𝔼[· | -1](Ẑ[T-1] * Σ[j=1..N](w̄[T-1,j] * 𝔼[z ~ cond(· | y[T], end(X[T-1, j]); θ)](
          pred(y[T] | end(X[T-1, j]); θ) * g(extend(X[T-1, j], z)))))
      by importance_weighting, using bayes with m := T
    = 𝔼[π ~ post(· | T-1; θ)](marg(ys | T-1; θ) * 𝔼[z ~ cond(· | y[T], end(π); θ)](
          pred(y[T] | end(π); θ) * g(extend(π, z))))
      by using hypothesis with g(u) := 𝔼[z ~ cond(· | y[T], end(u); θ)](pred(y[T] | end(u); θ) * g(extend(u, z)))
    = 𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * g(π))      by using extension with m := T


# The closed form of the differentiable filter: an equality of surrogates.
lemma one_weight for every i:
  Z[T] * v̄[T,i]
    = (Z[T-1] * v̄[T-1,a[T,i]]) / ⊥(v̄[T-1,a[T,i]])
        * (1/N * p(x[T,i], y[T] | end(X[T-1, a[T,i]]); θ) / q(x[T,i] | end(X[T-1, a[T,i]]); φ))
      by definition of Z, definition of v̄, definition of v, sums
lemma closed for every i by induction on T:
  Z[T] * v̄[T,i]
    = (Z[T-1] * v̄[T-1,a[T,i]]) / ⊥(v̄[T-1,a[T,i]])
        * (1/N * p(x[T,i], y[T] | end(X[T-1, a[T,i]]); θ) / q(x[T,i] | end(X[T-1, a[T,i]]); φ))
      by using one_weight
    = (⊥(Z[T-1] * v̄[T-1,a[T,i]]) * (L[T-1,a[T,i]] / ⊥(L[T-1,a[T,i]]))) / ⊥(v̄[T-1,a[T,i]])
        * (1/N * p(x[T,i], y[T] | end(X[T-1, a[T,i]]); θ) / q(x[T,i] | end(X[T-1, a[T,i]]); φ))
      by using hypothesis
    = ⊥((Z[T-1] * v̄[T-1,a[T,i]]) / ⊥(v̄[T-1,a[T,i]])
        * (1/N * p(x[T,i], y[T] | end(X[T-1, a[T,i]]); θ) / q(x[T,i] | end(X[T-1, a[T,i]]); φ))) * (L[T,i] / ⊥(L[T,i]))
      by definition of L, stop, products
    = ⊥(Z[T] * v̄[T,i]) * (L[T,i] / ⊥(L[T,i]))
      by using one_weight

lemma density_base for every i:
  L[0,i] = joint(X[0,i], ys | 0; θ) / proposal(X[0,i] | 0; φ)     by definition of L, definition of X, using joint_begin, using proposal_begin
lemma density_of_a_path for every i by induction on T from density_base:
  L[T,i]
    = L[T-1,a[T,i]] * p(x[T,i], y[T] | end(X[T-1, a[T,i]]); θ) / q(x[T,i] | end(X[T-1, a[T,i]]); φ)
      by definition of L
    = joint(X[T-1,a[T,i]], ys | T-1; θ) / proposal(X[T-1,a[T,i]] | T-1; φ)
        * p(x[T,i], y[T] | end(X[T-1, a[T,i]]); θ) / q(x[T,i] | end(X[T-1, a[T,i]]); φ)
      by using hypothesis
    = joint(X[T,i], ys | T; θ) / proposal(X[T,i] | T; φ)
      by definition of X, using joint_extend with m := T, using proposal_extend with m := T

lemma weighted_base:
  ∇^(0)[θ](Z[T] * Σ[i=1..N](v̄[T,i] * f(X[T,i]; θ)))
    = Σ[i=1..N]((Z[T] * v̄[T,i]) * f(X[T,i]; θ))     by order, sums
    = Σ[i=1..N]((⊥(Z[T] * v̄[T,i]) * (L[T,i] / ⊥(L[T,i]))) * f(X[T,i]; θ))     by using closed
    = Σ[i=1..N](⊥(Z[T] * v̄[T,i]) / ⊥(L[T,i]) * ∇^(0)[θ](L[T,i] * f(X[T,i]; θ)))     by order
lemma weighted by induction on K from weighted_base:
  ∇^K[θ](Z[T] * Σ[i=1..N](v̄[T,i] * f(X[T,i]; θ)))
    = ∇θ ∇^(K-1)[θ](Z[T] * Σ[i=1..N](v̄[T,i] * f(X[T,i]; θ)))     by order
    = ∇θ Σ[i=1..N](⊥(Z[T] * v̄[T,i]) / ⊥(L[T,i]) * ∇^(K-1)[θ](L[T,i] * f(X[T,i]; θ)))     by using hypothesis
    = Σ[i=1..N](⊥(Z[T] * v̄[T,i]) / ⊥(L[T,i]) * ∇θ ∇^(K-1)[θ](L[T,i] * f(X[T,i]; θ)))     by sum, product, stop
    = Σ[i=1..N](⊥(Z[T] * v̄[T,i]) / ⊥(L[T,i]) * ∇^K[θ](L[T,i] * f(X[T,i]; θ)))     by order

lemma same_estimate: →(Z[T]) = Ẑ[T]
lemma same_weights for every i: →(v̄[T,i]) = w̄[T,i]
lemma evaluated:
  →(∇^K[θ](Z[T] * Σ[i=1..N](v̄[T,i] * f(X[T,i]; θ))))
    = →(Σ[i=1..N](⊥(Z[T] * v̄[T,i]) / ⊥(L[T,i]) * ∇^K[θ](L[T,i] * f(X[T,i]; θ))))     by using weighted
    = Σ[i=1..N](→(Z[T]) * →(v̄[T,i]) / L[T,i] * ∇^K[θ](L[T,i] * f(X[T,i]; θ)))     by evaluate
    = Σ[i=1..N](Ẑ[T] * w̄[T,i] / L[T,i] * ∇^K[θ](L[T,i] * f(X[T,i]; θ)))     by using same_estimate, using same_weights

lemma proposal_out_base for every u:
  ∇^(0)[θ](joint(u, ys | T; θ) / proposal(u | T; φ) * f(u; θ)) = ∇^(0)[θ](joint(u, ys | T; θ) * f(u; θ)) / proposal(u | T; φ)     by order
lemma proposal_out for every u by induction on K from proposal_out_base:
  ∇^K[θ](joint(u, ys | T; θ) / proposal(u | T; φ) * f(u; θ))
    = ∇θ ∇^(K-1)[θ](joint(u, ys | T; θ) / proposal(u | T; φ) * f(u; θ))     by order
    = ∇θ (∇^(K-1)[θ](joint(u, ys | T; θ) * f(u; θ)) / proposal(u | T; φ))     by using hypothesis
    = ∇θ ∇^(K-1)[θ](joint(u, ys | T; θ) * f(u; θ)) / proposal(u | T; φ)     by product
    = ∇^K[θ](joint(u, ys | T; θ) * f(u; θ)) / proposal(u | T; φ)     by order

# What automatic differentiation of any order makes of the differentiable filter.
theorem estimator:
  →(∇^K[θ](Z[T] * Σ[i=1..N](v̄[T,i] * f(X[T,i]; θ))))
    = Σ[i=1..N](Ẑ[T] * w̄[T,i] / L[T,i] * ∇^K[θ](L[T,i] * f(X[T,i]; θ)))     by using evaluated
    = Σ[i=1..N](Ẑ[T] * w̄[T,i] / (joint(X[T,i], ys | T; θ) / proposal(X[T,i] | T; φ)) * ∇^K[θ](joint(X[T,i], ys | T; θ) / proposal(X[T,i] | T; φ) * f(X[T,i]; θ)))
      by using density_of_a_path
    = Σ[i=1..N](Ẑ[T] * w̄[T,i] / (joint(X[T,i], ys | T; θ) / proposal(X[T,i] | T; φ)) * (∇^K[θ](joint(X[T,i], ys | T; θ) * f(X[T,i]; θ)) / proposal(X[T,i] | T; φ)))
      by using proposal_out
    = Ẑ[T] * Σ[i=1..N](w̄[T,i] * (∇^K[θ](joint(X[T,i], ys | T; θ) * f(X[T,i]; θ)) / joint(X[T,i], ys | T; θ)))     by linearity

lemma scores for every u:
  ∇θ log post(u | T; θ)
    = ∇θ (log(post(u | T; θ) * marg(ys | T; θ)) - log marg(ys | T; θ))     by logarithm
    = ∇θ (log(p0(first(u)) * joint(u, ys | T; θ)) - log marg(ys | T; θ))     by using posterior with m := T
    = ∇θ log joint(u, ys | T; θ) - ∇θ log marg(ys | T; θ)     by logarithm, sum, product, chain, log_derivative

lemma integral_base:
  𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * (∇^(0)[θ](joint(π, ys | T; θ) * f(π; θ)) / joint(π, ys | T; θ)))
    = ∇^(0)[θ](𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * f(π; θ)))     by order
lemma under_the_integral by induction on K from integral_base:
  𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * (∇^K[θ](joint(π, ys | T; θ) * f(π; θ)) / joint(π, ys | T; θ)))
    = 𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * (∇θ ∇^(K-1)[θ](joint(π, ys | T; θ) * f(π; θ)) / joint(π, ys | T; θ)))     by order
    = ∇θ 𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * (∇^(K-1)[θ](joint(π, ys | T; θ) * f(π; θ)) / joint(π, ys | T; θ)))
      by score, product, power, log_derivative, using scores, expectation
    = ∇θ ∇^(K-1)[θ](𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * f(π; θ)))     by using hypothesis
    = ∇^K[θ](𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * f(π; θ)))     by order

theorem unbiased_at_every_order:
  𝔼[· | -1](→(∇^K[θ](Z[T] * Σ[i=1..N](v̄[T,i] * f(X[T,i]; θ)))))
    = 𝔼[· | -1](Ẑ[T] * Σ[i=1..N](w̄[T,i] * (∇^K[θ](joint(X[T,i], ys | T; θ) * f(X[T,i]; θ)) / joint(X[T,i], ys | T; θ))))     by using estimator
    = 𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * (∇^K[θ](joint(π, ys | T; θ) * f(π; θ)) / joint(π, ys | T; θ)))
      by using forward with g(u) := ∇^K[θ](joint(u, ys | T; θ) * f(u; θ)) / joint(u, ys | T; θ)
    = ∇^K[θ](𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * f(π; θ)))     by using under_the_integral

# The first order, as the paper's Theorem 1 has it; its text names Eq. 74, and means Eq. 78.
lemma closed_sum:
  Z[T] * Σ[i=1..N](v̄[T,i] * f(X[T,i]; θ))
    = Σ[i=1..N]((Z[T] * v̄[T,i]) * f(X[T,i]; θ))     by sums
    = Σ[i=1..N]((⊥(Z[T] * v̄[T,i]) * (L[T,i] / ⊥(L[T,i]))) * f(X[T,i]; θ))     by using closed
    = Σ[i=1..N](⊥(Z[T] * v̄[T,i]) / ⊥(L[T,i]) * (L[T,i] * f(X[T,i]; θ)))     by sums
theorem first_order_estimator:
  →(∇θ (Z[T] * Σ[i=1..N](v̄[T,i] * f(X[T,i]; θ))))
    = →(∇θ Σ[i=1..N](⊥(Z[T] * v̄[T,i]) / ⊥(L[T,i]) * (L[T,i] * f(X[T,i]; θ))))     by using closed_sum
    = →(Σ[i=1..N](⊥(Z[T] * v̄[T,i]) / ⊥(L[T,i]) * ∇θ (L[T,i] * f(X[T,i]; θ))))     by sum, product, stop
    = Σ[i=1..N](→(Z[T]) * →(v̄[T,i]) / L[T,i] * ∇θ (L[T,i] * f(X[T,i]; θ)))     by evaluate
    = Σ[i=1..N](Ẑ[T] * w̄[T,i] / L[T,i] * ∇θ (L[T,i] * f(X[T,i]; θ)))
      by using same_estimate, using same_weights
    = Σ[i=1..N](Ẑ[T] * w̄[T,i] / (joint(X[T,i], ys | T; θ) / proposal(X[T,i] | T; φ))
          * ∇θ (joint(X[T,i], ys | T; θ) / proposal(X[T,i] | T; φ) * f(X[T,i]; θ)))
      by using density_of_a_path
    = Ẑ[T] * Σ[i=1..N](w̄[T,i] * (f(X[T,i]; θ) * ∇θ log joint(X[T,i], ys | T; θ) + ∇θ f(X[T,i]; θ)))
      by product, quotient, log_derivative, sums
theorem theorem_1:
  𝔼[· | -1](Ẑ[T] * Σ[i=1..N](w̄[T,i] * (f(X[T,i]; θ) * ∇θ log joint(X[T,i], ys | T; θ) + ∇θ f(X[T,i]; θ))))
    = 𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * (f(π; θ) * ∇θ log joint(π, ys | T; θ) + ∇θ f(π; θ)))
      by using forward with g(u) := f(u; θ) * ∇θ log joint(u, ys | T; θ) + ∇θ f(u; θ)
    = ∇θ 𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * f(π; θ))
      by score, product, log_derivative, using scores, expectation
theorem unbiased_at_the_first_order:
  𝔼[· | -1](→(∇θ (Z[T] * Σ[i=1..N](v̄[T,i] * f(X[T,i]; θ)))))
    = 𝔼[· | -1](Ẑ[T] * Σ[i=1..N](w̄[T,i] * (f(X[T,i]; θ) * ∇θ log joint(X[T,i], ys | T; θ) + ∇θ f(X[T,i]; θ))))
      by using first_order_estimator
    = ∇θ 𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * f(π; θ))     by using theorem_1

# The step of the paper's induction, Eq. 127–135, line by line; T-1 and T stand for its T and T+1.
lemma one_step_out:
  𝔼[· | -1](Ẑ[T] * Σ[i=1..N](w̄[T,i] * (f(X[T,i]; θ) * ∇θ log joint(X[T,i], ys | T; θ) + ∇θ f(X[T,i]; θ))))
    = 𝔼[· | -1](𝔼[· | T-1](Ẑ[T] * Σ[i=1..N](w̄[T,i] * (f(X[T,i]; θ) * ∇θ log joint(X[T,i], ys | T; θ) + ∇θ f(X[T,i]; θ)))))     by expectation
    = 𝔼[· | -1](Ẑ[T-1] * 𝔼[· | T-1](W[T] * Σ[i=1..N](w̄[T,i] * (f(X[T,i]; θ) * ∇θ log joint(X[T,i], ys | T; θ) + ∇θ f(X[T,i]; θ)))))
      by definition of Ẑ, expectation
lemma weights_not_normalised:
  𝔼[· | -1](Ẑ[T-1] * 𝔼[· | T-1](W[T] * Σ[i=1..N](w̄[T,i] * (f(X[T,i]; θ) * ∇θ log joint(X[T,i], ys | T; θ) + ∇θ f(X[T,i]; θ)))))
    = 𝔼[· | -1](Ẑ[T-1] * 𝔼[· | T-1](𝔼[· | T-1](Σ[i=1..N](w[T,i] * (f(X[T,i]; θ) * ∇θ log joint(X[T,i], ys | T; θ) + ∇θ f(X[T,i]; θ))))))
      by definition of w̄, sums, expectation
lemma particles_averaged:
  𝔼[· | -1](Ẑ[T-1] * 𝔼[· | T-1](𝔼[· | T-1](Σ[i=1..N](w[T,i] * (f(X[T,i]; θ) * ∇θ log joint(X[T,i], ys | T; θ) + ∇θ f(X[T,i]; θ))))))
    = 𝔼[· | -1](Ẑ[T-1] * 𝔼[· | T-1](1/N * Σ[i=1..N](𝔼[z ~ q(· | end(X[T-1, a[T,i]]); φ)](p(z, y[T] | end(X[T-1, a[T,i]]); θ) / q(z | end(X[T-1, a[T,i]]); φ) * (f(extend(X[T-1, a[T,i]], z); θ) * ∇θ log joint(extend(X[T-1, a[T,i]], z), ys | T; θ) + ∇θ f(extend(X[T-1, a[T,i]], z); θ))))))
      by definition of X, definition of w, draw of x, sums, expectation
lemma own_law:
  𝔼[· | -1](Ẑ[T-1] * 𝔼[· | T-1](1/N * Σ[i=1..N](𝔼[z ~ q(· | end(X[T-1, a[T,i]]); φ)](p(z, y[T] | end(X[T-1, a[T,i]]); θ) / q(z | end(X[T-1, a[T,i]]); φ) * (f(extend(X[T-1, a[T,i]], z); θ) * ∇θ log joint(extend(X[T-1, a[T,i]], z), ys | T; θ) + ∇θ f(extend(X[T-1, a[T,i]], z); θ))))))
    = 𝔼[· | -1](Ẑ[T-1] * 𝔼[· | T-1](1/N * Σ[i=1..N](𝔼[z ~ cond(· | y[T], end(X[T-1, a[T,i]]); θ)](pred(y[T] | end(X[T-1, a[T,i]]); θ) * (f(extend(X[T-1, a[T,i]], z); θ) * ∇θ log joint(extend(X[T-1, a[T,i]], z), ys | T; θ) + ∇θ f(extend(X[T-1, a[T,i]], z); θ))))))
      by importance_weighting, using bayes with m := T
lemma ancestors_averaged:
  𝔼[· | -1](Ẑ[T-1] * 𝔼[· | T-1](1/N * Σ[i=1..N](𝔼[z ~ cond(· | y[T], end(X[T-1, a[T,i]]); θ)](pred(y[T] | end(X[T-1, a[T,i]]); θ) * (f(extend(X[T-1, a[T,i]], z); θ) * ∇θ log joint(extend(X[T-1, a[T,i]], z), ys | T; θ) + ∇θ f(extend(X[T-1, a[T,i]], z); θ))))))
    = 𝔼[· | -1](Ẑ[T-1] * Σ[i=1..N](w̄[T-1,i] * 𝔼[z ~ cond(· | y[T], end(X[T-1, i]); θ)](pred(y[T] | end(X[T-1, i]); θ) * (f(extend(X[T-1, i], z); θ) * ∇θ log joint(extend(X[T-1, i], z), ys | T; θ) + ∇θ f(extend(X[T-1, i], z); θ)))))
      by draw of a, using normalised, expectation
lemma step_at_a_path for every i:
  𝔼[z ~ cond(· | y[T], end(X[T-1, i]); θ)](pred(y[T] | end(X[T-1, i]); θ) * (f(extend(X[T-1, i], z); θ) * ∇θ log joint(extend(X[T-1, i], z), ys | T; θ) + ∇θ f(extend(X[T-1, i], z); θ)))
    = 𝔼[z ~ cond(· | y[T], end(X[T-1, i]); θ)](pred(y[T] | end(X[T-1, i]); θ) * (f(extend(X[T-1, i], z); θ) * ∇θ log (joint(X[T-1, i], ys | T-1; θ) * (cond(z | y[T], end(X[T-1, i]); θ) * pred(y[T] | end(X[T-1, i]); θ))) + ∇θ f(extend(X[T-1, i], z); θ)))
      by using joint_extend with m := T, using bayes with m := T
    = 𝔼[z ~ cond(· | y[T], end(X[T-1, i]); θ)](pred(y[T] | end(X[T-1, i]); θ) * f(extend(X[T-1, i], z); θ)) * ∇θ log joint(X[T-1, i], ys | T-1; θ) + ∇θ 𝔼[z ~ cond(· | y[T], end(X[T-1, i]); θ)](pred(y[T] | end(X[T-1, i]); θ) * f(extend(X[T-1, i], z); θ))
      by calculus
lemma step_taken:
  𝔼[· | -1](Ẑ[T-1] * Σ[i=1..N](w̄[T-1,i] * 𝔼[z ~ cond(· | y[T], end(X[T-1, i]); θ)](pred(y[T] | end(X[T-1, i]); θ) * (f(extend(X[T-1, i], z); θ) * ∇θ log joint(extend(X[T-1, i], z), ys | T; θ) + ∇θ f(extend(X[T-1, i], z); θ)))))
    = 𝔼[· | -1](Ẑ[T-1] * Σ[i=1..N](w̄[T-1,i] * (𝔼[z ~ cond(· | y[T], end(X[T-1, i]); θ)](pred(y[T] | end(X[T-1, i]); θ) * f(extend(X[T-1, i], z); θ)) * ∇θ log joint(X[T-1, i], ys | T-1; θ) + ∇θ 𝔼[z ~ cond(· | y[T], end(X[T-1, i]); θ)](pred(y[T] | end(X[T-1, i]); θ) * f(extend(X[T-1, i], z); θ)))))
      by using step_at_a_path
lemma fold_back:
  ∇θ 𝔼[π ~ post(· | T-1; θ)](marg(ys | T-1; θ) * 𝔼[z ~ cond(· | y[T], end(π); θ)](pred(y[T] | end(π); θ) * f(extend(π, z); θ)))
    = ∇θ 𝔼[π ~ post(· | T; θ)](marg(ys | T; θ) * f(π; θ))
      by using extension with m := T, g(u) := f(u; θ)
