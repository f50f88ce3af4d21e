# must fail: refuted, line 10: in value
#
# The empty product is 1, and not 0.

count T
index t = 1..T
variable v[t], c

theorem telescoped:
  ∏[t=1..T](exp(v[t])) = exp(Σ[t=1..T](v[t])) - 1     by induction on T, using hypothesis
