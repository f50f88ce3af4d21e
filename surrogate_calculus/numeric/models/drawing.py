"""Observations drawn from a model with its own parameters."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["draw_observations"]


def draw_observations(model: Any, steps: int, series: int, generator: torch.Generator) -> Tensor:
    """Some independent series, (T, series, *observed), the particles of a filter with one each.

    Args:
        model: the state-space model.
        steps: T.
        series: how many.
        generator: of all the noise.
    """
    like = torch.empty(0, dtype=torch.float64)
    c = model.natural(model.defaults())
    x = model.initial(c, model.noise((series, 1), generator, like))
    rows = []
    for t in range(1, steps + 1):
        x = model.move(c, t, x, model.noise((series, 1), generator, like))
        rows.append(model.observe(c, t, x, generator)[:, 0])
    return torch.stack(rows)
