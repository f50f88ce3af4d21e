# must fail: hint, line 12: definition
#
# The line unfolds a definition that it does not name.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

define dice = p(x; θ) / ⊥(p(x; θ)) * f(x; θ)

theorem value_of_dice: dice =→ f(x; θ)     by evaluate
