# must fail: refuted, line 14: in value
#
# The surrogate loss agrees with DiCE in its gradient, and not in its value.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

define dice = p(x; θ) / ⊥(p(x; θ)) * f(x; θ)
define reinforce = ⊥(f(x; θ)) * log p(x; θ) + f(x; θ)

theorem in_value:
  dice =→ reinforce
