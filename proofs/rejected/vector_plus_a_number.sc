# must fail: term, line 12: vector
#
# A gradient in a vector and a number cannot be added.

count K
index k = 1..K
parameter θ[k]
variable x
density p(x; θ)
function f(x; θ)

theorem shifted_score: ∇θ log p(x; θ) + f(x; θ) = ∇θ log p(x; θ)
