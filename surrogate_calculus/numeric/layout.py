"""Leaves, ranges, masks and families: what the names and indices of a term become."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import EvaluationError
from ..language.terms import Term
from . import scaled as sc
from .instructions import Instruction
from .machine import Machine, Operation, Range, first_bad
from .opaque import Opaque, pick, shown
from .scaled import Scaled
from .values import Event

__all__ = ["OPERATIONS", "column", "gather"]

#: Longest range of a Σ or ∏ that is laid out along an axis.
MAX_RANGE = 100_000_000


# -- leaves --


def _num(machine: Machine, step: Instruction) -> Tensor:
    try:
        return machine.constant(float(step.node.key))
    except OverflowError:
        raise EvaluationError(
            f"a number of {len(str(step.node.key))} digits does not fit a float",
            instead="a smaller number, or its logarithm",
        ) from None


def _load(machine: Machine, step: Instruction) -> Tensor | Event:
    binding = machine.bindings.symbols[step.extra]
    assert binding.tensor is not None
    return Event(binding.tensor, binding.events) if binding.events else binding.tensor


def _axis(machine: Machine, step: Instruction) -> Tensor:
    length = machine.bindings.axes[step.node.key]
    steps = torch.arange(1, length + 1, dtype=machine.bindings.dtype, device=machine.bindings.device)
    return steps.reshape(machine.axis_shape(length, step.extra))


def _index(machine: Machine, step: Instruction) -> Tensor:
    index: Tensor = machine.slots[step.operands[0]].index
    return index.to(machine.bindings.dtype)


# -- ranges and masks --


def _whole(machine: Machine, step: Instruction) -> Tensor:
    """An index, a coordinate or an end of a range as an int64 tensor.

    It is an instruction of its own, in the block that its operand comes from: indices are constant
    under ∇, and a tensor that is made inside a derivative is not one outside of it any more.
    """
    value = machine.tensor(step.operands[0], step.node).detach()
    rounded = value.round()
    bad = ~((value - rounded).abs() < 1e-6)
    if machine.reached(bad, step.extra):
        raise EvaluationError(
            f"an index or a bound of a range is no integer ({first_bad(value, bad)}) in {shown(step.node)}",
            instead="integers as values of counts and indices",
        )
    return torch.where(bad, torch.ones_like(rounded), rounded).to(torch.int64)


def _range(machine: Machine, step: Instruction) -> Range:
    guard, level = step.extra
    lo = machine.integer(step.operands[0])
    hi = machine.integer(step.operands[1])
    device = machine.bindings.device
    if lo.numel() == 1 and hi.numel() == 1:
        first, last = int(lo), int(hi)
        length = max(0, last - first + 1)
        _check_length(length, step)
        index = torch.arange(first, first + length, device=device)
        return Range(index.reshape(machine.axis_shape(length, level)), length, None)
    spans = hi - lo + 1
    if level + machine.rank < spans.dim() or _batch_dependent(spans, machine.rank):
        raise EvaluationError(
            f"the range depends on the batch in {shown(step.node)}",
            instead="the same range for every element of the batch",
        )
    if guard is not None:
        spans = torch.where(machine.slots[guard], spans, torch.zeros_like(spans))
    length = max(0, int(spans.max())) if spans.numel() else 0
    _check_length(length, step)
    steps = torch.arange(length, device=device).reshape(machine.axis_shape(length, level))
    inside = steps < spans
    index = lo + torch.minimum(steps, (spans - 1).clamp(min=0))
    return Range(index, length, inside)


def _check_length(length: int, step: Instruction) -> None:
    if length > MAX_RANGE:
        raise EvaluationError(
            f"a range of {length} values is too long to lay out: {shown(step.node)}",
            instead=f"at most {MAX_RANGE}",
        )


def _batch_dependent(value: Tensor, rank: int) -> bool:
    return rank > 0 and any(n != 1 for n in value.shape[-rank:])


def _inside(machine: Machine, step: Instruction) -> Tensor:
    found: Range = machine.slots[step.operands[0]]
    if found.inside is None:
        return torch.ones((), dtype=torch.bool, device=machine.bindings.device)
    return found.inside


def _both(machine: Machine, step: Instruction) -> Tensor:
    out: Tensor = machine.slots[step.operands[0]]
    for slot in step.operands[1:]:
        out = out & machine.slots[slot]
    return out


def _then(machine: Machine, step: Instruction) -> Tensor:
    out = _condition(machine, step.operands[0], step.node) != 0
    for slot in step.operands[1:]:
        out = out & machine.slots[slot]
    return out


def _else(machine: Machine, step: Instruction) -> Tensor:
    out = _condition(machine, step.operands[0], step.node) == 0
    for slot in step.operands[1:]:
        out = out & machine.slots[slot]
    return out


def _condition(machine: Machine, slot: int, node: Term) -> Tensor:
    value = machine.number(slot, node)
    return value.mantissa if isinstance(value, Scaled) else value


def _cases(machine: Machine, step: Instruction) -> Tensor | Scaled:
    holds = _condition(machine, step.operands[0], step.node) != 0
    a = machine.number(step.operands[1], step.node)
    b = machine.number(step.operands[2], step.node)
    if isinstance(a, Scaled) or isinstance(b, Scaled):
        return sc.where(holds, a, b)
    return torch.where(holds, a, b)


# -- families --


def _family(machine: Machine, step: Instruction) -> Tensor | Event:
    node, guard = step.node, step.extra
    binding = machine.bindings.families[node.key]
    indices = [machine.integer(slot) for slot in step.operands]
    if binding.call is not None:
        opaque = Opaque(
            binding.call, node, (0,) * len(indices), machine.bindings.dtype, machine.bindings.device
        )
        spread = torch.broadcast_tensors(*indices)
        out = opaque.raw(spread)
        try:
            return out.expand(torch.broadcast_shapes(out.shape, spread[0].shape))
        except RuntimeError:
            raise EvaluationError(
                f"the callable for the family {node.key} returned shape {tuple(out.shape)} for indices of "
                f"shape {tuple(spread[0].shape)}",
                instead="one value for every index",
            ) from None
    base = binding.tensor
    assert base is not None
    places = []
    for number, index in enumerate(indices):
        length, low = base.shape[number], binding.first[number]
        bad = (index < low) | (index >= low + length)
        if machine.reached(bad, guard):
            raise EvaluationError(
                f"index {int(first_bad(index.to(base.dtype), bad))} of {node.key} is outside "
                f"{low}..{low + length - 1} in {shown(node)}",
                instead=f"a tensor of {node.key} long enough for the range, {node.key}[1] being element 0; "
                "Family(tensor, first=(0, …)) where indices start elsewhere",
            )
        if length == 0 and index.numel():
            raise EvaluationError(
                f"the family {node.key} is empty in {shown(node)}",
                instead=f"a tensor of {node.key} with an element for every index of the range",
            )
        places.append((index - low).clamp(0, max(length - 1, 0)))
    out = gather(base, places, binding.events, machine.rank)
    return Event(out, binding.events) if binding.events else out


def gather(base: Tensor, places: list[Tensor], events: int, rank: int) -> Tensor:
    """``base[places]`` elementwise: shape (axes …, batch …, event …)."""
    count = len(places)
    stop = base.dim() - events
    own = tuple(base.shape[count:stop])
    event = tuple(base.shape[stop:])
    shape = tuple(torch.broadcast_shapes(*(p.shape for p in places)))
    shape = (1,) * (rank - len(shape)) + shape
    axes, batch = shape[: len(shape) - rank], shape[len(shape) - rank :]
    padded = (1,) * (rank - len(own)) + own
    if all(n == 1 for n in batch):
        if count == 1 and axes:  # its derivative is much quicker than that of an index
            out = base.index_select(0, places[0].reshape(-1))
            return out.reshape(axes + padded + event)
        out = base[tuple(p.expand(shape).reshape(axes) for p in places)]
        return out.reshape(axes + padded + event) if axes else out
    # Every element of the batch has indices of its own.
    common = tuple(torch.broadcast_shapes(padded, batch))
    base = base.reshape(tuple(base.shape[:count]) + padded + event)
    along = [
        torch.arange(n, device=base.device).reshape((n,) + (1,) * (rank - 1 - k))
        for k, n in enumerate(padded)
    ]
    return base[(*(p.expand(axes + common) for p in places), *along)]


def _component(machine: Machine, step: Instruction) -> Tensor:
    node = step.node
    base = machine.slots[step.operands[0]]
    if not isinstance(base, Event) or base.dims != 1:
        raise EvaluationError(
            f"{node.key} is used with an index, and its value is no vector",
            instead=f"a 1-D tensor as the value of {node.key}",
        )
    index = machine.integer(step.operands[1])
    return pick(base.tensor, column(index, base.tensor.shape[-1], node, machine, step.extra))


def column(index: Tensor, length: int, node: Term, machine: Machine, guard: int | None = None) -> Tensor:
    """A coordinate from 1 as a position from 0."""
    bad = (index < 1) | (index > length)
    if machine.reached(bad, guard):
        raise EvaluationError(
            f"coordinate {int(first_bad(index.double(), bad))} of a vector of length {length} "
            f"in {shown(node)}",
            instead=f"a coordinate in 1..{length}",
        )
    return index.clamp(1, length) - 1


OPERATIONS: dict[str, Operation] = {
    "num": _num,
    "load": _load,
    "axis": _axis,
    "index": _index,
    "whole": _whole,
    "range": _range,
    "inside": _inside,
    "both": _both,
    "then": _then,
    "else": _else,
    "cases": _cases,
    "family": _family,
    "component": _component,
}
