# must fail: refuted, line 12: in value
#
# The index of each sum is its own. Joining two sums under one index keeps only the diagonal of the product.

count N
index i, j = 1..N
variable v[i], u[i]

theorem double_sum: Σ[i=1..N](v[i]) * Σ[j=1..N](u[j]) = Σ[i=1..N] Σ[j=1..N](v[i] * u[j])
theorem diagonal_only:
  Σ[i=1..N](v[i]) * Σ[i=1..N](u[i])
    = Σ[i=1..N](v[i] * u[i])
