# must fail: refuted, line 11: in value
#
# A constant leaves a product of T factors to the power of T.

count T
index t = 1..T
variable c, v[t]

theorem constant_out_of_a_product:
  ∏[t=1..T](c * v[t])
    = c * ∏[t=1..T](v[t])
