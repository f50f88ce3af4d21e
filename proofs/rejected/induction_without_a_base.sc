# must fail: undecided, line 12: not proved
#
# The step holds at every t. Nothing says what f is at 0.

count t
function f(x)

assume start: f(0) = 2
assume step for every x: f(x) = f(x - 1)

theorem with_a_base: f(t) = 2     by induction on t, using hypothesis, using step, using start
theorem without_a_base: f(t) = 2     by induction on t, using hypothesis, using step
