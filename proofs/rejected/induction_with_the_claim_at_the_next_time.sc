# must fail: undecided, line 14: not proved
#
# A backward recursion: f at t is known from f at t + 1, which the hypothesis of a forward induction does
# not give.

count t
function f(x), g(x)

assume start: f(0) = 2
assume earlier for every x: f(x) = f(x - 1)
assume later for every x: f(x) = g(x) * f(x + 1)

theorem forward: f(t) = 2     by induction on t, using start, using earlier, using hypothesis
theorem backward: f(t) = 2     by induction on t, using start, using later, using hypothesis
