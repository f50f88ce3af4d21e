# must fail: condition, line 12: f(z; θ) != 0
#
# That f does not vanish at x says nothing of f at z.

parameter θ
variable x, z
function f(x; θ)

assume f(x; θ) != 0

theorem cancels_at_x: f(x; θ) * θ / f(x; θ) = θ
theorem cancels_at_z:
  f(z; θ) * θ / f(z; θ) = θ
