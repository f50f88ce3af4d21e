# must fail: refuted, line 9: in value
#
# The base holds, the step does not: from n - 1 to n the right side grows by 2n - 1.

count n
index k = 1..n

theorem sum_of_the_first_numbers:
  Σ[k=1..n](k) = n^2     by induction on n, using hypothesis
