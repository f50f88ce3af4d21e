# must fail: declaration, line 12: is not defined here
#
# There is no definition of that name.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

define dice = p(x; θ) / ⊥(p(x; θ)) * f(x; θ)

theorem value_of_dice: dice =→ f(x; θ)     by definition of magic_box, evaluate
