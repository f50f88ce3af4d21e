# must fail: declaration, line 7: x
#
# One name for the observation and the hidden state lets a proof take the one for the other.

parameter θ
variable x
observed x
density p(x; θ)

theorem score: →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = ∇θ log p(x; θ)
