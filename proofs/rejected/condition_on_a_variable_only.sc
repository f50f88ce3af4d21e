# must fail: condition, line 12: f(x; θ) != 0
#
# That θ is positive says nothing of a function of θ.

parameter θ
variable x
function f(x; θ)

assume θ > 0

theorem parameter_cancels: f(x; θ) * θ / θ = f(x; θ)
theorem function_cancels:
  f(x; θ) * θ / f(x; θ) = θ
