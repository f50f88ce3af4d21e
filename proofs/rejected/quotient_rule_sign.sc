# must fail: refuted, line 11: in value
#
# The numerator's derivative comes with the plus sign.

parameter θ
variable x
density p(x; θ), q(x; θ)

theorem quotient_rule:
  ∇θ (p(x; θ) / q(x; θ))
    = (p(x; θ) * ∇θ q(x; θ) - q(x; θ) * ∇θ p(x; θ)) / q(x; θ)^2     by quotient
