# must fail: refuted, line 11: in value
#
# The range of the inner sum depends on the outer index; swapped, Σ over s ≤ t is a sum over t ≥ s.

count T
index s, t = 1..T
variable v[t], u[t]

theorem rewards_to_go:
  Σ[t=1..T] Σ[s=1..t](v[s] * u[t])
    = Σ[s=1..T] Σ[t=1..s](v[s] * u[t])
