"""Algorithms 1 and 2 on the randomness of a run: the surrogates that automatic differentiation is given.

A run has fixed its particles and ancestors.  Here the weights are computed again from these with a graph,
line by line as the algorithms have them, so that any derivative of any order can be taken.  First derivatives
have a faster way (:mod:`~.pullback`), which is held against this one.

In log space a factor p/⊥p is ``log p - ⊥log p``.  Both are gathered first and subtracted after, so that a
particle of weight zero, which is never chosen, does not meet -∞ - (-∞).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .bound import Bound, Laws, Points
from .simulate import Block, Record, pair_densities, soft_weights, taken

__all__ = ["Outputs", "dense_increments", "dense_points", "replaced", "replay", "weigh"]


@dataclass(frozen=True)
class Outputs:
    """What a filter differentiates: replicates are one axis.

    Attributes:
        log_likelihood: Σ log W_t, (replicates,).
        log_weights: log w̄ at time T, (replicates, N).
        log_dice: log of the factor D of DiCE on the ancestors, (replicates,); its value is 0.
        states: x_t for t = 0..T, each (replicates, N, *event); with a graph where they are reparameterised.
    """

    log_likelihood: Tensor
    log_weights: Tensor
    log_dice: Tensor
    states: list[Tensor]


def replay(
    bound: Bound, record: Record, flat: dict[str, Tensor], method: str, mixture: float | None
) -> Outputs:
    """The outputs of a run, with a graph to the parameters.

    Args:
        bound: of the run.
        record: of the whole run.
        flat: the parameters, in the layout of ``bound.flat``.
        method: of :class:`~.filter.ParticleFilter`.
        mixture: α of soft resampling.
    """
    laws = bound.laws(flat)
    states = _reparameterised(bound, laws, record) if bound.gradient == "reparameterised" else record.states
    start = bound.initial_increments(laws, states[0])
    if method == "dpf2":
        total, weights = _marginal(bound, record, bound.laws(flat, pairs=True), start)
        return Outputs(total, weights, torch.zeros_like(total), states)
    steps = dense_increments(bound, laws, record, states, 1, bound.steps).unbind(0)
    return Outputs(*weigh(steps, record, method, start=start, mixture=mixture), states)


def weigh(
    steps: tuple[Tensor, ...],
    record: Record,
    method: str,
    *,
    start: Tensor | None = None,
    mixture: float | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """log Ẑ, log w̄[T], and log D from the log-increments log (p/q) of each step: Algorithm 1.

    Args:
        steps: of times 1..T, each (replicates, N).
        record: says who descends from whom, and where nobody was resampled.
        method: sis, pf, pf-sf, dpf or soft.
        start: log of the correction for a stopped initial law, of value 0.
        mixture: α of soft resampling.
    """
    log_n = math.log(steps[0].shape[-1])
    weights = torch.full_like(steps[0], -log_n)
    dice = total = torch.zeros_like(steps[0][:, 0])
    if start is not None:
        weights = weights + start
        total = torch.logsumexp(weights, -1)
        weights = weights - total.unsqueeze(-1)
    for step, ancestors, where in zip(steps, record.ancestors[1:], record.resampled[1:], strict=True):
        carried = weights
        if ancestors is not None:
            chosen = weights.gather(-1, ancestors)
            mask = where if isinstance(where, Tensor) else None
            if mask is not None:
                chosen = torch.where(mask, chosen, 0.0)
            if method == "dpf":
                carried = -log_n + (chosen - chosen.detach())
            elif method == "soft":
                assert mixture is not None
                carried = soft_weights(chosen, mixture)
            else:
                carried = torch.full_like(chosen, -log_n)
                if method == "pf-sf":
                    dice = dice + (chosen - chosen.detach()).sum(-1)
            if mask is not None:
                carried = torch.where(mask, carried, weights)
        unnormalised = carried + step
        log_sum = torch.logsumexp(unnormalised, -1)
        total = total + log_sum
        weights = unnormalised - log_sum.unsqueeze(-1)
    return total, weights, dice


def dense_increments(
    bound: Bound,
    laws: Laws,
    record: Record,
    states: list[Tensor],
    first: int,
    last: int,
    *,
    hidden: float = -math.inf,
) -> Tensor:
    """log (p/q) of every particle of steps first..last, (steps, replicates, N), with a graph.

    That of a particle of weight zero is ``hidden``.
    """
    dead, points = dense_points(bound, record, states, first, last)
    found = bound.increments(laws, points)
    return found if dead is None else torch.where(dead, hidden, found)


def dense_points(
    bound: Bound, record: Block, states: list[Tensor], first: int, last: int
) -> tuple[Tensor | None, Points]:
    """Who is dead (None for nobody), and every particle of steps first..last, (steps, replicates, N).

    Where a particle's weight is zero, a living one stands in its place: a derivative of log 0 would be NaN,
    even times zero.
    """
    k, count = first - record.first, last - first + 1
    x = torch.stack(states[k + 1 : k + 1 + count])
    previous = torch.stack([taken(states[j], record.ancestors[j + 1]) for j in range(k, k + count)])
    values = torch.stack(record.log_weights[k + 1 : k + 1 + count])
    dead, x, previous = replaced(values, x, previous)
    t, y, missing = bound.rows(first, last)
    return dead, Points(t, y, missing, x, previous)


def replaced(log_weights: Tensor, *states: Tensor) -> Any:
    """Who is dead (None for nobody), and states (…, N, *event) with the heaviest particle in their place."""
    dead = torch.isneginf(log_weights)
    if not bool(dead.any()):
        return (None, *states)
    best = log_weights.argmax(-1, keepdim=True)
    found = []
    for x in states:
        event = x.shape[dead.dim() :]
        index = best.reshape(*best.shape, *(1,) * len(event)).expand(*best.shape, *event)
        mask = dead.reshape(*dead.shape, *(1,) * len(event))
        found.append(torch.where(mask, x.gather(dead.dim() - 1, index), x))
    return (dead, *found)


def _reparameterised(bound: Bound, laws: Laws, record: Record) -> list[Tensor]:
    """The particles as functions of the noise that was drawn."""
    x = bound.model.initial(laws.model, _noise(record, 0))
    states = [x]
    for t in range(1, bound.steps + 1):
        x = bound.move(laws, t, taken(x, record.ancestors[t]), _noise(record, t))
        states.append(x)
    return states


def _noise(record: Record, t: int) -> Tensor:
    found = record.noise[t]
    assert found is not None
    return found


def _marginal(bound: Bound, record: Record, laws: Laws, start: Tensor | None) -> tuple[Tensor, Tensor]:
    """log Ẑ and log v̄[T] of Algorithm 2."""
    log_n = math.log(record.states[0].shape[1])
    weights = torch.full_like(record.log_weights[0], -log_n)
    total = torch.zeros_like(weights[:, 0])
    if start is not None:
        weights = weights + start
        total = torch.logsumexp(weights, -1)
        weights = weights - total.unsqueeze(-1)
    for t in range(1, bound.steps + 1):
        dead, x = replaced(record.log_weights[t], record.states[t])
        p, q = pair_densities(bound, laws, t, x, record.states[t - 1])
        if bound.gradient == "stopped":
            q = q.detach()
        above = torch.logsumexp(weights.unsqueeze(1) + p, -1)
        below = torch.logsumexp(weights.detach().unsqueeze(1) + q, -1)
        unnormalised = above - below - log_n
        if dead is not None:
            unnormalised = torch.where(dead, -math.inf, unnormalised)
        log_sum = torch.logsumexp(unnormalised, -1)
        total = total + log_sum
        weights = unnormalised - log_sum.unsqueeze(-1)
    return total, weights
