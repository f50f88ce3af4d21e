# must fail: parse, line 9: θ is a vector
#
# A vector parameter has coordinates; its square is no number until one says which.

count K
index k = 1..K
parameter θ[k]

theorem ridge: ∇θ (θ^2) = 2 * θ
