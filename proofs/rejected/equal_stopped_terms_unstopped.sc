# must fail: refuted, line 12: in value
#
# Equal stopped terms are equal values, →A = →B; their gradients may differ.

parameter θ
variable x
density p(x; θ)

lemma equal_under_stop: ⊥(p(x; θ) / ⊥(p(x; θ))) = ⊥(2 - p(x; θ) / ⊥(p(x; θ)))
theorem equal_gradients:
  →(∇θ (p(x; θ) / ⊥(p(x; θ))))
    = →(∇θ (2 - p(x; θ) / ⊥(p(x; θ))))
