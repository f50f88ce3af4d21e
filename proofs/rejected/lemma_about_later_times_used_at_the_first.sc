# must fail: refuted, line 10: in value
#
# The recursion of the weights is for t ≥ 1. At t = 0 the normalised weights are 1/N, whatever the
# ancestors.

use "@dpf"

lemma weight_of_a_step for every t, i: v̄[t,i] = v[t,i] / Σ[j=1..N](v[t,j])
theorem weight_at_the_start for every i:
  v̄[0,i] = 1     by using weight_of_a_step
