# must fail: term, line 9: an expectation is not defined where ⊥ stands outside every →
#
# A conditional expectation is an expectation: the weights v̄ of the filter are surrogates, and only their
# values can be averaged.

use "@dpf"

theorem weights_are_a_martingale for every t:
  𝔼[· | t-1](Σ[i=1..N] v̄[t,i]) = 1
