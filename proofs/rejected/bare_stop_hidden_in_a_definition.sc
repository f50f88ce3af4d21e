# must fail: term, line 15: an expectation is not defined where ⊥ stands outside every →
#
# The ⊥ is in the definition of the surrogate; definitions are unfolded before an 𝔼 is accepted.

parameter θ
variable z
density p(x; θ)
function f(x; θ)

define factor = p(z; θ) / ⊥(p(z; θ))
define surrogate = factor * f(z; θ)

theorem in_value: surrogate =→ f(z; θ)
theorem averaged:
  𝔼[x ~ p(·; θ)](f(x; θ) * surrogate) = f(z; θ) * 𝔼[x ~ p(·; θ)](f(x; θ))
