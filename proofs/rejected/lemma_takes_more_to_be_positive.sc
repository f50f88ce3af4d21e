# must fail: lemma, line 10: takes f to be positive
#
# The theorem is for every f, the lemma for positive ones of the same name.

parameter θ
variable x

lemma score for every f(x; θ) > 0:
  →(∇θ (f(x; θ) / ⊥(f(x; θ)))) = ∇θ log f(x; θ)
theorem twice_the_score for every f(x; θ):
  2 * →(∇θ (f(x; θ) / ⊥(f(x; θ)))) = 2 * ∇θ log f(x; θ)     by using score
