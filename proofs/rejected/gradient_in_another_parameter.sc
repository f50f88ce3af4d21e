# must fail: refuted, line 12: in value
#
# The score in φ of a law with its own parameters is not that in θ.

parameter θ, φ
variable x
density p(x; θ), q(x; φ)

theorem score_of_the_model: →(∇θ log(p(x; θ) / q(x; φ))) = ∇θ log p(x; θ)
theorem score_of_the_proposal:
  →(∇φ log(p(x; θ) / q(x; φ)))
    = ∇φ log q(x; φ)
