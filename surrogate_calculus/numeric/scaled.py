"""Numbers as mantissa · exp(scale): joint densities of e^-1100 without underflow.

A density given by its logarithm ℓ becomes ``exp(ℓ - ⊥ℓ) · exp(⊥ℓ)``: the mantissa is 1 and carries
every derivative, the scale carries the size and is constant under differentiation.  All operations
here keep that split, so that any choice of scale leaves value and derivatives exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["Scaled", "from_log", "lift", "plain"]


class Scaled:
    """``mantissa · exp(scale)``, elementwise; ``scale`` is detached, -inf for an exact zero.

    Both tensors broadcast with each other.
    """

    __slots__ = ("mantissa", "scale")

    def __init__(self, mantissa: Tensor, scale: Tensor) -> None:
        self.mantissa = mantissa
        self.scale = scale

    def __repr__(self) -> str:
        return f"Scaled({self.mantissa}, {self.scale})"


def from_log(log: Tensor) -> Scaled:
    """``exp(log)``; a ``log`` of -inf is an exact zero, constant under differentiation."""
    size = log.detach()
    dead = size == -torch.inf
    if bool(dead.any()):
        zero = torch.zeros_like(size)
        kept = torch.where(dead, zero, log)
        live = torch.exp(kept - torch.where(dead, zero, size))
        return Scaled(torch.where(dead, zero, live), size)
    return Scaled(torch.exp(log - size), size)


def lift(value: Tensor | Scaled) -> Scaled:
    """The same number as a :class:`Scaled`, with scale 0."""
    if isinstance(value, Scaled):
        return value
    return Scaled(value, torch.zeros((), dtype=value.dtype, device=value.device))


def plain(value: Tensor | Scaled) -> Tensor:
    """The same number as a tensor; may underflow to 0 or overflow to inf, as floats do."""
    if isinstance(value, Scaled):
        return value.mantissa * torch.exp(value.scale)
    return value


def normalised(value: Scaled) -> Scaled:
    """The same number with a mantissa of size 1, so that long products do not overflow."""
    size = value.mantissa.detach().abs()
    usable = (size > 0) & torch.isfinite(size)
    size = torch.where(usable, size, torch.ones_like(size))
    return Scaled(value.mantissa / size, value.scale + torch.log(size))


def _finite(scale: Tensor) -> Tensor:
    return torch.where(scale == -torch.inf, torch.zeros_like(scale), scale)


def add(terms: Sequence[Tensor | Scaled]) -> Scaled:
    """The sum, aligned to the largest scale."""
    lifted = [lift(t) for t in terms]
    top = lifted[0].scale
    for term in lifted[1:]:
        top = torch.maximum(top, term.scale)
    top = _finite(top)
    total = lifted[0].mantissa * torch.exp(lifted[0].scale - top)
    for term in lifted[1:]:
        total = total + term.mantissa * torch.exp(term.scale - top)
    return Scaled(total, top)


def mul(factors: Sequence[Tensor | Scaled]) -> Scaled:
    """The product."""
    total = lift(factors[0])
    for factor in factors[1:]:
        other = lift(factor)
        total = normalised(Scaled(total.mantissa * other.mantissa, total.scale + other.scale))
    return total


def power(base: Scaled, exponent: int) -> Scaled:
    """``base ** exponent`` for an integer; the caller has checked base ≠ 0 where it is negative."""
    if exponent == 0:
        return lift(torch.ones_like(base.mantissa))
    return normalised(Scaled(base.mantissa**exponent, base.scale * exponent))


def log(value: Scaled) -> Tensor:
    """The logarithm; the caller has checked that the mantissa is positive."""
    return torch.log(value.mantissa) + value.scale


def sqrt(value: Scaled) -> Scaled:
    """The square root; the caller has checked that the mantissa is not negative."""
    return Scaled(torch.sqrt(value.mantissa), value.scale / 2)


def where(condition: Tensor, a: Tensor | Scaled, b: Tensor | Scaled) -> Scaled:
    """``a`` where the condition holds, else ``b``."""
    a, b = lift(a), lift(b)
    return Scaled(torch.where(condition, a.mantissa, b.mantissa), torch.where(condition, a.scale, b.scale))


def sum_axis(value: Scaled, dim: int) -> Scaled:
    """The sum over one dimension of the mantissa, as log-sum-exp does it."""
    shape = value.mantissa.shape
    if shape[dim] == 0:
        return lift(value.mantissa.sum(dim))
    scale = value.scale.expand(torch.broadcast_shapes(value.scale.shape, shape))
    top = _finite(scale.amax(dim, keepdim=True))
    total = (value.mantissa * torch.exp(scale - top)).sum(dim)
    return Scaled(total, top.squeeze(dim))


def times(value: Scaled, count: Tensor) -> Scaled:
    """``count`` copies added up."""
    return Scaled(value.mantissa * count, value.scale)
