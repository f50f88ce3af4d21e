# must fail: condition, line 8: f(x) - g(x) != 0
#
# The two sides are equal where f and g differ; where they meet, the left side is 0/0.

variable x
function f(x), g(x)

theorem difference_of_squares_divided:
  (f(x)^2 - g(x)^2) / (f(x) - g(x)) = f(x) + g(x)
