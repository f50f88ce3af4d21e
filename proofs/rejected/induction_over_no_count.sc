# must fail: undecided, line 14: not proved
#
# An induction is over a count; a variable may be any number, and has no predecessor.

variable x
count n
index k = 1..n
function f(x)

assume start: f(0) = 0
assume step for every x: f(x) = f(x - 1)

theorem on_counts: f(n) = 0     by induction on n, using hypothesis, using step, using start
theorem everywhere: f(x) = 0     by induction on x, using hypothesis, using step, using start
