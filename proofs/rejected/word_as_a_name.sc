# must fail: parse, line 6: stop
#
# A family named like an operator could be read either way.

parameter θ
function stop(x; θ)

theorem gradient: ∇θ (θ^2) = 2 * θ
