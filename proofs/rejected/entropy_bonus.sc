# must fail: refuted, line 11: in value
#
# The gradient of the entropy is -𝔼 log p ∇ log p. Differentiating -log p at a sample gives a mean of zero:
# such a bonus does nothing.

parameter θ
density p(x; θ)

theorem entropy_gradient:
  ∇θ 𝔼[x ~ p(·; θ)](-log p(x; θ))
    = 𝔼[x ~ p(·; θ)](-∇θ log p(x; θ))
