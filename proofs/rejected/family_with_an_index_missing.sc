# must fail: declaration, line 7: v
#
# The weights have a time and a particle; v[T] alone names no number.

use "@dpf"

theorem sum_of_weights: V[T] = Σ[i=1..N] v[i]
