# must fail: undecided, line 15: not proved
#
# The induction begins at 0, and the axiom is about 1. (That g is 2 at 0 follows from the step at 1, which
# has to be said.)

count t
function f(x), g(x)

assume start_of_f: f(0) = 2
assume start_of_g: g(1) = 2
assume step_of_f for every x: f(x) = f(x - 1)
assume step_of_g for every x: g(x) = g(x - 1)

theorem from_zero: f(t) = 2     by induction on t, using hypothesis, using step_of_f, using start_of_f
theorem from_one: g(t) = 2     by induction on t, using hypothesis, using step_of_g, using start_of_g
