# must fail: refuted, line 10: in value
#
# 𝔼 ∇² log p is minus the Fisher information.

parameter θ
density p(x; θ)

theorem fisher_information:
  𝔼[x ~ p(·; θ)](∇²θ log p(x; θ))
    = 𝔼[x ~ p(·; θ)]((∇θ log p(x; θ))^2)
