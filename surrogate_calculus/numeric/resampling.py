"""Resampling laws: from weights to ancestors, each with offspring unbiased for the weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import EvaluationError
from .values import kind

__all__ = ["LAWS", "Law", "law_of", "multinomial", "stratified", "systematic"]

#: ``law(weights, count, generator)``: weights of shape (batch …, N), of any positive sum; the answer is
#: an int64 tensor of shape (batch …, count) of positions from 0.
Law = Callable[[Tensor, int, "torch.Generator | None"], Tensor]


def _inverse(weights: Tensor, points: Tensor) -> Tensor:
    """The positions at which the cumulated weights pass the points, which lie in [0, 1)."""
    total = torch.cumsum(weights, -1)
    last = (weights > 0).to(torch.int64) * torch.arange(weights.shape[-1], device=weights.device)
    found = torch.searchsorted(total.contiguous(), (points * total[..., -1:]).contiguous(), right=True)
    return torch.minimum(found, last.amax(-1, keepdim=True))  # rounding never passes the last live one


def _uniform(weights: Tensor, count: int, generator: torch.Generator | None) -> Tensor:
    shape = (*weights.shape[:-1], count)
    return torch.rand(shape, generator=generator, dtype=weights.dtype, device=weights.device)


def multinomial(weights: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
    """Independent draws."""
    return _inverse(weights, _uniform(weights, count, generator))


def stratified(weights: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
    """One draw from each of ``count`` strata of equal weight."""
    steps = torch.arange(count, dtype=weights.dtype, device=weights.device)
    return _inverse(weights, (steps + _uniform(weights, count, generator)) / count)


def systematic(weights: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
    """A comb of ``count`` teeth with one random offset."""
    steps = torch.arange(count, dtype=weights.dtype, device=weights.device)
    return _inverse(weights, (steps + _uniform(weights, 1, generator)) / count)


LAWS: dict[str, Law] = {"multinomial": multinomial, "stratified": stratified, "systematic": systematic}


def law_of(name: str, given: object) -> Law:
    """What a resampling law of a document stands for.

    Raises:
        EvaluationError: neither a name of a law nor a callable.
    """
    if given is None:
        return multinomial
    if isinstance(given, str) and given in LAWS:
        return LAWS[given]
    if callable(given):
        return given
    raise EvaluationError(
        f"the resampling law {name} is given as {given!r}"
        if isinstance(given, str)
        else f"the resampling law {name} is given as {kind(given)}",
        instead=f"one of {', '.join(LAWS)}, or a callable of (weights, count, generator)",
    )
