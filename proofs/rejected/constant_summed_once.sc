# must fail: refuted, line 11: in value
#
# A constant summed N times is N times the constant; a mean of weights has its 1/N for that.

count N
index i = 1..N
variable c

theorem constant_summed:
  Σ[i=1..N](c)
    = c
