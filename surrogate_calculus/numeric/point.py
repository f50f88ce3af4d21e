"""One point of a numerical check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

__all__ = ["Point", "as_tensor"]


@dataclass(frozen=True)
class Point:
    """One point of a check.

    Attributes:
        numbers: the values of free names and counts; vectors as lists.
        derived: the value of the derived formula (a list where it has coordinates).
        autograd: what torch.autograd makes of the surrogate.
        difference: the largest |derived - autograd| over max(1, |value|, Σ|summands|).
    """

    numbers: Mapping[str, Any]
    derived: Any
    autograd: Any
    difference: float

    def __str__(self) -> str:
        """The point and the two values in one line."""
        at = ", ".join(f"{name} = {short(value)}" for name, value in self.numbers.items()) or "no free names"
        return f"at {at}: derived {short(self.derived)}, autograd {short(self.autograd)}"


def as_tensor(value: float | Tensor) -> Tensor:
    """A number as a tensor."""
    return value if isinstance(value, Tensor) else torch.tensor(value, dtype=torch.float64)


def short(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(short, value)) + "]"
    return f"{value:.12g}" if isinstance(value, float) else str(value)
