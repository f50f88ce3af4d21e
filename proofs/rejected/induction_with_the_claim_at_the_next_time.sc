# must fail: undecided, line 14: not proved
#
# A backward recursion: f at t is known from f at t + 1, which the hypothesis of a forward induction does
# not give.

count t
function f(x), g(x)

assume start: f(0) = 0
assume later for every x: f(x) = g(x) * f(x + 1)
assume earlier for every x: f(x) = g(x) * f(x - 1)

theorem forward: f(t) = 0     by induction on t, using hypothesis, using start, using earlier
theorem backward: f(t) = 0     by induction on t, using hypothesis, using start, using later
