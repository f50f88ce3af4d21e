"""Reading tables, and putting the elements of a path side by side."""

from __future__ import annotations

import torch
from torch import Tensor

from ..errors import EvaluationError
from ..language.terms import Term
from . import scaled as sc
from .instructions import Instruction, Lookup
from .layout import gather
from .machine import Machine, Operation, Range, first_bad
from .opaque import shown
from .scaled import Scaled
from .tables import Table
from .values import Event

__all__ = ["OPERATIONS", "fitted"]


def _lookup(machine: Machine, step: Instruction) -> Tensor | Scaled | Event:
    """``table[indices]``, elementwise: the indices gather along the table's own axes."""
    how: Lookup = step.extra
    value = machine.slots[step.operands[0]]
    rank = machine.rank + how.level
    straight = _straight(machine, step, how, rank)
    if straight is not None:
        return _each(value, lambda base, events: _moved(base, events, rank, straight))
    places = []
    for slot, (lo, hi) in zip(step.operands[1:], how.table.ranges, strict=True):
        index = machine.integer(slot)
        bad = (index < lo) | (index > hi)
        if machine.reached(bad, how.guard):
            raise _outside(machine, step.node, how.table, index, bad, (lo, hi))
        places.append((index - lo).clamp(0, max(hi - lo, 0)))

    def read(base: Tensor, events: int) -> Tensor:
        base = fitted(base, len(places) + rank, events)
        here = [p if base.shape[k] > 1 else torch.zeros_like(p) for k, p in enumerate(places)]
        return gather(base, here, events, rank)

    return _each(value, read)


def _outside(
    machine: Machine, node: Term, table: Table, index: Tensor, bad: Tensor, bounds: tuple[int, int]
) -> EvaluationError:
    lo, hi = bounds
    worst = first_bad(index.to(machine.bindings.dtype), bad)
    family = table.name.partition("@")[0]
    return EvaluationError(
        f"index {worst} of {family} is outside its range {lo}..{hi} in {shown(node)}",
        instead="index maps with values in the range of the family that they index",
    )


def _straight(machine: Machine, step: Instruction, how: Lookup, rank: int) -> int | None:
    """The axis to which a table of one index moves as it stands, or None where it must be gathered."""
    if how.straight is None or rank != machine.rank:
        return None
    found: Range = machine.slots[how.straight]
    lo, hi = how.table.ranges[0]
    whole = found.inside is None and found.length == hi - lo + 1 > 0 and int(found.index.flatten()[0]) == lo
    return found.index.dim() if whole else None


def _moved(base: Tensor, events: int, rank: int, dims: int) -> Tensor:
    """A table's axis moved left, to where an index of this many dimensions has it."""
    base = fitted(base, 1 + rank, events)
    return base.reshape(base.shape[0], *(1,) * (dims - 1 - rank), *base.shape[1:])


def fitted(base: Tensor, dims: int, events: int) -> Tensor:
    """A table with just its index dimensions and what lies right of them, be they of length 1."""
    extra = base.dim() - events - dims
    if extra > 0:  # axes of sums inside, reduced
        return base.reshape(base.shape[extra:])
    return base.reshape((1,) * -extra + tuple(base.shape)) if extra else base


def _each(value: object, read) -> Tensor | Scaled | Event:  # type: ignore[no-untyped-def]
    if isinstance(value, Event):
        assert value.dims is not None
        return Event(read(value.tensor, value.dims), value.dims)
    if isinstance(value, Scaled):
        return Scaled(read(value.mantissa, 0), read(value.scale, 0))
    return read(value, 0)


def _path(machine: Machine, step: Instruction) -> Event:
    """The elements of a path, along a new last axis."""
    parts: list[Tensor] = []
    events = 0
    for slot in step.operands:
        value = machine.slots[slot]
        if isinstance(value, Event):
            events = value.dims or 0
            parts.append(value.tensor)
        else:
            parts.append(sc.plain(value))
    if not parts:
        return Event(machine.constant(0.0).expand(0), 1)
    return Event(torch.stack(torch.broadcast_tensors(*parts), -1), events + 1)


OPERATIONS: dict[str, Operation] = {"lookup": _lookup, "path": _path}
