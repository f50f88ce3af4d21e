"""Particle filters as the papers have them, for one run whose particles and ancestors are known.

Independent of the package's filters: one replicate at a time, weights as numbers (no logarithms), particles
of weight zero left out of every formula, all derivatives by autograd of these lines.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor

from surrogate_calculus.numeric.filters import FilterTrace


class Plain(NamedTuple):
    """log Ẑ, w̄ at time T, and the factor of DiCE."""

    log_sum: Tensor
    weights: Tensor
    dice: Tensor

    @property
    def log_likelihood(self) -> Tensor:
        return self.dice * self.log_sum


def stopped(p: Tensor) -> Tensor:
    """p/⊥p."""
    return p / p.detach()


def plain_filter(
    model: Any,
    trace: FilterTrace,
    b: int,
    parameters: dict[str, Tensor],
    method: str,
    *,
    kind: str = "stopped",
    alpha: float = 0.5,
) -> Plain:
    """Algorithm 1 or 2, the DiCE filter, or soft resampling, of a bootstrap filter.

    Args:
        model: a state-space model; rows of NaN are missing.
        trace: of a run with one batch dimension.
        b: which replicate.
        parameters: of that replicate, with a graph.
        method: as the filters call it.
        kind: stopped, live or reparameterised.
        alpha: of soft resampling.
    """
    c = model.natural(parameters)
    n, y = trace.particles, trace.observations
    x = trace.states[0, b]
    if kind == "reparameterised":
        x = model.initial(c, trace.noise[0, b])
    weights = torch.full((n,), 1 / n, dtype=torch.float64)
    start = model.log_initial(c, x)
    log_sum, dice = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)
    if kind == "stopped" and start is not None:
        weights = weights * stopped(torch.exp(start))
        log_sum = torch.log(weights.sum())
        weights = weights / weights.sum()
    for t in range(1, trace.steps + 1):
        a = trace.ancestors[t - 1, b]
        before, source = weights, x
        if bool(trace.resampled[t - 1, b]) and method != "dpf2":
            chosen = weights[a]
            if method == "dpf":
                weights = torch.full((n,), 1 / n, dtype=torch.float64) * stopped(chosen)
            elif method == "soft":
                # Karkus et al. 2018, Eq. 5: w' = w̄ / q of q = α w̄ + (1 - α)/N.
                weights = chosen / (alpha * chosen + (1 - alpha) / n) / n
            else:
                weights = torch.full((n,), 1 / n, dtype=torch.float64)
                if method == "pf-sf":
                    dice = dice * stopped(chosen).prod()
            x = x[a]
        elif method == "dpf2":
            x = x[a]
        previous = x
        x = trace.states[t, b]
        if kind == "reparameterised":
            x = model.move(c, t, previous, trace.noise[t, b])
        row = y[t - 1] if y.dim() == 1 + len(model.observed) else y[t - 1, b]
        alive = torch.exp(trace.log_weights[t, b]) > 0
        missing = bool(torch.isnan(row).all())
        step = torch.ones(int(alive.sum()), dtype=torch.float64)
        if not missing:
            step = torch.exp(model.log_observation(c, t, row, x[alive]))
        if method == "dpf2":
            f = torch.exp(model.log_transition(c, t, x[alive, None], source[None]))
            some = before > 0
            above = (before[some] * f[:, some]).sum(1)
            below = (before[some] * f[:, some]).sum(1).detach()
            factor = above / below * step / n
        else:
            if kind == "stopped":
                step = step * stopped(torch.exp(model.log_transition(c, t, x[alive], previous[alive])))
            factor = weights[alive] * step
        new = torch.zeros(n, dtype=torch.float64).index_put((alive.nonzero().squeeze(1),), factor)
        total = new.sum()
        log_sum = log_sum + torch.log(total)
        weights = new / total
    return Plain(log_sum, weights, dice)


def row(parts: list[Tensor | None] | tuple[Tensor | None, ...], like: dict[str, Tensor]) -> Tensor:
    """Derivatives in one row, zero where there is none."""
    values = like.values()
    return torch.cat(
        [(torch.zeros_like(v) if g is None else g).reshape(-1) for g, v in zip(parts, values, strict=True)]
    )


def derivatives(value: Tensor, parameters: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """The gradient, and the Hessian: (P,) and (P, P)."""
    leaves = list(parameters.values())
    first = row(torch.autograd.grad(value, leaves, create_graph=True, allow_unused=True), parameters)
    rows = []
    for entry in first:
        if not entry.requires_grad:
            rows.append(torch.zeros_like(first))
            continue
        rows.append(row(torch.autograd.grad(entry, leaves, retain_graph=True, allow_unused=True), parameters))
    return first.detach(), torch.stack(rows).detach()


def sinkhorn(x: Tensor, weights: Tensor, epsilon: float, iterations: int) -> Tensor:
    """The plan from 1/N (rows) to the weights (columns), cost |x - x'|²/2, by Sinkhorn's scaling of a matrix.

    Corenflos et al. 2021, section 3: P = diag(u) K diag(v) minimises Σ P (C + ε log P/(a b)).  In plain
    numbers, for one replicate; columns of weight zero stay zero.
    """
    n = len(x)
    cost = ((x[:, None] - x[None]) ** 2).sum(-1) / 2
    kernel = torch.exp(-cost / epsilon) * weights / n
    v = torch.ones(n, dtype=x.dtype)
    some = weights > 0
    for _ in range(iterations):
        u = 1 / n / (kernel[:, some] * v[some]).sum(1)
        v = torch.where(some, weights / torch.where(some, kernel.mT @ u, 1.0), 0.0)
    u = 1 / n / (kernel[:, some] * v[some]).sum(1)
    return u[:, None] * kernel * v


def transported(
    model: Any, y: Tensor, parameters: dict[str, Tensor], noise: Tensor, epsilon: float
) -> Tensor:
    """log Ẑ of a bootstrap filter that a converged transport resamples at each step but the first.

    Args:
        model: with numbers as states.
        y: (T,).
        parameters: with a graph.
        noise: (T + 1, N).
        epsilon: of the entropy, for particles as they are.
    """
    c = model.natural(parameters)
    n = noise.shape[1]
    x = model.initial(c, noise[0])
    weights = torch.full((n,), 1 / n, dtype=torch.float64)
    total = torch.zeros((), dtype=torch.float64)
    for t in range(1, len(y) + 1):
        if t > 1:
            x = n * (sinkhorn(x[:, None], weights, epsilon, 200) @ x)
            weights = torch.full((n,), 1 / n, dtype=torch.float64)
        x = model.move(c, t, x, noise[t])
        alive = torch.isfinite(model.log_observation(c, t, y[t - 1], x).detach())
        factor = weights[alive] * torch.exp(model.log_observation(c, t, y[t - 1], x[alive]))
        new = torch.zeros(n, dtype=torch.float64).index_put((alive.nonzero().squeeze(1),), factor)
        total = total + torch.log(new.sum())
        weights = new / new.sum()
    return total
