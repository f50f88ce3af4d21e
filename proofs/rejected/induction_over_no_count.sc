# must fail: declaration, line 13: x is not a count here
#
# An induction is over a count; a variable may be any number, and is not reached from 0 by steps of one.

variable x
count n
function f(x)

assume start: f(0) = 2
assume step for every x: f(x) = f(x - 1)

theorem on_counts: f(n) = 2     by induction on n, using hypothesis, using step, using start
theorem everywhere: f(x) = 2     by induction on x, using hypothesis, using step, using start
