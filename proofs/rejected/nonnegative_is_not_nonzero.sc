# must fail: condition, line 11: f(x) != 0
#
# What is at least zero may be zero.

parameter θ
variable x
function f(x)

assume f(x) >= 0

theorem cancels:
  f(x) * θ / f(x) = θ
