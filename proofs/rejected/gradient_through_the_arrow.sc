# must fail: refuted, line 12: in value
#
# → puts the live parameter back in place of the stopped one, so that ∇→E differentiates what →∇E must not.

parameter θ
variable x
density p(x; θ)

theorem dice_factor: →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = ∇θ log p(x; θ)
theorem gradient_through_the_arrow:
  →(∇θ (p(x; θ) / ⊥(p(x; θ))))
    = ∇θ →(p(x; θ) / ⊥(p(x; θ)))
