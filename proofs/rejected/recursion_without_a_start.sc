# must fail: declaration, line 10: v
#
# A family that is defined by itself at the same time defines nothing.

count T
parameter θ
index t = 1..T
variable c[t]

define v[t] = c[t] * v[t] / 2

theorem fixed_point for every t: v[t] = c[t] * v[t] / 2
