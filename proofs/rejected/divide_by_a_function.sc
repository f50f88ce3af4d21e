# must fail: condition, line 9: f(x; θ) != 0
#
# A function may vanish; only densities and what is assumed to be positive may be cancelled.

parameter θ
variable x
function f(x; θ)

theorem a_factor_cancelled:
  f(x; θ) * θ / f(x; θ) = θ
