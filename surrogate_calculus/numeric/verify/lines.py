"""All numbers among a model's parameters as one row, and straight lines through it.

A document differentiates in one number θ.  Along the line θ ↦ base + θ·direction its derivatives are
directional ones: in the direction eₖ the k-th component, and for second derivatives, with H that of a
symmetric matrix, (eₖ + eₗ)ᵀ H (eₖ + eₗ) = Hₖₖ + 2 Hₖₗ + Hₗₗ gives every pair.  Directions are a batch, so
that one evaluation of the formula has them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from typing import Any

import torch
from torch import Tensor

__all__ = ["Numbers", "chosen", "directions", "entries", "entry_names"]


@dataclass(frozen=True)
class Numbers:
    """How parameters lie in a row of P numbers.

    Attributes:
        shapes: of each parameter, by name, in the order of the row.
    """

    shapes: Mapping[str, tuple[int, ...]]

    @classmethod
    def of(cls, *owners: Any) -> Numbers:
        """The parameters of a model, and of a proposal if there is one."""
        return cls(
            {n: tuple(s) for owner in owners if owner is not None for n, s in owner.parameters.items()}
        )

    @property
    def names(self) -> tuple[str, ...]:
        """Of the P numbers: a parameter, with its index where it has one."""
        return tuple(
            name + (str(list(index)) if index else "")
            for name, shape in self.shapes.items()
            for index in product(*map(range, shape))
        )

    def places(self, *names: str) -> list[int]:
        """Where the numbers of some parameters stand in the row."""
        found, start = [], 0
        for name, shape in self.shapes.items():
            size = torch.Size(shape).numel()
            found += list(range(start, start + size)) if name in names else []
            start += size
        return found

    def split(self, row: Tensor) -> dict[str, Tensor]:
        """Rows (lead …, P) as parameters (lead …, *shape)."""
        parts = row.split([torch.Size(s).numel() for s in self.shapes.values()], -1)
        return {
            name: part.reshape((*row.shape[:-1], *shape))
            for (name, shape), part in zip(self.shapes.items(), parts, strict=True)
        }

    def joined(self, parameters: Mapping[str, Tensor]) -> Tensor:
        """The inverse of :meth:`split` for values without lead: (P,)."""
        return torch.cat([parameters[name].reshape(-1) for name in self.shapes])


def directions(size: int, places: Sequence[int], order: int) -> Tensor:
    """Directions along which derivatives of an order show every component: (D, size), in float64.

    Units for the first; units and sums of two for the second.  The third has units, and a direction without
    symmetry, to which every mixed derivative contributes.

    Args:
        size: P.
        places: which numbers are differentiated in.
        order: 1, 2 or 3.
    """
    units = torch.eye(size, dtype=torch.float64)[list(places)]
    if order == 2:
        pairs = [units[k] + units[m] for k, m in combinations(range(len(units)), 2)]
        return torch.stack([*units, *pairs])
    if order >= 3:
        weights = 0.5 + torch.arange(len(units), dtype=torch.float64).sqrt() % 1
        return torch.cat([units, (weights @ units)[None]])
    return units


def entries(along: Tensor, count: int, order: int, *, sizes: bool = False) -> Tensor:
    """Components from directional derivatives (…, D) along :func:`directions` of ``count`` numbers: (…, E).

    They are those of :func:`entry_names`.  With ``sizes`` they are sums of magnitudes instead, of which
    differences are sums.
    """
    if order != 2:
        return along
    sign = 1 if sizes else -1
    first, second = _pairs(count)
    own = along[..., :count]
    mixed = (along[..., count:] + sign * (own[..., first] + own[..., second])) / 2
    return torch.cat([own, mixed], -1)


def chosen(tensor: Tensor, places: Sequence[int], order: int) -> Tensor:
    """The entries of a gradient (…, P) or a Hessian (…, P, P): (…, E)."""
    index = torch.as_tensor(list(places), dtype=torch.int64)
    if order == 1:
        return tensor[..., index]
    first, second = _pairs(len(index))
    rows, columns = torch.cat([index, index[first]]), torch.cat([index, index[second]])
    return tensor[..., rows, columns]


def _pairs(count: int) -> tuple[Tensor, Tensor]:
    pairs = torch.as_tensor(list(combinations(range(count), 2)), dtype=torch.int64).reshape(-1, 2)
    return pairs[:, 0], pairs[:, 1]


def entry_names(names: Sequence[str], order: int) -> list[str]:
    """What each entry is: ``∂²/∂a∂log_q``."""
    if order == 0:
        return ["the value"]
    if order == 1:
        return [f"∂/∂{name}" for name in names]
    power = "²" if order == 2 else "³"
    units = [f"∂{power}/∂{name}{power}" for name in names]
    if order == 2:
        return units + [f"∂²/∂{a}∂{b}" for a, b in combinations(names, 2)]
    return [*units, "the third derivative along a direction without symmetry"]
