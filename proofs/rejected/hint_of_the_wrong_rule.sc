# must fail: hint, line 11: eval_
#
# The line needs the rules of →; product is a rule of ∇.

parameter θ
variable x
density p(x; θ)
function f(x; θ)

theorem correction_in_value:
  →(p(x; θ) / ⊥(p(x; θ)) * f(x; θ)) = f(x; θ)     by product
