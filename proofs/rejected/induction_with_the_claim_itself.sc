# must fail: undecided, line 14: not proved
#
# The axiom leads from t to t: supposing the claim at t to prove it at t is circular. The hypothesis of an
# induction is the claim at t - 1.

count t
function f(x)

assume start: f(0) = 2
assume same for every x: f(x) = f(x)^2 - 2 * f(x) + 2
assume earlier for every x: f(x) = f(x - 1)

theorem by_what_went_before: f(t) = 2     by induction on t, using start, using earlier, using hypothesis
theorem by_itself: f(t) = 2     by induction on t, using start, using same, using hypothesis
