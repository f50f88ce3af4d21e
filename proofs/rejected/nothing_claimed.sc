# must fail: parse, line 6: nothing is claimed
#
# A theorem claims something.

parameter θ
theorem unbiased:
