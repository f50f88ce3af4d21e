# must fail: undecided, line 11: not proved
#
# An equation that is assumed of f is none about g.

parameter θ
variable x
function f(x), g(x)

assume f_is_two: f(x) = 2
theorem twice_f: 2 * f(x) = 4     by using f_is_two
theorem twice_g: 2 * g(x) = 4     by using f_is_two
