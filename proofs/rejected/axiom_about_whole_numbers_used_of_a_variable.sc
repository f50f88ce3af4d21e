# must fail: undecided, line 13: not proved
#
# An index is a whole number; of a variable z nothing of the kind is known.

count T
index t = 1..T
variable z
function f(x), g(x)

assume same for every t: f(t) = g(t)

theorem at_the_last_time for every t: 3 * f(t) = 3 * g(t)     by using same
theorem anywhere: 3 * f(z) = 3 * g(z)     by using same
