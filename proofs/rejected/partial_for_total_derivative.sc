# must fail: refuted, line 11: in value
#
# θ stands in two places; the partial derivative in one of them is not the whole gradient.

parameter θ
variable x
function f(x; θ), g(x; θ)

theorem partial_for_total:
  ∇θ f(g(x; θ); θ)
    = D[2](f)(g(x; θ); θ)
