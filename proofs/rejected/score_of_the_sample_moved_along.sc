# must fail: refuted, line 13: in value
#
# The path derivative estimator stops θ in the density, and not in the sample; without the ⊥ the score
# itself is added.

parameter θ
variable ε
density p(x; θ)
function h(ε; θ)

theorem sticking_the_landing:
  →(∇θ log p(h(ε; θ); θ))
    = D[1](p)(h(ε; θ); θ) / p(h(ε; θ); θ) * ∇θ h(ε; θ)
