# must fail: refuted, line 11: in value
#
# The sum starts at 0 on one side and at 1 on the other: the first term is lost.

count T
index t = 0..T
variable v[t]

theorem sum_over_times:
  Σ[t=0..T](v[t])
    = Σ[t=1..T](v[t])
