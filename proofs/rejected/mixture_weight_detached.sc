# must fail: refuted, line 12: in value
#
# A mixture's weight depends on θ; with it stopped the score of the mixture lacks two terms.

parameter θ
variable x
density p(x), q(x)
function m(θ)

theorem score_of_a_mixture:
  ∇θ (m(θ) * p(x) + (1 - m(θ)) * q(x))
    = →(∇θ (⊥(m(θ)) * p(x) + (1 - m(θ)) * q(x)))
