# must fail: refuted, line 9: in value
#
# The step holds: both sides grow by n. The base does not, the left side being 0 where the right one is 1.

count n
index k = 1..n

theorem sum_of_the_first_numbers:
  Σ[k=1..n](k) = n * (n + 1) / 2 + 1     by induction on n, using hypothesis
