# must fail: refuted, line 12: in value
#
# Shifting the summand without the range sums other terms.

count T
index t = 0..T
variable v[t]

theorem shifted: Σ[t=1..T](v[t-1]) = Σ[t=0..T-1](v[t])
theorem shifted_without_its_range:
  Σ[t=1..T](v[t-1])
    = Σ[t=1..T](v[t])
