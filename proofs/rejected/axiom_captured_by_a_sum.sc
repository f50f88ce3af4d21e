# must fail: undecided, line 14: not proved
#
# The axiom is about one given x, and not about each i that a sum runs over.

count N
index i = 1..N
variable x
function f(x)

assume at_x: f(x) = 2
assume everywhere for every x: f(x) = 2

theorem for_each: Σ[i=1..N](f(i)) = 2 * N     by using everywhere, sums
theorem for_one: Σ[i=1..N](f(i)) = 2 * N     by using at_x, sums
