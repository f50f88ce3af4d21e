# must fail: undecided, line 12: not proved
#
# f may be negative, in which case the left side may have a value and the right side has none.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

lemma log_of_a_product for every E(x; θ) > 0: log(p(x; θ) * E(x; θ)) = log p(x; θ) + log E(x; θ)
theorem log_of_a_weighted_reward:
  log(p(x; θ) * f(x; θ)) = log p(x; θ) + log f(x; θ)
