# must fail: declaration, line 8: out of
#
# The filter has the times 1 to T; of T + 1 it says nothing.

use "@dpf"

lemma sum_of_weights for every t: V[t] = Σ[i=1..N] v[t,i]     by definition of V
theorem sum_of_the_next_weights: V[T+1] = Σ[i=1..N] v[T+1,i]     by using sum_of_weights
