# must fail: refuted, line 11: in value
#
# A sum of ratios is no ratio of sums: normalise first, then average, or the other way round, not both.

count N
index i = 1..N
variable v[i], u[i]

theorem ratio_of_sums:
  Σ[i=1..N](v[i] / u[i])
    = Σ[i=1..N](v[i]) / Σ[i=1..N](u[i])
