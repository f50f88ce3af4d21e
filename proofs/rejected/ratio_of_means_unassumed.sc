# must fail: condition, line 11: != 0
#
# A self-normalised average divides by the sum of weights, which for weights of any sign may vanish.

count N
index i, j = 1..N
parameter θ
variable x[i]
function h(x; θ)

theorem normalised:
  Σ[i=1..N](h(x[i]; θ) / Σ[j=1..N](h(x[j]; θ))) = 1
