# must fail: declaration, line 7: a is an ancestor
#
# An ancestor is the number of a particle, and no value to be averaged.

use "@dpf"

theorem mean_ancestor: Σ[i=1..N] a[T,i] = N * (N + 1) / 2
