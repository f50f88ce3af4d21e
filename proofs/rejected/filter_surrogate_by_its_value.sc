# must fail: refuted, line 10: in value
#
# The surrogate likelihood has the value Ẑ. Under ∇ it must not be replaced by Ẑ, whose gradient is that of
# another filter.

use "@dpf"

theorem in_value: Z =→ Ẑ
theorem replaced_under_a_gradient:
  →(∇θ log Z) = →(∇θ log Ẑ)     by using in_value
