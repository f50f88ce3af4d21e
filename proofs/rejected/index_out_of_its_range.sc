# must fail: declaration, line 7: w
#
# There is no weight w at the time 0 in the filter: w[t,i] is defined for t from 1 to T.

use "@pf"

theorem first_weight for every i: w[0,i] = 1/N
