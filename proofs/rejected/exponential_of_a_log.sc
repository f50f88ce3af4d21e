# must fail: undecided, line 11: not proved
#
# exp log f is f only where f is positive.

parameter θ
variable x
function f(x; θ)

lemma exponential_of_a_log for every E(x; θ) > 0: exp(log E(x; θ)) = E(x; θ)
theorem of_any_function:
  exp(log f(x; θ)) = f(x; θ)
