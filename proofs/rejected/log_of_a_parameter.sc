# must fail: condition, line 7: θ > 0
#
# A parameter may be zero or negative; its log needs an assumption.

parameter θ

theorem gradient_of_a_log:
  θ * ∇θ log θ = 1
