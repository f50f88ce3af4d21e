# must fail: parse, line 10: there is no equality sign
#
# A term alone is no claim.

parameter θ
variable x
density p(x; θ)

theorem score:
  →(∇θ (p(x; θ) / ⊥(p(x; θ))))
