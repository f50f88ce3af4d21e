# must fail: refuted, line 13: in value
#
# A factor may leave a sum when it is free of the index.

count N
index i, j = 1..N
variable v[i], c
function f(x)

theorem constant_factor: Σ[i=1..N](c * f(v[i])) = c * Σ[i=1..N](f(v[i]))
theorem factor_pulled_out:
  Σ[i=1..N](v[i] * f(v[i]))
    = Σ[i=1..N](v[i]) * Σ[i=1..N](f(v[i]))
