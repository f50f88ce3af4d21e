# must fail: condition, line 11: g(x) != 0
#
# The product is zero as soon as one of its factors is.

parameter θ
variable x
function f(x), g(x)

assume f(x) != 0

theorem both_cancel:
  f(x) * g(x) * θ / (f(x) * g(x)) = θ
