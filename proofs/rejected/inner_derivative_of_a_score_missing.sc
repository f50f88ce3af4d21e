# must fail: refuted, line 13: in value
#
# ∇ log(1 - p) brings a factor -1 from inside.

parameter θ
variable x
density p(x; θ)

assume 1 - p(x; θ) > 0

theorem failure_probability:
  ∇θ log(1 - p(x; θ))
    = ∇θ p(x; θ) / (1 - p(x; θ))
