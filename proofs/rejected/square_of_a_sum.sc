# must fail: refuted, line 11: in value
#
# The cross term is missing.

parameter θ
variable x
function f(x; θ), g(x; θ)

theorem square_of_a_sum:
  (f(x; θ) + g(x; θ))^2
    = f(x; θ)^2 + g(x; θ)^2
