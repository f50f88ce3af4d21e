# must fail: undecided, line 14: not proved
#
# The axiom leads from t to t: supposing the claim at t to prove it at t is circular. The hypothesis of an
# induction is the claim at t - 1.

count t
function f(x), g(x)

assume start: f(0) = 0
assume same for every x: f(x) = g(x) * f(x)
assume earlier for every x: f(x) = g(x) * f(x - 1)

theorem by_what_went_before: f(t) = 0     by induction on t, using hypothesis, using start, using earlier
theorem by_itself: f(t) = 0     by induction on t, using hypothesis, using start, using same
