# must fail: undecided, line 13: not proved
#
# The sum begins at 0, where the axiom, about t from 1 on, says nothing.

count T
index t = 1..T
index s = 0..T
variable v[s]

assume ones for every t: v[t] = 1

theorem from_one: Σ[t=1..T](v[t]) = T     by using ones, sums
theorem from_zero: Σ[t=0..T](v[t]) = T + 1     by using ones, sums
