# DiCE (Ścibior & Wood, Eq. 6) and the REINFORCE surrogate of their section 2.2: the same first
# derivative, different second ones.

parameter θ
observed x
density p(x; θ)
function f(x; θ)

define dice = p(x; θ) / ⊥(p(x; θ)) * f(x; θ)
define reinforce = f(x; θ) + ⊥(f(x; θ)) * log p(x; θ)

derive →(∇θ dice)
derive →(∇θ reinforce)
derive →(∇²θ dice)
derive →(∇²θ reinforce)
# What the second derivative of the REINFORCE surrogate lacks.
derive →(∇²θ(dice - reinforce))
