# Section 12.4: automatic differentiation of stochastic computation.
#
# L is the expectation of f under the law of h(ε, θ), Eq. 144; n is the law of ε.

parameter θ
density p(x; θ), n(ε)
function f(x; θ), h(ε; θ)
define L = 𝔼[ε ~ n(·)](f(h(ε; θ); θ))


notation
    \epsilon \sim \mathcal{N}(0,1) => \epsilon \sim n
    f_\theta(h(\epsilon, \theta)) => f_\theta(h_\theta(\epsilon))
    \mathcal{L} => L

printed 144:
    \nabla_\theta \mathcal{L} = \nabla_\theta \mathbb{E}_{\epsilon \sim \mathcal{N}(0,1)} [f_\theta(h(\epsilon, \theta))] = \mathbb{E}_{\epsilon \sim \mathcal{N}(0,1)} [\nabla_\theta f_\theta(h(\epsilon, \theta))], \quad (144)

equation 144 in value:
    ∇θ L
    = ∇θ 𝔼[ε ~ n(·)](f(h(ε; θ); θ))
    = 𝔼[ε ~ n(·)](∇θ f(h(ε; θ); θ))

printed 145:
    \nabla_\theta \mathbb{E}_{x \sim p_\theta(x)} [f_\theta(x)] = \mathbb{E}_{x \sim p_\theta(x)} [\nabla_\theta f_\theta(x) + f_\theta(x) \nabla_\theta \log p_\theta(x)]. \quad (145)

equation 145 in value:
    ∇θ 𝔼[x ~ p(·; θ)](f(x; θ))
    = 𝔼[x ~ p(·; θ)](∇θ f(x; θ) + f(x; θ) * ∇θ log p(x; θ))

printed 146:
    \overrightarrow{\nabla_\theta \left( \frac{p_\theta(x)}{\perp(p_\theta(x))} f_\theta(x) \right)} = \quad (146)

printed 147:
    f_\theta(x) \overrightarrow{\frac{\nabla_\theta p_\theta(x)}{\perp(p_\theta(x))}} + \overrightarrow{\frac{p_\theta(x)}{\perp(p_\theta(x))}} \nabla_\theta f_\theta(x) = \quad (147)

printed 148:
    f_\theta(x) \nabla_\theta \log p_\theta(x) + \nabla_\theta f_\theta(x), \quad (148)

equation 146, 147, 148 in value:
    →(∇θ(p(x; θ) / ⊥(p(x; θ)) * f(x; θ)))
    = f(x; θ) * →(∇θ p(x; θ) / ⊥(p(x; θ))) + →(p(x; θ) / ⊥(p(x; θ))) * ∇θ f(x; θ)
    = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)
