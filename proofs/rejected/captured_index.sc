# must fail: refuted, line 12: in value
#
# The i that is free outside is another one than that of the sum; moved inside, it is captured.

count N
index i, j = 1..N
variable v[i], u[i]

theorem factor_moved_inside for every i: u[i] * Σ[j=1..N](v[j]) = Σ[j=1..N](u[i] * v[j])
theorem factor_captured for every i:
  u[i] * Σ[j=1..N](v[j])
    = Σ[i=1..N](u[i] * v[i])
