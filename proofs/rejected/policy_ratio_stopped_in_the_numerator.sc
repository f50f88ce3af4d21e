# must fail: refuted, line 12: in value
#
# The policy under training belongs in the numerator, live; the old one is the stopped one.

parameter θ
variable a, A
density π₁(a; θ)

theorem ratio_at_the_first_step: →(∇θ (π₁(a; θ) / ⊥(π₁(a; θ)) * A)) = A * ∇θ log π₁(a; θ)
theorem ratio_upside_down:
  →(∇θ (⊥(π₁(a; θ)) / π₁(a; θ) * A))
    = A * ∇θ log π₁(a; θ)
