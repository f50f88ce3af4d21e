# must fail: undecided, line 11: not proved
#
# The axiom is about x, and not for every x; of z it says nothing.

parameter θ
variable x, z
function f(x)

assume f_is_two: f(x) = 2
theorem twice: 2 * f(x) = 4     by using f_is_two
theorem twice_elsewhere: 2 * f(z) = 4     by using f_is_two
