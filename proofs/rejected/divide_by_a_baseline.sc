# must fail: condition, line 10: b(y) != 0
#
# Scaling a reward by a baseline and back divides by the baseline, which may vanish.

parameter θ
variable x, y
density p(x; θ)
function f(x), b(y)

theorem rescaled_reward:
  →(∇θ (log p(x; θ) * ⊥(f(x) / b(y)) * b(y))) = f(x) * ∇θ log p(x; θ)
