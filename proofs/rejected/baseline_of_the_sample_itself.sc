# must fail: refuted, line 18: in value
#
# The mean reward of a group contains the sample's own reward; the surrogate with it left in is not the
# leave-one-out one.

count N
parameter θ
index i, j = 1..N
density p(x[i]; θ)
function f(x)
sample x[i] ~ p(·; θ)

define m = 1/N * Σ[j=1..N] f(x[j])

theorem centred: →(∇θ Σ[i=1..N](⊥(f(x[i]) - m) * log p(x[i]; θ))) = Σ[i=1..N]((f(x[i]) - m) * ∇θ log p(x[i]; θ))
theorem left_out:
  →(∇θ Σ[i=1..N](⊥(f(x[i]) - m) * log p(x[i]; θ)))
    = Σ[i=1..N]((f(x[i]) - (N * m - f(x[i])) / N) * ∇θ log p(x[i]; θ))
