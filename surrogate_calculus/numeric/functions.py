"""Random smooth functions, families and points, for checks of formulas with opaque names."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

__all__ = ["PATH", "SmoothFamily", "SmoothFunction", "random_function", "whole_family"]


#: The length of a slot that holds a path.
PATH = -1


class SmoothFunction:
    """``exp(a sin(u·s + b) + c cos(v·s + d))`` of the slots s: positive, bounded, analytic.

    None of its derivatives vanishes identically, in any slot and at any order, and its values lie in
    [exp(-1), exp(1)], so that it may stand under a log or in a denominator.

    Args:
        rng: draws the constants.
        lengths: for each slot None for a number, the length of a vector (coordinates last), or
            :data:`PATH` for a path of any length (times last).
    """

    def __init__(self, rng: random.Random, lengths: Sequence[int | None]) -> None:
        self.lengths = tuple(lengths)
        self.waves = [self._wave(rng) for _ in range(2)]
        self.heights = [rng.uniform(0.3, 0.5) for _ in range(2)]
        self.phases = [rng.uniform(0.0, 6.0) for _ in range(2)]

    def _wave(self, rng: random.Random) -> list[list[float]]:
        return [
            [rng.choice((-1, 1)) * rng.uniform(0.5, 1.3) for _ in range(1 if n is None or n == PATH else n)]
            for n in self.lengths
        ]

    def __call__(self, *slots: Tensor) -> Tensor:
        """The value at tensors that broadcast; vectors have their coordinates last."""
        return torch.exp(self.log(*slots))

    def log(self, *slots: Tensor) -> Tensor:
        """The logarithm of the value."""
        if len(slots) != len(self.lengths):
            raise TypeError(f"takes {len(self.lengths)} arguments, not {len(slots)}")
        angles: list[Any] = list(self.phases)
        for k, wave in enumerate(self.waves):
            for slot, length, weights in zip(slots, self.lengths, wave, strict=True):
                if length is None:
                    angles[k] = angles[k] + weights[0] * slot
                elif length == PATH:
                    steps = torch.arange(1, slot.shape[-1] + 1, dtype=slot.dtype, device=slot.device)
                    angles[k] = angles[k] + (slot * torch.cos(weights[0] * steps)).sum(-1)
                else:
                    for j, weight in enumerate(weights):
                        angles[k] = angles[k] + weight * slot[..., j]
        first, second = (torch.as_tensor(a, dtype=torch.float64) for a in angles)
        return self.heights[0] * torch.sin(first) + self.heights[1] * torch.cos(second)


def random_function(rng: random.Random, lengths: Sequence[int | None]) -> SmoothFunction:
    """A random smooth, positive function of slots of the given kinds."""
    return SmoothFunction(rng, lengths)


class SmoothFamily:
    """A family of positive numbers in [0.4, 1.6], one for every tuple of indices of any size."""

    def __init__(self, rng: random.Random, indices: int) -> None:
        self.weights = [rng.uniform(1.0, 3.0) for _ in range(indices)]
        self.phase = rng.uniform(0.0, 6.0)

    def __call__(self, *indices: Tensor) -> Tensor:
        """The members at int64 index tensors that broadcast."""
        angle: Any = self.phase
        for weight, index in zip(self.weights, indices, strict=True):
            angle = angle + weight * index.to(torch.float64)
        return 1.0 + 0.6 * torch.sin(angle)


def whole_family(rng: random.Random, indices: int, top: int) -> Callable[..., Tensor]:
    """A family of whole numbers in 1..top, such as ancestors."""
    smooth = SmoothFamily(rng, indices)

    def family(*at: Tensor) -> Tensor:
        return 1 + torch.floor((smooth(*at) * 977.0) % top)

    return family
