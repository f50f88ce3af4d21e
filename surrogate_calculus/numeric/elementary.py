"""The built-in functions that are defined everywhere, as torch functions smooth to every order."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

__all__ = ["ELEMENTARY", "softplus"]


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp x), exact on both sides of 0 and differentiable to every order.

    torch's own goes over to x at 20, an error of 2e-9.
    """
    above = x > 0
    up = torch.where(above, x, torch.zeros_like(x))
    down = torch.where(above, torch.zeros_like(x), x)
    return torch.where(above, up + torch.log1p(torch.exp(-up)), torch.log1p(torch.exp(down)))


ELEMENTARY: dict[str, Callable[..., Tensor]] = {
    "exp": torch.exp,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": softplus,
    "relu": torch.relu,
    "abs": torch.abs,
    "sign": torch.sign,
    "max": torch.maximum,
    "min": torch.minimum,
}
