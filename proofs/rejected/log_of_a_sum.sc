# must fail: refuted, line 11: in value
#
# The log of a product is a sum of logs; the log of a sum is nothing of the kind.

parameter θ
variable x
density p(x; θ), q(x; θ)

theorem log_of_a_product: log(p(x; θ) * q(x; θ)) = log p(x; θ) + log q(x; θ)
theorem log_of_a_mixture:
  log(p(x; θ) + q(x; θ)) = log p(x; θ) + log q(x; θ)
