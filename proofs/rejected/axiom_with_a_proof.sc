# must fail: parse, line 9: is not proved
#
# What is assumed has no proof; a proof makes it a lemma.

parameter θ
variable x
density p(x; θ)

assume bayes: p(x; θ) = 1     by arithmetic
