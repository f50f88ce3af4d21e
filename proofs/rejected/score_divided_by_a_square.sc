# must fail: refuted, line 10: in value
#
# ∇ log p is ∇p / p; the square belongs to ∇(1/p).

parameter θ
variable x
density p(x; θ)

theorem score_divided_by_a_square:
  ∇θ log p(x; θ) = ∇θ p(x; θ) / p(x; θ)^2     by log_derivative
