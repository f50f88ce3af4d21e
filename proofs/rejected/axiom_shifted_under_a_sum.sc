# must fail: undecided, line 12: not proved
#
# Under the shifted index the axiom is used at 0.

count T
index t = 1..T
function f(x), g(x)

assume same for every t: f(t) = g(t)

theorem in_its_range: Σ[t=1..T](f(t)) = Σ[t=1..T](g(t))     by using same
theorem shifted: Σ[t=1..T](f(t-1)) = Σ[t=1..T](g(t-1))     by using same
