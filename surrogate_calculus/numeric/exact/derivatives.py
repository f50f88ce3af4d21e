"""Score, Hessian and higher derivatives of an exact likelihood, by autograd."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError

__all__ = ["Derivatives", "exact_derivatives"]


@dataclass(frozen=True, eq=False)
class Derivatives:
    """A value and its derivatives in P numbers.

    Attributes:
        orders: the value, the score (P,), the Hessian (P, P), …
        names: of the P numbers: a parameter, and its index where it has one.
    """

    orders: tuple[Tensor, ...]
    names: tuple[str, ...]

    @property
    def value(self) -> Tensor:
        """Order 0."""
        return self.orders[0]

    @property
    def score(self) -> Tensor:
        """Order 1."""
        return self.orders[1]

    @property
    def hessian(self) -> Tensor:
        """Order 2."""
        return self.orders[2]


def exact_derivatives(
    function: Callable[[Mapping[str, Tensor]], Tensor], parameters: Mapping[str, Any], order: int = 2
) -> Derivatives:
    """A scalar function of parameters and its derivatives up to an order.

    Args:
        function: of a dictionary like ``parameters``.
        parameters: what to differentiate in; numbers or tensors.
        order: the highest.

    Raises:
        EvaluationError: the function's value is no scalar.
    """
    values = {
        name: v.detach() if isinstance(v, Tensor) else torch.tensor(v, dtype=torch.float64)
        for name, v in parameters.items()
    }
    flat = torch.cat([v.reshape(-1) for v in values.values()]).requires_grad_()
    sizes = [v.numel() for v in values.values()]
    pieces = zip(values.items(), flat.split(sizes), strict=True)
    with torch.set_grad_enabled(order > 0):
        value = function({name: piece.reshape(v.shape) for (name, v), piece in pieces})
        if value.dim() != 0:
            raise EvaluationError(
                f"the function's value has shape {tuple(value.shape)}", instead="one number"
            )
        orders = [value]
        for k in range(order):
            rows = []
            for entry in orders[-1].reshape(-1):
                row = None
                if entry.requires_grad:
                    (row,) = torch.autograd.grad(
                        entry, flat, create_graph=k + 1 < order, retain_graph=True, allow_unused=True
                    )
                rows.append(torch.zeros_like(flat) if row is None else row)
            orders.append(torch.stack(rows).reshape(*orders[-1].shape, len(flat)))
    names = [
        name + (str(list(index)) if index else "")
        for name, v in values.items()
        for index in product(*map(range, v.shape))
    ]
    return Derivatives(tuple(o.detach() for o in orders), tuple(names))
