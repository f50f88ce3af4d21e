# must fail: refuted, line 11: in value
#
# exp(A + B) is a product.

parameter θ
variable x
function f(x; θ), g(x; θ)

theorem exponential_of_a_sum:
  exp(f(x; θ) + g(x; θ))
    = exp(f(x; θ)) + exp(g(x; θ))
