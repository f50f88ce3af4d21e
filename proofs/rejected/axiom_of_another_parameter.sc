# must fail: undecided, line 11: not proved
#
# The axiom says nothing of the function at other parameters.

parameter θ, φ
variable x
function f(x; θ)

assume normalised for every x: f(x; θ) = 1
theorem at_theta: 3 * f(x; θ) = 3     by using normalised
theorem at_phi: 3 * f(x; φ) = 3     by using normalised
