# must fail: declaration, line 9: θ
#
# A parameter is no function; a product is written with *.

parameter θ
variable x
function f(x)

theorem scaled: ∇θ (θ(x + 1)) = x + 1
