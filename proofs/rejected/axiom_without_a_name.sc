# must fail: parse, line 9: has a name
#
# An axiom is used by its name, so that each theorem can list the axioms that it rests on.

parameter θ
variable x
density p(x; θ)

assume p(x; θ) = 1
