# must fail: refuted, line 15: in value
#
# For a reparameterised sample the path carries the whole gradient; adding the score counts it twice.

parameter θ
variable ε
density n(ε), p(x; θ)
function h(ε; θ), f(x)

define x = h(ε; θ)

theorem pathwise: →(∇θ f(h(ε; θ))) = D[1](f)(h(ε; θ)) * ∇θ h(ε; θ)
theorem pathwise_and_score:
  →(∇θ f(h(ε; θ)))
    = D[1](f)(h(ε; θ)) * ∇θ h(ε; θ) + f(h(ε; θ)) * ∇θ log p(h(ε; θ); θ)
