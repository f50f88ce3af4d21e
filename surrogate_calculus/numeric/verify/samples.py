"""Replicates of a filter on one series of observations: log Ẑ and what autograd makes of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import torch
from torch import Tensor

from ..exact import exact_derivatives
from .programs import filter_of
from .scenes import Scene, scene_of

__all__ = ["DATA", "Sample", "gradients", "sample_of"]

#: Seed of the data where they are drawn, so that the sizes fit them; ``seed`` is that of the filters.
DATA = 1
#: Numbers (replicates times particles, or times pairs and steps for the marginal filter) of one batch.
_BATCH, _PAIRS = 1 << 15, 1 << 19


class Sample(NamedTuple):
    """Replicates of a filter.

    Attributes:
        log_ratio: log Ẑ - log L, (*batch).
        of_likelihood: ∇ log (D Ẑ) = ∇ log Ẑ + ∇ log D, (*batch, P).
        of_log: ∇(D log Ẑ), what the surrogate for the score yields, (*batch, P).
        score: s, (P,).
        names: of the P numbers.
    """

    log_ratio: Tensor
    of_likelihood: Tensor
    of_log: Tensor
    score: Tensor
    names: tuple[str, ...]


@lru_cache(maxsize=2)
def sample_of(name: str, scene_name: str, particles: int, steps: int, replicates: int, seed: int) -> Sample:
    """Replicates on one series of observations; the claims about value and score share them."""
    scene = scene_of(scene_name)
    y = scene.observations(steps, seed=DATA)
    exact = exact_derivatives(lambda p: _log_likelihood(scene, y, p), scene.model.defaults(), order=1)
    values, firsts, seconds = gradients(name, scene, y, particles, (replicates,), seed)
    return Sample(values - exact.value, firsts, seconds, exact.score, exact.names)


def _log_likelihood(scene: Scene, y: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
    assert scene.log_likelihood is not None
    return scene.log_likelihood(y, parameters)


def gradients(
    name: str, scene: Scene, y: Tensor, particles: int, shape: tuple[int, ...], seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """log Ẑ, ∇ log (D Ẑ) and ∇(D log Ẑ) of each replicate, by autograd through the filter."""
    how = filter_of(name, particles)
    generator = torch.Generator().manual_seed(seed)
    own = shape[-1]
    others = math.prod(shape[:-1])
    at_once = _PAIRS // (particles**2 * len(y)) if how.method == "dpf2" else _BATCH // particles
    pieces = []
    for rows in torch.arange(own).split(max(1, at_once // others)):
        batch = (*shape[:-1], len(rows))
        leaves = {
            key: v.expand(*batch, *v.shape).clone().requires_grad_()
            for key, v in scene.model.defaults().items()
        }
        run = how.run(scene.model, y, leaves, generator=generator, batch=batch)
        value = run.log_sum.detach()
        gradient = _by_replicate(run.log_sum, leaves, batch)
        first = second = gradient
        if run.dice is not None:
            of_dice = _by_replicate(run.dice, leaves, batch)
            first, second = gradient + of_dice, gradient + value.unsqueeze(-1) * of_dice
        pieces.append((value, first, second))
    values, firsts, seconds = zip(*pieces, strict=True)
    axis = len(shape) - 1
    return torch.cat(values, axis), torch.cat(firsts, axis), torch.cat(seconds, axis)


def _by_replicate(value: Tensor, leaves: Mapping[str, Tensor], batch: tuple[int, ...]) -> Tensor:
    """The gradient of each replicate in its own leaves, (*batch, P)."""
    found = torch.autograd.grad(value.sum(), list(leaves.values()), retain_graph=True, materialize_grads=True)
    return torch.cat([g.reshape(*batch, -1) for g in found], -1)
