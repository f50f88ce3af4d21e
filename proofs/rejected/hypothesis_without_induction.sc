# must fail: declaration, line 8: in an induction only
#
# Without an induction there is nothing that is supposed.

count n
index k = 1..n

theorem sum_of_ones: Σ[k=1..n](1) = n     by using hypothesis
