# must fail: refuted, line 11: in value
#
# The denominator of the quotient rule is squared.

parameter θ
variable x
density p(x; θ), q(x; θ)

theorem quotient_rule:
  ∇θ (p(x; θ) / q(x; θ))
    = (q(x; θ) * ∇θ p(x; θ) - p(x; θ) * ∇θ q(x; θ)) / q(x; θ)     by quotient
