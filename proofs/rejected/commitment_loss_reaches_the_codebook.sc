# must fail: refuted, line 12: in value
#
# The commitment term stops the code, so that its gradient reaches the encoder alone.

parameter θ, φ
variable x
function e(x; θ), c(x; φ)

theorem encoder: →(∇θ ((e(x; θ) - ⊥(c(x; φ)))^2)) = 2 * (e(x; θ) - c(x; φ)) * ∇θ e(x; θ)
theorem codebook:
  →(∇φ ((e(x; θ) - ⊥(c(x; φ)))^2))
    = -2 * (e(x; θ) - c(x; φ)) * ∇φ c(x; φ)
