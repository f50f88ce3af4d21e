# must fail: declaration, line 11: is a claim that is refuted
#
# What is refuted cannot be used as a lemma.

parameter θ
variable x
density p(x; θ)

refute no_gradient: →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = 0
theorem no_second_gradient:
  2 * →(∇θ (p(x; θ) / ⊥(p(x; θ)))) = 0     by using no_gradient
