# must fail: refuted, line 17: in value
#
# RELAX subtracts c(z) from the reward and adds its pathwise gradient back. With that term left out the
# control variate biases the estimator.

parameter θ, φ
variable ε
density p(b; θ)
function h(ε; θ), f(b), c(z; φ)

define z = h(ε; θ)

theorem relax:
  →(∇θ (⊥(f(ε) - c(z; φ)) * log p(ε; θ) + c(z; φ))) = (f(ε) - c(z; φ)) * ∇θ log p(ε; θ) + ∇θ c(z; φ)
theorem not_compensated:
  →(∇θ (⊥(f(ε) - c(z; φ)) * log p(ε; θ)))
    = (f(ε) - c(z; φ)) * ∇θ log p(ε; θ) + ∇θ c(z; φ)
