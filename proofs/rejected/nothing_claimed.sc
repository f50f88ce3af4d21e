# must fail: parse, line 6: nothing is claimed
#
# A theorem without a claim has nothing that could be proved.

parameter θ
theorem unbiased:
