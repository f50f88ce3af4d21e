# must fail: condition, line 10: m - f(x) != 0
#
# An advantage f - m is zero whenever the reward is the mean of its group.

parameter θ
variable x, m
density p(x; θ)
function f(x)

theorem advantage_cancels:
  →(∇θ (log p(x; θ) * (f(x) - m))) / (f(x) - m) = ∇θ log p(x; θ)
