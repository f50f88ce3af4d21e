# must fail: condition, line 12: f(x; θ) != 0
#
# The assumption is about g; the theorem divides by f.

parameter θ
variable x
function f(x; θ), g(x; θ)

assume g(x; θ) != 0

theorem g_cancels: g(x; θ) * θ / g(x; θ) = θ
theorem f_cancels:
  f(x; θ) * θ / f(x; θ) = θ
