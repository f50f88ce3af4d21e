# Section 8: the stop-gradient tutorial.
#
# In Eq. 31–40 x is the parameter; in Eq. 41 and 42 G is an expression without ⊥, in Eq. 43 and 44 p a
# density.

parameter θ
function e(x, y), e₁(x, y), e₂(x, y), g(x), f(x, y)
define E = e(θ, ⊥(θ))
define E₁ = e₁(θ, ⊥(θ))
define E₂ = e₂(θ, ⊥(θ))
define G = g(θ)
parameter x
density p(z; θ)
function r(z; θ)

notation
    \nabla \perp => \nabla_{\theta} \perp
    \overrightarrow{\nabla E} => \overrightarrow{\nabla_{\theta} G}
    \nabla E => \nabla_{\theta} G
    \quad \text{if } \perp \notin E =>
    E_1, \dots, E_n => \mathrm{E₁}, \mathrm{E₂}
    \overrightarrow{E_1}, \dots, \overrightarrow{E_n} => \overrightarrow{\mathrm{E₁}}, \overrightarrow{\mathrm{E₂}}
    \nabla \frac{E}{\perp(E)} => \nabla_{\theta} \frac{G}{\perp(G)}
    \frac{\nabla E}{\perp(E)} => \frac{\nabla_{\theta} G}{\perp(G)}
    \frac{\nabla E}{E} => \frac{\nabla_{\theta} G}{G}
    \log E => \log G
    \nabla \frac{\perp(E)}{E} => \nabla_{\theta} \frac{\perp(G)}{G}
    \frac{\perp(E)}{E^2} => \frac{\perp(G)}{G^2}
    \frac{E}{E^2} => \frac{G}{G^2}
    p_{\theta}(x) => p_{\theta}(z)
    f_{\theta}(x) => r_{\theta}(z)
    x (\nabla_x => x \cdot (\nabla_x
    \perp(x) 0 => \perp(x) \cdot 0
    x 0 => x \cdot 0

printed 27:
    \overrightarrow{f(E_1, \dots, E_n)} = f(\overrightarrow{E_1}, \dots, \overrightarrow{E_n}) \quad (27)

equation 27 strictly:
    →(f(E₁, E₂))
    = f(→(E₁), →(E₂))

printed 28:
    \overrightarrow{\perp(E)} = \overrightarrow{E} \quad (28)

equation 28 strictly:
    →(⊥(E))
    = →(E)

printed 29:
    \nabla \perp(E) = 0 \quad (29)

equation 29 strictly:
    ∇θ ⊥(E)
    = 0

printed 30:
    \overrightarrow{\nabla E} = \nabla E \quad \text{if } \perp \notin E. \quad (30)

equation 30 strictly:
    →(∇θ G)
    = ∇θ G
    condition: ⊥ does not occur in E
    without: →(∇θ E) = ∇θ E

printed 31:
    \nabla_x \overrightarrow{x + \perp(x)^2 + x \perp(x)^2} = \nabla_x \left( \overrightarrow{x} + \overrightarrow{\perp(x)^2} + \overrightarrow{x \perp(x)^2} \right) = \nabla_x \left( x + \perp(x)^2 + \overrightarrow{x} \perp(x)^2 \right) = \quad (31)

printed 32:
    \nabla_x (x + x^2 + xx^2) = \nabla_x (x + x^2 + x^3) = 1 + 2x + 3x^2. \quad (32)

equation 31, 32 in value:
    ∇x →(x + ⊥(x)^2 + x * ⊥(x)^2)
    = ∇x(→(x) + →(⊥(x)^2) + →(x * ⊥(x)^2))
    = ∇x(x + ⊥(x)^2 + →(x) * ⊥(x)^2)
    = ∇x(x + x^2 + x * x^2)
    = ∇x(x + x^2 + x^3)
    = 1 + 2 * x + 3 * x^2

corrected 31:
    ∇x(→(x) + →(⊥(x)^2) + →(x) * →(⊥(x)^2))

printed 33:
    \overrightarrow{\nabla_x (x + \perp(x)^2 + x \perp(x)^2)} = \overrightarrow{1 + 2\perp(x) \nabla_x \perp(x) + (\nabla_x \perp(x))^2 + x (\nabla_x \perp(x)^2)} = \quad (33)

printed 34:
    \overrightarrow{1 + 2\perp(x) 0 + \perp(x)^2 + x 0} = \overrightarrow{1 + \perp(x)^2} = \overrightarrow{1} + \overrightarrow{\perp(x)^2} = 1 + \perp(x)^2 = 1 + x^2. \quad (34)

equation 33, 34 in value:
    →(∇x(x + ⊥(x)^2 + x * ⊥(x)^2))
    = →(1 + 2 * ⊥(x) * ∇x ⊥(x) + (∇x ⊥(x))^2 + x * ∇x(⊥(x)^2))
    = →(1 + 2 * ⊥(x) * 0 + ⊥(x)^2 + x * 0)
    = →(1 + ⊥(x)^2)
    = →(1) + →(⊥(x)^2)
    = 1 + ⊥(x)^2
    = 1 + x^2

corrected 33:
    →(∇x x + ∇x(⊥(x)^2) + (∇x x) * ⊥(x)^2 + x * ∇x(⊥(x)^2))

printed 35:
    \nabla_x \overrightarrow{\nabla_x \exp(\perp(x) + \log x)} = \nabla_x \overrightarrow{\exp(\perp(x) + \log x) \nabla_x (\perp(x) + \log x)} = \quad (35)

printed 36:
    \nabla_x \overrightarrow{\exp(\perp(x) + \log x) (\nabla_x \perp(x) + \nabla_x \log x)} = \nabla_x \overrightarrow{\exp(\perp(x) + \log x) \left(0 + \frac{1}{x}\right)} = \quad (36)

printed 37:
    \nabla_x \overrightarrow{\exp(\perp(x) + \log x) \frac{1}{x}} = \nabla_x \left( \overrightarrow{\exp(\perp(x) + \log x) \frac{1}{x}} \right) = \quad (37)

printed 38:
    \nabla_x \left( \overrightarrow{\exp(\perp(x) + \log x) \frac{1}{x}} \right) = \nabla_x \left( \exp(x + \log x) \frac{1}{x} \right) = \quad (38)

printed 39:
    \frac{1}{x} \nabla_x \exp(x + \log x) + \exp(x + \log x) \nabla_x \frac{1}{x} = \quad (39)

printed 40:
    \frac{1}{x} \exp(x + \log x) \left(1 + \frac{1}{x}\right) - \frac{1}{x^2} \exp(x + \log x) = \frac{1}{x} \exp(x + \log x). \quad (40)

equation 35, 36, 37, 38, 39, 40 in value:
    ∇x →(∇x exp(⊥(x) + log x))
    = ∇x →(exp(⊥(x) + log x) * ∇x(⊥(x) + log x))
    = ∇x →(exp(⊥(x) + log x) * (∇x ⊥(x) + ∇x log x))
    = ∇x →(exp(⊥(x) + log x) * (0 + 1/x))
    = ∇x →(exp(⊥(x) + log x) / x)
    = ∇x →(exp(⊥(x) + log x) / x)
    = ∇x →(exp(⊥(x) + log x) / x)
    = ∇x(exp(x + log x) / x)
    = 1/x * ∇x exp(x + log x) + exp(x + log x) * ∇x(1/x)
    = 1/x * exp(x + log x) * (1 + 1/x) - 1 / x^2 * exp(x + log x)
    = 1/x * exp(x + log x)

printed 41:
    \overrightarrow{\nabla \frac{E}{\perp(E)}} = \overrightarrow{\frac{\nabla E}{\perp(E)}} = \frac{\nabla E}{E} = \log E, \quad (41)

equation 41 in value:
    →(∇θ(G / ⊥(G)))
    = →(∇θ G / ⊥(G))
    = ∇θ G / G
    = log G

corrected 41:
    ∇θ log G

printed 42:
    \overrightarrow{\nabla \frac{\perp(E)}{E}} = -\frac{\perp(E)}{E^2} \overrightarrow{\nabla E} = -\frac{\perp(E)}{E^2} \overrightarrow{\nabla E} = -\frac{E}{E^2} \nabla E = -\frac{\nabla E}{E} = -\log E, \quad (42)

equation 42 in value:
    →(∇θ(⊥(G) / G))
    = -⊥(G) / G^2 * →(∇θ G)
    = -⊥(G) / G^2 * →(∇θ G)
    = -G / G^2 * ∇θ G
    = -∇θ G / G
    = -log G

corrected 42:
    -∇θ log G

printed 43:
    \overrightarrow{\nabla_{\theta} \left( \frac{p_{\theta}(x)}{\perp(p_{\theta}(x))} f_{\theta}(x) \right)} = \overrightarrow{\nabla_{\theta} \left( \frac{p_{\theta}(x)}{\perp(p_{\theta}(x))} \right)} f_{\theta}(x) + \frac{p_{\theta}(x)}{\perp(p_{\theta}(x))} \overrightarrow{\nabla_{\theta} f_{\theta}(x)} = \quad (43)

printed 44:
    f_{\theta}(x) \overrightarrow{\frac{\nabla_{\theta} p_{\theta}(x)}{\perp(p_{\theta}(x))}} + \frac{p_{\theta}(x)}{\perp(p_{\theta}(x))} \overrightarrow{\nabla_{\theta} f_{\theta}(x)} = f_{\theta}(x) \nabla_{\theta} \log p_{\theta}(x) + \nabla_{\theta} f_{\theta}(x). \quad (44)

equation 43, 44 in value:
    →(∇θ(p(z; θ) / ⊥(p(z; θ)) * r(z; θ)))
    = →(∇θ(p(z; θ) / ⊥(p(z; θ)))) * r(z; θ) + p(z; θ) / ⊥(p(z; θ)) * →(∇θ r(z; θ))
    = r(z; θ) * →(∇θ p(z; θ) / ⊥(p(z; θ))) + p(z; θ) / ⊥(p(z; θ)) * →(∇θ r(z; θ))
    = r(z; θ) * ∇θ log p(z; θ) + ∇θ r(z; θ)

