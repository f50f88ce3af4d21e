"""Optimal-transport resampling (Corenflos, Thornton, Deligiannidis & Doucet 2021).

Instead of choosing ancestors, particles are moved: with P the entropy-regularised plan that carries the
weights w̄ to uniform ones at the least cost |xᵢ - xⱼ|², the i-th new particle is N Σⱼ P[i,j] xⱼ, and its
weight 1/N. All of it is differentiable; the estimate is consistent, and neither unbiased nor that of the
plain filter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..models.inputs import positive
from .bound import Bound, Points
from .pullback import checked
from .replay import Outputs, replaced
from .simulate import Block, When, effective_below, no_weights

__all__ = ["Transport", "plan", "transported"]


@dataclass(frozen=True)
class Transport:
    """How the plan is computed.

    Attributes:
        epsilon: of the entropy, for particles scaled to unit spread.
        tolerance: largest change of a potential, relative to epsilon, at which the iteration ends.
        iterations: how many at most.
        gradient: ``unrolled`` differentiates every iteration, which is exact and needs memory for each;
            ``last`` differentiates one more iteration from constant potentials, as is common.
        scaled: whether particles are divided by their spread (largest standard deviation times √d) first.
    """

    epsilon: float = 0.5
    tolerance: float = 1e-3
    iterations: int = 100
    gradient: Literal["unrolled", "last"] = "unrolled"
    scaled: bool = True

    def __post_init__(self) -> None:
        positive("a transport", {"epsilon": self.epsilon, "tolerance": self.tolerance})
        count = self.iterations
        if not isinstance(count, int) or isinstance(count, bool) or count < 1:
            raise EvaluationError(f"iterations of a transport is {count!r:.40}", instead="1, 2, 3, …")
        if self.gradient not in ("unrolled", "last"):
            raise EvaluationError(f"no gradient is called {self.gradient!r}", instead="unrolled, last")


def plan(x: Tensor, log_weights: Tensor, how: Transport) -> Tensor:
    """The regularised plan from uniform weights (rows) to the given ones (columns).

    Args:
        x: particles, (replicates, N, d).
        log_weights: normalised, (replicates, N); -inf where a weight is zero.
        how: see :class:`Transport`.

    Returns:
        P of shape (replicates, N, N).  Its columns sum to the weights, to rounding; its rows to 1/N, as
        closely as the iteration has come.
    """
    if how.scaled:
        spread = x.detach().std(1, correction=0).amax(-1) * math.sqrt(x.shape[-1])
        x = x / torch.where(spread > 0, spread, 1.0)[:, None, None]
    difference = x.unsqueeze(2) - x.unsqueeze(1)
    kernel = -(difference * difference).sum(-1) / (2 * how.epsilon)
    # A column of weight zero carries nothing; its potential would be -∞, and its derivative NaN.
    dead = torch.isneginf(log_weights)
    goal = torch.where(dead, 0.0, log_weights)
    if bool(dead.any()):
        kernel = torch.where(dead.unsqueeze(1), -math.inf, kernel)
    uniform = -math.log(x.shape[1])

    def rows(g: Tensor) -> Tensor:
        return uniform - torch.logsumexp(kernel + g.unsqueeze(1), 2)

    def columns(f: Tensor) -> Tensor:
        free = torch.where(dead.unsqueeze(1), 0.0, kernel) if bool(dead.any()) else kernel
        return goal - torch.logsumexp(free + f.unsqueeze(2), 1)

    with torch.set_grad_enabled(torch.is_grad_enabled() and how.gradient == "unrolled"):
        g = columns(rows(torch.zeros_like(goal)))
        for _ in range(how.iterations - 1):
            new = columns(rows(g))
            moved = (new - g).detach()
            # A constant may wander between the potentials; only their differences count.
            change = float((moved.amax(1) - moved.amin(1)).amax())
            g = new
            if change < how.tolerance:
                break
    if how.gradient == "last":
        g = g.detach()
    f = rows(g)
    g = columns(f)
    return torch.exp(kernel + f.unsqueeze(2) + g.unsqueeze(1))


def transported(
    bound: Bound, how: Transport, particles: int, when: When, generator: torch.Generator | None
) -> tuple[Block, Outputs]:
    """Run the filter: a record of it, and its outputs with a graph.

    Raises:
        EvaluationError: as for the other filters.
    """
    model, n, b = bound.model, particles, bound.replicates
    laws = bound.laws(checked(bound.flat))
    log_n = math.log(n)
    x = model.initial(laws.model, model.noise((b, n), generator, bound.like))
    weights = bound.like.new_full((b, n), -log_n)
    total = weights.new_zeros(b)
    record = Block(1, [x.detach()], [weights], [weights[:, :1] * 0], [torch.ones(b, 1, dtype=torch.float64)])
    record.totals[0] = record.totals[0].to(weights.device)
    states = [x]
    for t in range(1, bound.steps + 1):
        noise = model.noise((b, n), generator, bound.like)
        chosen: Tensor | bool = when == "always" and t > 1
        if not isinstance(when, str):
            chosen = effective_below(torch.exp(weights.detach()), when * n)
        carried = weights
        if isinstance(chosen, Tensor) or chosen:
            event = model.event
            flat = x if event else x.unsqueeze(-1)
            moved = n * plan(flat, weights, how) @ flat
            moved = moved if event else moved.squeeze(-1)
            if isinstance(chosen, Tensor):
                x = torch.where(chosen.reshape(b, *(1,) * (x.dim() - 1)), moved, x)
                carried = torch.where(chosen, -log_n, weights)
            else:
                x, carried = moved, torch.full_like(weights, -log_n)
        previous = x
        x = bound.move(laws, t, previous, noise)
        time, y, missing = bound.rows(t, t)
        absent = None if missing is None else missing[0]
        step = bound.increments(laws, Points(time[0], y[0], absent, x, previous))
        dead, there, source = replaced(step.detach(), x, previous)
        if dead is not None:  # a derivative of log 0 would be NaN
            step = bound.increments(laws, Points(time[0], y[0], absent, there, source))
            step = torch.where(dead, -math.inf, step)
        unnormalised = carried + step
        top = unnormalised.detach().amax(-1, keepdim=True)
        if not bool(torch.isfinite(top).all()):
            raise no_weights(bound, t, top)
        log_sum = torch.logsumexp(unnormalised, -1)
        total = total + log_sum
        weights = unnormalised - log_sum.unsqueeze(-1)
        states.append(x)
        record.states.append(x.detach())
        record.log_weights.append(unnormalised.detach())
        record.tops.append(log_sum.detach().unsqueeze(-1))
        record.totals.append(torch.ones_like(record.totals[0]))
        record.ancestors.append(None)
        record.resampled.append(chosen)
        record.uniform.append(False)
        record.noise.append(None)
    return record, Outputs(total, weights, torch.zeros_like(total), states)
