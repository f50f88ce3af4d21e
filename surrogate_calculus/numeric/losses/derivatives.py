"""Derivatives of any order of a program's outcomes, by reverse mode."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from ...errors import EvaluationError

__all__ = ["derivatives", "derivatives_by_row", "see_how_many"]

#: Fewer numbers are differentiated one after the other; more at once, in chunks of bounded memory.  The graph
#: of a chunk's gradient is as large as the chunk times the batch, so that it is not differentiated again.
_FEW, _CHUNK = 8, 256
#: Gradients that are taken one by one for the highest order: minutes.
_GRADIENTS = 100_000


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
    return tuple(found[0] for found in derivatives_by_row(outcome.reshape(1), leaves, top))


def derivatives_by_row(outcomes: Tensor, leaves: Sequence[Tensor], top: int) -> tuple[Tensor, ...]:
    """The derivatives of each of some numbers.

    Args:
        outcomes: of shape (rows,).
        leaves: tensors with ``requires_grad``; P elements together.
        top: the highest order.

    Returns:
        For each order k from 0 to ``top`` a tensor of shape (rows, P, …, P) with P k times, detached.

    Raises:
        EvaluationError: there would be so many that it never ends.
    """
    size = sum(leaf.numel() for leaf in leaves)
    see_how_many(len(outcomes), size, top)
    found = [outcomes.detach()]
    if top == 1:
        return (*found, _gradients(outcomes, leaves))
    # A list, and no tensor: the gradient of an element of a tensor would walk the graphs of all the others.
    level = list(outcomes)
    for order in range(1, top + 1):
        rows = [_row(entry, leaves, order < top) for entry in level]
        found.append(torch.stack(rows).detach().reshape((len(outcomes), *(size,) * order)))
        level = [entry for row in rows for entry in row]
    return tuple(found)


def see_how_many(rows: int, size: int, top: int) -> None:
    """See that the derivatives up to an order are not too many.

    Args:
        rows: how many numbers are differentiated.
        size: in how many.
        top: how often.

    Raises:
        EvaluationError: they are so many that it would take hours.
    """
    if top > 1 and rows * size ** (top - 1) > _GRADIENTS:
        raise EvaluationError(
            f"{size} numbers have {size**top:,} derivatives of order {top}, which are taken one by one"
            + ("" if rows == 1 else f" for each of {rows} losses"),
            instead="a lower order, fewer numbers, or a smaller batch",
        )


def _gradients(level: Tensor, leaves: Sequence[Tensor]) -> Tensor:
    """The gradient of every element of a vector, of shape (elements, P)."""
    if len(level) > _FEW and level.requires_grad:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # some operations are slow when they are batched
                return torch.cat([_batched(level, rows, leaves) for rows in _chunks(level)]).detach()
        except RuntimeError:  # an operation that cannot be batched, or out of memory: one by one
            pass
    return torch.stack([_row(entry, leaves, False) for entry in level])


def _chunks(level: Tensor) -> Sequence[Tensor]:
    return torch.arange(len(level), device=level.device).split(_CHUNK)


def _batched(level: Tensor, rows: Tensor, leaves: Sequence[Tensor]) -> Tensor:
    chosen = torch.zeros(len(rows), len(level), dtype=level.dtype, device=level.device)
    chosen[torch.arange(len(rows), device=level.device), rows] = 1
    parts = torch.autograd.grad(
        level,
        leaves,
        grad_outputs=chosen,
        retain_graph=True,
        allow_unused=True,
        is_grads_batched=True,
    )
    flat = [
        leaf.new_zeros((len(rows), leaf.numel())) if part is None else part.reshape(len(rows), -1)
        for leaf, part in zip(leaves, parts, strict=True)
    ]
    return torch.cat(flat, 1)


def _row(entry: Tensor, leaves: Sequence[Tensor], again: bool) -> Tensor:
    parts: Sequence[Tensor | None] = [None] * len(leaves)
    if entry.requires_grad:
        parts = torch.autograd.grad(entry, leaves, create_graph=again, retain_graph=True, allow_unused=True)
    flat = [
        torch.zeros_like(leaf).reshape(-1) if part is None else part.reshape(-1)
        for leaf, part in zip(leaves, parts, strict=True)
    ]
    return torch.cat(flat)
