# must fail: refuted, line 17: in value
#
# The surrogate loss of REINFORCE has DiCE's first derivative. Its second lacks the square of the score and
# one cross term.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

define dice = p(x; θ) / ⊥(p(x; θ)) * f(x; θ)
define reinforce = f(x; θ) + ⊥(f(x; θ)) * log p(x; θ)

theorem first_order: →(∇θ dice) = →(∇θ reinforce)
theorem second_order:
  →(∇²θ reinforce)
    = ∇²θ (p(x; θ) * f(x; θ)) / p(x; θ)
