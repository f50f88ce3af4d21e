# Section 2.2: the stop-gradient operator.
#
# An expression that may contain ⊥ is a function of θ and of its stopped copy, E = e(θ, ⊥θ); one that does
# not is a function of θ alone, G = g(θ).  Eq. 2 is read for n = 2.

parameter θ
function e(x, y), e₁(x, y), e₂(x, y), g(x), f(x, y)
define E = e(θ, ⊥(θ))
define E₁ = e₁(θ, ⊥(θ))
define E₂ = e₂(θ, ⊥(θ))
define G = g(θ)
density p(x; θ)
function r(x; θ)

notation
    \nabla \perp => \nabla_{\theta} \perp
    \overrightarrow{\nabla E} => \overrightarrow{\nabla_{\theta} G}
    \nabla E => \nabla_{\theta} G
    \quad \text{if } \perp \notin E =>
    E_1, \dots, E_n => \mathrm{E₁}, \mathrm{E₂}
    \overrightarrow{E_1}, \dots, \overrightarrow{E_n} => \overrightarrow{\mathrm{E₁}}, \overrightarrow{\mathrm{E₂}}
    f_\theta => r_\theta

printed 2:
    \overrightarrow{f(E_1, \dots, E_n)} = f(\overrightarrow{E_1}, \dots, \overrightarrow{E_n}) \quad (2)

equation 2 strictly:
    →(f(E₁, E₂))
    = f(→(E₁), →(E₂))

printed 3:
    \overrightarrow{\perp(E)} = \overrightarrow{E} \quad (3)

equation 3 strictly:
    →(⊥(E))
    = →(E)

printed 4:
    \nabla \perp(E) = 0 \quad (4)

equation 4 strictly:
    ∇θ ⊥(E)
    = 0

printed 5:
    \overrightarrow{\nabla E} = \nabla E \quad \text{if } \perp \notin E, \quad (5)

equation 5 strictly:
    →(∇θ G)
    = ∇θ G
    condition: ⊥ does not occur in E
    without: →(∇θ E) = ∇θ E

printed 6:
    \begin{aligned} \nabla_\theta \left( \frac{p_\theta(x)}{\perp(p_\theta(x))} f_\theta(x) \right) &= \\ f_\theta(x) \frac{\nabla_\theta p_\theta(x)}{\perp(p_\theta(x))} + \frac{p_\theta(x)}{\perp(p_\theta(x))} \nabla_\theta f_\theta(x) &= \\ f_\theta(x) \nabla_\theta \log p_\theta(x) + \nabla_\theta f_\theta(x). \end{aligned} \quad (6)

equation 6 in value:
    ∇θ(p(x; θ) / ⊥(p(x; θ)) * r(x; θ))
    = r(x; θ) * ∇θ p(x; θ) / ⊥(p(x; θ)) + p(x; θ) / ⊥(p(x; θ)) * ∇θ r(x; θ)
    = r(x; θ) * ∇θ log p(x; θ) + ∇θ r(x; θ)
