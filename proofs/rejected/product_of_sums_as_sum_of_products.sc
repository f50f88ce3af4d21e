# must fail: refuted, line 11: in value
#
# A product over t of sums over i runs over all paths of indices, and not over T equal ones.

count N, T
index i = 1..N;  index t = 1..T
variable v[t,i]

theorem product_of_sums:
  ∏[t=1..T] Σ[i=1..N](v[t,i])
    = Σ[i=1..N] ∏[t=1..T](v[t,i])
