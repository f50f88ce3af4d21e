# must fail: declaration, line 7: used as an index
#
# The state x is a number, its particle's index another: w̄[t, x[t,i]] confuses the two.

use "@dpf"

theorem ancestor_weight for every t, i: w[t, x[t,i]] = w[t,i]
