# must fail: refuted, line 11: in value
#
# The middle term is counted twice.

count N
index i, j = 1..N
variable v[i]

theorem split_sum_that_overlaps for every j:
  Σ[i=1..N](v[i])
    = Σ[i=1..j](v[i]) + Σ[i=j..N](v[i])
