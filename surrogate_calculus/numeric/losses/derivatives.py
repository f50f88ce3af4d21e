"""Derivatives of any order of a program's outcome, by reverse mode, one number at a time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["derivatives"]


def derivatives(outcome: Tensor, leaves: Sequence[Tensor], top: int) -> tuple[Tensor, ...]:
    """The derivatives of one number in all elements of the leaves, as ``torch.autograd`` takes them.

    What has no graph to the leaves has derivative zero, as it has for an optimiser.

    Args:
        outcome: one element.
        leaves: tensors with ``requires_grad``; P elements together.
        top: the highest order.

    Returns:
        For each order k from 0 to ``top`` a tensor of shape (P,) * k, detached; the newest axis is last.
    """
    size = sum(leaf.numel() for leaf in leaves)
    level = outcome.reshape(1)
    found = [level.detach().reshape(())]
    for order in range(1, top + 1):
        rows = [_gradient(entry, leaves, order < top) for entry in level]
        level = torch.cat(rows)
        found.append(level.detach().reshape((size,) * order))
    return tuple(found)


def _gradient(entry: Tensor, leaves: Sequence[Tensor], again: bool) -> Tensor:
    parts: Sequence[Tensor | None] = [None] * len(leaves)
    if entry.requires_grad:
        # materialised here, so that the dtype and device of each leaf are kept
        parts = torch.autograd.grad(entry, leaves, create_graph=again, retain_graph=True, allow_unused=True)
    flat = [
        torch.zeros_like(leaf).reshape(-1) if part is None else part.reshape(-1)
        for leaf, part in zip(leaves, parts, strict=True)
    ]
    return torch.cat(flat)
