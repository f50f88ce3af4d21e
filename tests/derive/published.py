"""Published losses: the text, the same loss written by hand in torch, and the estimator it should give.

The torch side knows nothing of the language: ``sg`` is ``detach``, sums are Python loops.  ``expected``
is what the literature prints; it is compared as a formula, up to the order of factors and summands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import exp, log

Numbers = SimpleNamespace


@dataclass(frozen=True)
class Loss:
    """A loss, its orders of differentiation to look at, and its estimator at order 1 where it is known."""

    name: str
    text: str
    wrt: str
    torch: Callable[[Numbers], torch.Tensor]
    expected: str | None = None
    orders: tuple[int, ...] = (1, 2)


def sg(x: torch.Tensor) -> torch.Tensor:
    return x.detach()


def sigmoid(x: torch.Tensor) -> torch.Tensor:
    return 1 / (1 + exp(-x))


def slope(out: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
    """d out / d at, to be differentiated again."""
    return torch.autograd.grad(out, at, create_graph=True)[0]


def slope_at(f: Callable[[torch.Tensor], torch.Tensor], at: torch.Tensor) -> torch.Tensor:
    """f′(at); ``at`` itself may depend on parameters."""
    copy = at.clone() if at.requires_grad else at.clone().requires_grad_()
    return slope(f(copy), copy)


def prod(factors: Any) -> Any:
    out = 1.0
    for factor in factors:
        out = out * factor
    return out


def weight(v: Numbers, k: int) -> torch.Tensor:
    """p(x, z[k]; θ) / q(z[k] | x; θ)."""
    return v.p(v.x, v.z[k], v.θ) / v.q(v.z[k], v.x, v.θ)


def path_weight(v: Numbers, k: int, frozen: bool = False) -> torch.Tensor:
    """p(x, g(e[k]; φ); θ) / q(g(e[k]; φ) | x; φ), the φ of q stopped or not."""
    z = v.g(v.e[k], v.φ)
    return v.p(v.x, z, v.θ) / v.q(z, v.x, sg(v.φ) if frozen else v.φ)


def policy_ratio(v: Numbers, t: int) -> torch.Tensor:
    pi = v.π(v.a[t], v.s[t], v.θ)
    return pi / sg(pi)


def vimco(v: Numbers) -> torch.Tensor:
    K = len(v.z)
    w = [weight(v, k) for k in range(K)]
    bound = log(sum(w) / K)
    total = bound
    for k in range(K):
        others = [w[j] for j in range(K) if j != k]
        without = log((sum(others) + exp(sum(map(log, others)) / (K - 1))) / K)
        total = total + sg(bound - without) * log(v.q(v.z[k], v.x, v.θ))
    return total


W = "p(x, z[{0}]; θ) / q(z[{0}] | x; θ)"
VIMCO = (
    f"log(1/K * Σ[k=1..K]({W.format('k')}))"
    f" + Σ[k=1..K](⊥(log(1/K * Σ[j=1..K]({W.format('j')})) - log(1/K * (Σ[j=1..K](cases([j = k]: 0, else: "
    f"{W.format('j')})) + exp(1/(K - 1) * Σ[m=1..K](cases([m = k]: 0, else: log({W.format('m')}))))))) "
    "* log q(z[k] | x; θ))"
)


def wake(v: Numbers) -> torch.Tensor:
    w = [weight(v, k) for k in range(len(v.z))]
    return -sum(sg(w_k / sum(w)) * log(v.q(z, v.x, v.θ)) for w_k, z in zip(w, v.z, strict=True))


PATH = "p(x, g(e[k]; φ); θ) / q(g(e[k]; φ) | x; φ)"
STUCK = "p(x, g(e[k]; φ); θ) / q(g(e[k]; φ) | x; ⊥(φ))"


def dreg(v: Numbers) -> torch.Tensor:
    w = [path_weight(v, k, frozen=True) for k in range(len(v.e))]
    return sum(sg(w_k / sum(w)) ** 2 * log(w_k) for w_k in w)


def filter_two_steps(v: Numbers) -> torch.Tensor:
    """Two steps of the differentiable particle filter with given ancestors."""
    N = len(v.z)
    first = [v.p(v.z[i], v.y, v.θ) / sg(v.q(v.z[i], v.y, v.θ)) / N for i in range(N)]
    bar = [f / sum(first) for f in first]
    second = []
    for i in range(N):
        b = bar[int(v.anc[i]) - 1]
        second.append(b / sg(b) * v.p(v.e[i], v.x, v.θ) / N)
    return log(sum(first)) + log(sum(second))


FIRST = "1/N * p(z[{0}], y; θ) / ⊥(q(z[{0}], y; θ))"
BAR = f"({FIRST.format('anc[i]')}) / Σ[j=1..N]({FIRST.format('j')})"
FILTER = f"log Σ[i=1..N]({FIRST.format('i')}) + log Σ[i=1..N](({BAR}) / ⊥({BAR}) * p(e[i], x; θ) / N)"


def maml(v: Numbers, first_order: bool) -> torch.Tensor:
    inner = slope_at(v.l, v.θ)
    return v.h(v.θ - v.α * (sg(inner) if first_order else inner))


def lola(v: Numbers) -> torch.Tensor:
    φ = v.φ if v.φ.requires_grad else v.φ.clone().requires_grad_()
    return v.V(v.θ, φ + v.η * slope(v.U(v.θ, φ), φ))


def in_x(v: Numbers) -> torch.Tensor:
    return v.x if v.x.requires_grad else v.x.clone().requires_grad_()


def hyvarinen(v: Numbers) -> torch.Tensor:
    x = in_x(v)
    score = slope(log(v.p(x, v.y, v.θ)), x)
    return score**2 / 2 + slope(score, x)


def r1_penalty(v: Numbers) -> torch.Tensor:
    x = in_x(v)
    return v.γ / 2 * slope(v.f(x, v.θ), x) ** 2


def gradient_penalty(v: Numbers) -> torch.Tensor:
    x = in_x(v)
    return (torch.sqrt(slope(v.f(x, v.θ), x) ** 2) - 1) ** 2


def gae_loaded_dice(v: Numbers) -> torch.Tensor:
    T = len(v.a)
    total = torch.zeros(())
    for t in range(T):
        now = prod(policy_ratio(v, s) for s in range(t + 1))
        before = prod(policy_ratio(v, s) for s in range(t))
        total = total + v.γ ** (t + 1) * (now - before) * v.A[t]
    return total


RATIO = "π(a[{0}] | s[{0}]; θ) / ⊥(π(a[{0}] | s[{0}]; θ))"
P = "p(x, y; θ)"
DICE = f"{P} / ⊥({P}) * f(x; θ)"


def dice(v: Numbers) -> torch.Tensor:
    p = v.p(v.x, v.y, v.θ)
    return p / sg(p) * v.f(v.x, v.θ)


def k3(v: Numbers, i: int) -> torch.Tensor:
    pi = v.π(v.a[i], v.s[i], v.θ)
    ratio = v.r(v.a[i], v.s[i]) / pi
    return pi / sg(pi) * v.A[i] - v.β * (ratio - log(ratio) - 1)


LOSSES = [
    Loss(
        "REINFORCE (Williams 1992)",
        "⊥(r(a0, s0)) * log π(a0 | s0; θ)",
        "θ",
        lambda v: sg(v.r(v.a0, v.s0)) * log(v.π(v.a0, v.s0, v.θ)),
        "r(a0, s0) * ∇θ log π(a0 | s0; θ)",
    ),
    Loss(
        "REINFORCE with a baseline",
        "⊥(r(a0, s0) - b(s0; φ)) * log π(a0 | s0; θ)",
        "θ",
        lambda v: sg(v.r(v.a0, v.s0) - v.b(v.s0, v.φ)) * log(v.π(v.a0, v.s0, v.θ)),
        "(r(a0, s0) - b(s0; φ)) * ∇θ log π(a0 | s0; θ)",
    ),
    Loss(
        "its baseline's regression",
        "(⊥(r(a0, s0)) - b(s0; φ))^2",
        "φ",
        lambda v: (sg(v.r(v.a0, v.s0)) - v.b(v.s0, v.φ)) ** 2,
        "-2 * (r(a0, s0) - b(s0; φ)) * ∇φ b(s0; φ)",
    ),
    Loss(
        "score-function surrogate (Schulman et al. 2015)",
        f"f(x; θ) + ⊥(f(x; θ)) * log {P}",
        "θ",
        lambda v: v.f(v.x, v.θ) + sg(v.f(v.x, v.θ)) * log(v.p(v.x, v.y, v.θ)),
        f"f(x; θ) * ∇θ log {P} + ∇θ f(x; θ)",
    ),
    Loss("DiCE (Foerster et al. 2018)", DICE, "θ", dice, f"f(x; θ) * ∇θ log {P} + ∇θ f(x; θ)", (1, 2, 3)),
    Loss(
        "DiCE's magic box",
        f"exp(log {P} - ⊥(log {P})) * f(x; θ)",
        "θ",
        lambda v: exp(log(v.p(v.x, v.y, v.θ)) - sg(log(v.p(v.x, v.y, v.θ)))) * v.f(v.x, v.θ),
        f"f(x; θ) * ∇θ log {P} + ∇θ f(x; θ)",
    ),
    Loss(
        "DiCE with a baseline (Mao et al. 2019)",
        f"{DICE} + (1 - {P} / ⊥({P})) * b(x; φ)",
        "θ",
        lambda v: dice(v) + (1 - v.p(v.x, v.y, v.θ) / sg(v.p(v.x, v.y, v.θ))) * v.b(v.x, v.φ),
        f"(f(x; θ) - b(x; φ)) * ∇θ log {P} + ∇θ f(x; θ)",
    ),
    Loss(
        "Loaded DiCE (Farquhar et al. 2019)",
        f"Σ[t=1..T](γ^t * (∏[u=1..t]({RATIO.format('u')}) - ∏[u=1..t-1]({RATIO.format('u')})) * A[t])",
        "θ",
        gae_loaded_dice,
    ),
    Loss(
        "importance-weighted policy objective (TRPO)",
        "π(a0 | s0; θ) / ⊥(π(a0 | s0; θ)) * B",
        "θ",
        lambda v: v.π(v.a0, v.s0, v.θ) / sg(v.π(v.a0, v.s0, v.θ)) * v.B,
        "B * ∇θ log π(a0 | s0; θ)",
    ),
    Loss(
        "PPO's clipped objective, behaviour μ",
        "min(π(a0 | s0; θ) / μ(a0 | s0) * B, min(max(π(a0 | s0; θ) / μ(a0 | s0), 1 - ε), 1 + ε) * B)",
        "θ",
        lambda v: torch.minimum(
            v.π(v.a0, v.s0, v.θ) / v.μ(v.a0, v.s0) * v.B,
            torch.clamp(v.π(v.a0, v.s0, v.θ) / v.μ(v.a0, v.s0), float(1 - v.ε), float(1 + v.ε)) * v.B,
        ),
    ),
    Loss(
        "GRPO with the k3 penalty (Shao et al. 2024)",
        "1/G * Σ[i=1..G](π(a[i] | s[i]; θ) / ⊥(π(a[i] | s[i]; θ)) * A[i]"
        " - β * (r(a[i], s[i]) / π(a[i] | s[i]; θ) - log(r(a[i], s[i]) / π(a[i] | s[i]; θ)) - 1))",
        "θ",
        lambda v: sum(k3(v, i) for i in range(3)) / 3,
        "1/G * Σ[i=1..G]((A[i] + β * (r(a[i], s[i]) / π(a[i] | s[i]; θ) - 1)) * ∇θ log π(a[i] | s[i]; θ))",
    ),
    Loss(
        "A2C with entropy",
        "-⊥(B) * log π(a0 | s0; θ) + c * (⊥(R) - b(s0; θ))^2"
        " + β * Σ[k=1..K](π(k | s0; θ) * log π(k | s0; θ))",
        "θ",
        lambda v: (
            -v.B * log(v.π(v.a0, v.s0, v.θ))
            + v.c * (v.R - v.b(v.s0, v.θ)) ** 2
            + v.β * sum(v.π(v.one * k, v.s0, v.θ) * log(v.π(v.one * k, v.s0, v.θ)) for k in (1, 2, 3))
        ),
        "-B * ∇θ log π(a0 | s0; θ) - 2 * c * (R - b(s0; θ)) * ∇θ b(s0; θ)"
        " + β * Σ[k=1..K]((1 + log π(k | s0; θ)) * π(k | s0; θ) * ∇θ log π(k | s0; θ))",
    ),
    Loss(
        "advantage-weighted regression (Peng et al. 2019)",
        "⊥(exp((R - b(s0; θ)) / β)) * log π(a0 | s0; θ)",
        "θ",
        lambda v: sg(exp((v.R - v.b(v.s0, v.θ)) / v.β)) * log(v.π(v.a0, v.s0, v.θ)),
        "exp((R - b(s0; θ)) / β) * ∇θ log π(a0 | s0; θ)",
    ),
    Loss(
        "V-trace policy gradient (Espeholt et al. 2018)",
        "⊥(min(c, π(a0 | s0; θ) / μ(a0 | s0))) * ⊥(R + γ * b(s1; θ) - b(s0; θ)) * log π(a0 | s0; θ)",
        "θ",
        lambda v: (
            sg(torch.minimum(v.c, v.π(v.a0, v.s0, v.θ) / v.μ(v.a0, v.s0)))
            * sg(v.R + v.γ * v.b(v.s1, v.θ) - v.b(v.s0, v.θ))
            * log(v.π(v.a0, v.s0, v.θ))
        ),
        "min(c, π(a0 | s0; θ) / μ(a0 | s0)) * (R + γ * b(s1; θ) - b(s0; θ)) * ∇θ log π(a0 | s0; θ)",
    ),
    Loss(
        "semi-gradient TD(0)",
        "1/2 * (⊥(R + γ * b(s1; θ)) - b(s0; θ))^2",
        "θ",
        lambda v: (sg(v.R + v.γ * v.b(v.s1, v.θ)) - v.b(v.s0, v.θ)) ** 2 / 2,
        "-(R + γ * b(s1; θ) - b(s0; θ)) * ∇θ b(s0; θ)",
    ),
    Loss(
        "residual gradient (Baird 1995)",
        "1/2 * (R + γ * b(s1; θ) - b(s0; θ))^2",
        "θ",
        lambda v: (v.R + v.γ * v.b(v.s1, v.θ) - v.b(v.s0, v.θ)) ** 2 / 2,
        "(R + γ * b(s1; θ) - b(s0; θ)) * (γ * ∇θ b(s1; θ) - ∇θ b(s0; θ))",
    ),
    Loss(
        "DQN (Mnih et al. 2015)",
        "1/2 * (⊥(R + γ * max(Q(s1, 1; θ), Q(s1, 2; θ))) - Q(s0, a0; θ))^2",
        "θ",
        lambda v: (
            (
                sg(v.R + v.γ * torch.maximum(v.Q(v.s1, v.one, v.θ), v.Q(v.s1, 2 * v.one, v.θ)))
                - v.Q(v.s0, v.a0, v.θ)
            )
            ** 2
            / 2
        ),
        "-(R + γ * max(Q(s1, 1; θ), Q(s1, 2; θ)) - Q(s0, a0; θ)) * ∇θ Q(s0, a0; θ)",
    ),
    Loss(
        "deterministic policy gradient (Silver et al. 2014)",
        "Q(s0, g(s0; θ); φ)",
        "θ",
        lambda v: v.Q(v.s0, v.g(v.s0, v.θ), v.φ),
        "D[2](Q)(s0, g(s0; θ); φ) * ∇θ g(s0; θ)",
    ),
    Loss(
        "SAC's policy loss (Haarnoja et al. 2018)",
        "α * log π(g(x; θ) | s0; θ) - Q(s0, g(x; θ); ⊥(φ))",
        "θ",
        lambda v: v.α * log(v.π(v.g(v.x, v.θ), v.s0, v.θ)) - v.Q(v.s0, v.g(v.x, v.θ), sg(v.φ)),
    ),
    Loss(
        "SAC's temperature",
        "-α * ⊥(log π(a0 | s0; θ) + c)",
        "α",
        lambda v: -v.α * sg(log(v.π(v.a0, v.s0, v.θ)) + v.c),
        "-(log π(a0 | s0; θ) + c)",
        (1,),
    ),
    Loss(
        "IWAE, the model's parameter (Burda et al. 2016)",
        f"log(1/K * Σ[k=1..K]({PATH}))",
        "θ",
        lambda v: log(sum(path_weight(v, k) for k in range(3)) / 3),
        f"Σ[k=1..K]({PATH} * ∇θ log p(x, g(e[k]; φ); θ)) / Σ[k=1..K]({PATH})",
    ),
    Loss(
        "IWAE, the proposal's parameter",
        f"log(1/K * Σ[k=1..K]({PATH}))",
        "φ",
        lambda v: log(sum(path_weight(v, k) for k in range(3)) / 3),
    ),
    Loss(
        "sticking the landing (Roeder et al. 2017)",
        "log p(x, g(y; φ); θ) - log q(g(y; φ) | x; ⊥(φ))",
        "φ",
        lambda v: log(v.p(v.x, v.g(v.y, v.φ), v.θ)) - log(v.q(v.g(v.y, v.φ), v.x, sg(v.φ))),
        "(D[2](p)(x, g(y; φ); θ) / p(x, g(y; φ); θ)"
        " - D[1](q)(g(y; φ) | x; φ) / q(g(y; φ) | x; φ)) * ∇φ g(y; φ)",
    ),
    Loss(
        "IWAE-STL",
        f"log(1/K * Σ[k=1..K]({STUCK}))",
        "φ",
        lambda v: log(sum(path_weight(v, k, frozen=True) for k in range(3)) / 3),
    ),
    Loss(
        "IWAE-DReG (Tucker et al. 2019)",
        f"Σ[k=1..K](⊥(({STUCK}) / Σ[j=1..K]({STUCK.replace('[k]', '[j]')}))^2 * log({STUCK}))",
        "φ",
        dreg,
    ),
    Loss("VIMCO (Mnih & Rezende 2016)", VIMCO, "θ", vimco),
    Loss(
        "NVIL (Mnih & Gregor 2014)",
        "⊥(log p(x, y; θ) - log q(y | x; φ) - c) * log q(y | x; φ) + log p(x, y; θ) - ⊥(log q(y | x; φ))",
        "φ",
        lambda v: (
            sg(log(v.p(v.x, v.y, v.θ)) - log(v.q(v.y, v.x, v.φ)) - v.c) * log(v.q(v.y, v.x, v.φ))
            + log(v.p(v.x, v.y, v.θ))
            - sg(log(v.q(v.y, v.x, v.φ)))
        ),
        "(log p(x, y; θ) - log q(y | x; φ) - c) * ∇φ log q(y | x; φ)",
    ),
    Loss(
        "reweighted wake-sleep, wake phase (Bornschein & Bengio 2015)",
        f"-Σ[k=1..K](⊥(({W.format('k')}) / Σ[j=1..K]({W.format('j')})) * log q(z[k] | x; θ))",
        "θ",
        wake,
        f"-Σ[k=1..K](({W.format('k')}) / Σ[j=1..K]({W.format('j')}) * ∇θ log q(z[k] | x; θ))",
    ),
    Loss(
        "variational Rényi bound (Li & Turner 2016)",
        f"1/(1 - α) * log(1/K * Σ[k=1..K](({W.format('k')})^(1 - α)))",
        "θ",
        lambda v: log(sum(weight(v, k) ** (1 - v.α) for k in range(3)) / 3) / (1 - v.α),
    ),
    Loss(
        "RELAX (Grathwohl et al. 2018)",
        "⊥(f(y; θ) - c0(g(x; θ); φ)) * log q(y | x; θ) + c0(h(θ); φ) - c0(g(x; θ); φ)",
        "θ",
        lambda v: (
            sg(v.f(v.y, v.θ) - v.c0(v.g(v.x, v.θ), v.φ)) * log(v.q(v.y, v.x, v.θ))
            + v.c0(v.h(v.θ), v.φ)
            - v.c0(v.g(v.x, v.θ), v.φ)
        ),
        "(f(y; θ) - c0(g(x; θ); φ)) * ∇θ log q(y | x; θ) + D[1](c0)(h(θ); φ) * ∇θ h(θ)"
        " - D[1](c0)(g(x; θ); φ) * ∇θ g(x; θ)",
    ),
    Loss(
        "straight-through (Bengio et al. 2013)",
        "h(⊥(c - g(x; θ)) + g(x; θ))",
        "θ",
        lambda v: v.h(sg(v.c - v.g(v.x, v.θ)) + v.g(v.x, v.θ)),
        "D[1](h)(c) * ∇θ g(x; θ)",
    ),
    Loss(
        "VQ-VAE, encoder (van den Oord et al. 2017)",
        "(x - f(g(x; θ) + ⊥(c - g(x; θ)); φ))^2 + (⊥(g(x; θ)) - c)^2 + β * (g(x; θ) - ⊥(c))^2",
        "θ",
        lambda v: (
            (v.x - v.f(v.g(v.x, v.θ) + sg(v.c - v.g(v.x, v.θ)), v.φ)) ** 2
            + (sg(v.g(v.x, v.θ)) - v.c) ** 2
            + v.β * (v.g(v.x, v.θ) - sg(v.c)) ** 2
        ),
        "(2 * β * (g(x; θ) - c) - 2 * (x - f(c; φ)) * D[1](f)(c; φ)) * ∇θ g(x; θ)",
    ),
    Loss(
        "VQ-VAE, code book",
        "(x - f(g(x; θ) + ⊥(c - g(x; θ)); φ))^2 + (⊥(g(x; θ)) - c)^2 + β * (g(x; θ) - ⊥(c))^2",
        "c",
        lambda v: (
            (v.x - v.f(v.g(v.x, v.θ) + sg(v.c - v.g(v.x, v.θ)), v.φ)) ** 2
            + (sg(v.g(v.x, v.θ)) - v.c) ** 2
            + v.β * (v.g(v.x, v.θ) - sg(v.c)) ** 2
        ),
        "-2 * (g(x; θ) - c)",
    ),
    Loss(
        "BYOL (Grill et al. 2020)",
        "(h(g(x; θ)) - ⊥(g(y; φ)))^2",
        "θ",
        lambda v: (v.h(v.g(v.x, v.θ)) - sg(v.g(v.y, v.φ))) ** 2,
        "2 * (h(g(x; θ)) - g(y; φ)) * D[1](h)(g(x; θ)) * ∇θ g(x; θ)",
    ),
    Loss(
        "SimSiam (Chen & He 2021)",
        "-1/2 * (h(g(x; θ)) * ⊥(g(y; θ)) + h(g(y; θ)) * ⊥(g(x; θ)))",
        "θ",
        lambda v: -(v.h(v.g(v.x, v.θ)) * sg(v.g(v.y, v.θ)) + v.h(v.g(v.y, v.θ)) * sg(v.g(v.x, v.θ))) / 2,
        "-1/2 * (g(y; θ) * D[1](h)(g(x; θ)) * ∇θ g(x; θ) + g(x; θ) * D[1](h)(g(y; θ)) * ∇θ g(y; θ))",
    ),
    Loss(
        "focal loss with a stopped weight",
        f"-⊥((1 + {P})^γ) * log {P}",
        "θ",
        lambda v: -sg((1 + v.p(v.x, v.y, v.θ)) ** v.γ) * log(v.p(v.x, v.y, v.θ)),
        f"-(1 + {P})^γ * ∇θ log {P}",
    ),
    Loss(
        "gradient reversal (Ganin & Lempitsky 2015)",
        "h((1 + λ) * ⊥(g(x; θ)) - λ * g(x; θ))",
        "θ",
        lambda v: v.h((1 + v.λ) * sg(v.g(v.x, v.θ)) - v.λ * v.g(v.x, v.θ)),
        "-λ * D[1](h)(g(x; θ)) * ∇θ g(x; θ)",
    ),
    Loss(
        "MAML (Finn et al. 2017)",
        "h(θ - α * →(∇θ l(θ)))",
        "θ",
        lambda v: maml(v, first_order=False),
        "(1 - α * ∇²θ l(θ)) * D[1](h)(θ - α * ∇θ l(θ))",
    ),
    Loss(
        "first-order MAML",
        "h(θ - α * ⊥(∇θ l(θ)))",
        "θ",
        lambda v: maml(v, first_order=True),
        "D[1](h)(θ - α * ∇θ l(θ))",
    ),
    Loss("LOLA (Foerster et al. 2018)", "V(θ, φ + η * ∇φ U(θ, φ))", "θ", lola),
    Loss(
        "score matching (Hyvärinen 2005)", f"1/2 * (∇x log {P})^2 + ∇²x log {P}", "θ", hyvarinen, orders=(1,)
    ),
    Loss(
        "R1 penalty (Mescheder et al. 2018)",
        "γ/2 * (∇x f(x; θ))^2",
        "θ",
        r1_penalty,
        "γ * ∇x f(x; θ) * ∇θ ∇x f(x; θ)",
    ),
    Loss("WGAN-GP (Gulrajani et al. 2017)", "(sqrt((∇x f(x; θ))^2) - 1)^2", "θ", gradient_penalty),
    Loss(
        "non-saturating GAN",
        "softplus(-f(g(x; θ); φ))",
        "θ",
        lambda v: torch.nn.functional.softplus(-v.f(v.g(v.x, v.θ), v.φ)),
        "-sigmoid(-f(g(x; θ); φ)) * D[1](f)(g(x; θ); φ) * ∇θ g(x; θ)",
    ),
    Loss(
        "contrastive divergence (Hinton 2002)",
        "f(x; θ) - f(⊥(g(x; θ)); θ)",
        "θ",
        lambda v: v.f(v.x, v.θ) - v.f(sg(v.g(v.x, v.θ)), v.θ),
    ),
    Loss(
        "DPO (Rafailov et al. 2023)",
        "-log sigmoid(β * (log π(a0 | s0; θ) - log π(a1 | s0; θ) - c))",
        "θ",
        lambda v: -log(sigmoid(v.β * (log(v.π(v.a0, v.s0, v.θ)) - log(v.π(v.a1, v.s0, v.θ)) - v.c))),
        "-β * (1 - sigmoid(β * (log π(a0 | s0; θ) - log π(a1 | s0; θ) - c)))"
        " * (∇θ log π(a0 | s0; θ) - ∇θ log π(a1 | s0; θ))",
    ),
    Loss(
        "self-normalised Fisher estimator (Ścibior & Wood, Eq. 10-12)",
        "log(1/N * Σ[i=1..N](p(z[i], y; θ) / ⊥(q(z[i], y; θ))))",
        "θ",
        lambda v: log(sum(v.p(v.z[i], v.y, v.θ) / sg(v.q(v.z[i], v.y, v.θ)) for i in range(3)) / 3),
        "Σ[i=1..N](p(z[i], y; θ) / q(z[i], y; θ) * ∇θ log p(z[i], y; θ))"
        " / Σ[i=1..N](p(z[i], y; θ) / q(z[i], y; θ))",
    ),
    Loss(
        "self-normalised importance sampling",
        "Σ[i=1..N](p(z[i], y; θ) / ⊥(q(z[i], y; θ)) * f(z[i]; θ))"
        " / Σ[i=1..N](p(z[i], y; θ) / ⊥(q(z[i], y; θ)))",
        "θ",
        lambda v: (
            sum(v.p(z, v.y, v.θ) / sg(v.q(z, v.y, v.θ)) * v.f(z, v.θ) for z in v.z)
            / sum(v.p(z, v.y, v.θ) / sg(v.q(z, v.y, v.θ)) for z in v.z)
        ),
    ),
    Loss("differentiable particle filter, two steps", FILTER, "θ", filter_two_steps),
    Loss(
        "a policy gradient with reward to go",
        "Σ[t=1..T](exp(Σ[u=1..t](log π(a[u] | s[u]; θ) - ⊥(log π(a[u] | s[u]; θ)))) * A[t])",
        "θ",
        lambda v: sum(prod(policy_ratio(v, u) for u in range(t + 1)) * v.A[t] for t in range(3)),
        "Σ[t=1..T](A[t] * Σ[u=1..t](∇θ log π(a[u] | s[u]; θ)))",
    ),
    Loss(
        "off-policy, weight stopped",
        "⊥(π(a0 | s0; θ) / μ(a0 | s0)) * B * log π(a0 | s0; θ)",
        "θ",
        lambda v: sg(v.π(v.a0, v.s0, v.θ) / v.μ(v.a0, v.s0)) * v.B * log(v.π(v.a0, v.s0, v.θ)),
        "B * π(a0 | s0; θ) / μ(a0 | s0) * ∇θ log π(a0 | s0; θ)",
    ),
    Loss(
        "log-normal by reparameterisation, one weight stopped",
        "exp(θ + exp(θ) * x) / ⊥(exp(exp(θ))) * tan(θ * y) + sqrt(1 + θ^2)^⊥(θ)",
        "θ",
        lambda v: (
            exp(v.θ + exp(v.θ) * v.x) / sg(exp(exp(v.θ))) * torch.tan(v.θ * v.y)
            + torch.sqrt(1 + v.θ**2) ** sg(v.θ)
        ),
        orders=(1, 2, 3, 4),
    ),
]
