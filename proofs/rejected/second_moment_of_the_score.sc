# must fail: refuted, line 10: in value
#
# The score has mean zero; its square has the Fisher information.

parameter θ
density p(x; θ)

theorem squared_score:
  𝔼[x ~ p(·; θ)]((∇θ log p(x; θ))^2)
    = 0
