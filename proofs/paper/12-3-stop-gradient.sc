# Section 12.3: the stop-gradient operator.

parameter θ
function e(x, y), e₁(x, y), e₂(x, y), g(x), f(x, y)
define E = e(θ, ⊥(θ))
define E₁ = e₁(θ, ⊥(θ))
define E₂ = e₂(θ, ⊥(θ))
define G = g(θ)

notation
    \nabla \perp => \nabla_{\theta} \perp
    \overrightarrow{\nabla E} => \overrightarrow{\nabla_{\theta} G}
    \nabla E => \nabla_{\theta} G
    \quad \text{if } \perp \notin E =>
    E_1, \dots, E_n => \mathrm{E₁}, \mathrm{E₂}
    \overrightarrow{E_1}, \dots, \overrightarrow{E_n} => \overrightarrow{\mathrm{E₁}}, \overrightarrow{\mathrm{E₂}}

printed 140:
    \overrightarrow{f(E_1, \dots, E_n)} = f(\overrightarrow{E_1}, \dots, \overrightarrow{E_n}) \quad (140)

equation 140 strictly:
    →(f(E₁, E₂))
    = f(→(E₁), →(E₂))

printed 141:
    \perp(\overrightarrow{E}) = \overrightarrow{E} \quad (141)

equation 141 strictly:
    ⊥(→(E))
    = →(E)

printed 142:
    \nabla \perp(E) = 0 \quad (142)

equation 142 strictly:
    ∇θ ⊥(E)
    = 0

printed 143:
    \overrightarrow{\nabla E} = \nabla E \quad \text{if } \perp \notin E, \quad (143)

equation 143 strictly:
    →(∇θ G)
    = ∇θ G
    condition: ⊥ does not occur in E
    without: →(∇θ E) = ∇θ E

corrected 141:
    →(⊥(E))
    = →(E)

