# must fail: undecided, line 11: not proved
#
# log f² is 2 log |f|; without the bars it wants f > 0.

parameter θ
variable x
function f(x; θ)

lemma log_of_a_square for every E(x; θ) > 0: log(E(x; θ)^2) = 2 * log E(x; θ)
theorem of_any_function:
  log(f(x; θ)^2) = 2 * log f(x; θ)
