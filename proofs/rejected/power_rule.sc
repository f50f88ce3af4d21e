# must fail: refuted, line 10: in value
#
# The inner derivative ∇f is missing from the power rule.

parameter θ
variable x
function f(x; θ)

theorem power_rule:
  ∇θ (f(x; θ)^3) = 3 * f(x; θ)^2     by power
