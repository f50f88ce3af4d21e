# must fail: declaration, line 12: there is no lemma dice
#
# A definition is used with `definition of`, and not as a lemma.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

define dice = p(x; θ) / ⊥(p(x; θ)) * f(x; θ)

theorem value_of_dice: dice =→ f(x; θ)     by using dice, evaluate
