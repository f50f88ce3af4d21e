# must fail: parse, line 10: there is no rule
#
# "By symmetry" is no rule here.

count N
index i, j = 1..N
variable v[i], u[i]

theorem cross_terms:
  Σ[i=1..N] Σ[j=1..N](v[i] * u[j]) = Σ[i=1..N] Σ[j=1..N](v[j] * u[i])     by interchangeability
