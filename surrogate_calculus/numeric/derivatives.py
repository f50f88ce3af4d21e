"""Opaque functions and their partial derivatives, ⊥ as detach, and ∇ in both modes."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import EvaluationError
from ..language.terms import Term
from . import scaled as sc
from .instructions import GradCall, Instruction
from .layout import column as column_of
from .machine import Machine, Operation, Result
from .opaque import (
    CallableFailed,
    Opaque,
    directional,
    elementwise_gradient,
    many,
    partial,
    partial_reverse,
    pick,
    rows,
    shown,
    units,
)
from .scaled import Scaled
from .trust import ForwardModeWrong, forward_mode_is_right
from .values import Event

__all__ = ["OPERATIONS"]


# -- functions --


def _app(machine: Machine, step: Instruction) -> Tensor | Scaled:
    node = step.node
    guard, count, partials = step.extra
    function, is_log = machine.bindings.functions[node.key[0]]
    args: list[Tensor] = []
    events: list[int] = []
    for slot in step.operands[:count]:
        value = machine.slots[slot]
        if isinstance(value, Event):
            args.append(value.tensor)
            events.append(value.dims or 0)
        else:
            args.append(sc.plain(value))
            events.append(0)
    opaque = Opaque(function, node, events, machine.bindings.dtype, machine.bindings.device)
    _see_forward_mode(machine, step, opaque, args)
    if not partials:
        out = _checked(machine, opaque(*args), args, guard, node)
        return sc.from_log(out) if is_log else out
    if not is_log:
        return _checked(machine, _derived(machine, opaque, opaque, args, partials, node), args, guard, node)
    scale = _checked(machine, opaque(*args), args, guard, node).detach()
    base = torch.where(scale == -torch.inf, torch.zeros_like(scale), scale)

    def mantissa(*values: Tensor) -> Tensor:
        return torch.exp(opaque(*values) - base)

    out = _derived(machine, opaque, mantissa, args, partials, node)
    return Scaled(_checked(machine, out, args, guard, node), base)


def _see_forward_mode(machine: Machine, step: Instruction, opaque: Opaque, args: list[Tensor]) -> None:
    """Once for each callable and order.

    Raises:
        ForwardModeWrong: torch's derivatives of the callable are wrong in forward mode.
        EvaluationError: they are wrong in either mode.
    """
    if machine.seen is None:
        return
    _, count, partials = step.extra
    order = len(machine.live) + len(partials)
    live = {slot - 1 for slot, _ in partials}
    live |= {
        k for k, slot in enumerate(step.operands[:count]) if any(slot in some for some, _ in machine.live)
    }
    moved = tuple(sorted(k for k in live if args[k].is_floating_point()))
    name = step.node.key[0]
    if not order or not moved or machine.seen.get((name, moved), 0) >= order:
        return
    machine.seen[name, moved] = order
    size = max([n for _, n in machine.live] + [args[slot - 1].numel() for slot, _ in partials])
    if not forward_mode_is_right(opaque, args, moved, order, size):
        raise ForwardModeWrong


def _derived(
    machine: Machine,
    opaque: Opaque,
    function: Callable[..., Tensor],
    args: list[Tensor],
    partials: tuple[tuple[int, int | None], ...],
    node: Term,
) -> Tensor:
    """The partial derivative; coordinates are picked from those computed, one pass for each."""
    wanted: list[list[int | None]] = []
    position: Tensor | None = None
    for slot, where in partials:
        events = opaque.events[slot - 1]
        if where is None:
            if events:
                raise EvaluationError(
                    f"a derivative in slot {slot}, which holds a vector, needs a coordinate: {shown(node)}",
                    instead=f"D[{slot}@1] or D[{slot}[k]]",
                )
            wanted.append([None])
            continue
        if events != 1:
            raise EvaluationError(
                f"a coordinate is given for slot {slot}, which holds no vector: {shown(node)}",
                instead=f"D[{slot}], or a 1-D tensor as its value",
            )
        column = column_of(machine.integer(where), args[slot - 1].shape[-1], node, machine)
        used = torch.unique(column)
        wanted.append([*_integers(used)])
        here = torch.searchsorted(used, column)
        position = here if position is None else position * len(wanted[-1]) + here
    combinations = list(itertools.product(*wanted))
    if machine.reverse:
        found = [_partials_reverse(opaque, function, args, partials, c) for c in combinations]
        return found[0] if position is None else pick(torch.stack(found, -1), position)
    if position is None:
        return _partials(function, args, partials, [None] * len(partials))
    # Every vector slot has one unit vector for each combination of coordinates.
    slots = [slot for slot, where in partials if where is not None]
    columns = [
        [combination[n] for combination in combinations]
        for n, (_, where) in enumerate(partials)
        if where is not None
    ]
    tangents = [
        units(args[slot - 1], [k for k in of_slot if k is not None])
        for slot, of_slot in zip(slots, columns, strict=True)
    ]

    def along(*units: Tensor) -> Tensor:
        each = iter(units)
        chosen = [None if where is None else next(each) for _, where in partials]
        return _partials(function, args, partials, chosen)

    try:
        out = torch.func.vmap(along)(*tangents).movedim(0, -1)
    except (RuntimeError, NotImplementedError, CallableFailed):
        out = torch.stack([along(*units) for units in zip(*tangents, strict=True)], -1)
    return pick(out, position)


def _partials(
    function: Callable[..., Tensor],
    args: list[Tensor],
    partials: tuple[tuple[int, int | None], ...],
    tangents: list[Tensor | None],
) -> Tensor:
    for (slot, _), tangent in zip(partials, tangents, strict=True):
        function = partial(function, slot - 1, tangent)
    return function(*args)


def _partials_reverse(
    opaque: Opaque,
    function: Callable[..., Tensor],
    args: list[Tensor],
    partials: tuple[tuple[int, int | None], ...],
    columns: tuple[int | None, ...],
) -> Tensor:
    for (slot, _), column in zip(partials, columns, strict=True):
        function = partial_reverse(function, slot - 1, column, opaque.shape)
    return function(*args)


def _checked(machine: Machine, out: Tensor, args: list[Tensor], guard: int | None, node: Term) -> Tensor:
    """Refuse nan from numbers, except where the value does not matter."""
    bad = torch.isnan(out)
    if not bool(bad.any()) or any(bool(torch.isnan(a).any()) for a in args):
        return out
    return machine.safe(
        out,
        bad,
        guard,
        node,
        f"the callable for {node.key[0]} gave nan",
        "arguments inside its domain",
    )


# -- ⊥ and ∇ --


def _detach(machine: Machine, step: Instruction) -> Result:
    value = machine.slots[step.operands[0]]
    if isinstance(value, Scaled):
        return Scaled(value.mantissa.detach(), value.scale)
    if isinstance(value, Event):
        return Event(value.tensor.detach(), value.dims)
    return value.detach()


def _zero(machine: Machine, step: Instruction) -> Tensor:
    return machine.constant(0.0)


def _grad(machine: Machine, step: Instruction) -> Tensor | Scaled:
    call: GradCall = step.extra
    theta = machine.slots[call.theta]
    vector = isinstance(theta, Event)
    if vector and (theta.dims != 1 or call.coordinate is None):
        raise EvaluationError(
            f"{step.node.key} is a vector, and the ∇ names no coordinate: {shown(step.node)}",
            instead=f"∇[{step.node.key}@1](…), or one number as the value of {step.node.key}",
        )
    if not vector and call.coordinate is not None:
        raise EvaluationError(
            f"{step.node.key} is no vector: {shown(step.node)}",
            instead=f"a 1-D tensor as the value of {step.node.key}, or ∇ without a coordinate",
        )
    at: Tensor = theta.tensor if vector else sc.plain(theta)
    if call.coordinate is None:
        return _grad_reverse(machine, step, at) if machine.reverse else _grad_forward(machine, step, at, None)
    column = column_of(machine.integer(call.coordinate), at.shape[-1], step.node, machine)
    if machine.reverse:
        return _map(_grad_rows(machine, step, at), lambda t: pick(t, column))
    used = torch.unique(column)
    found = _grad_forward(machine, step, at, _integers(used))
    here = torch.searchsorted(used, column)
    return _map(found, lambda t: pick(t, here))


def _integers(values: Tensor) -> list[int]:
    """The elements, one by one: within a transformation torch 2.6 has no ``tolist``."""
    return [int(value) for value in values.unbind()]


def _map(value: Tensor | Scaled, function: Callable[[Tensor], Tensor]) -> Tensor | Scaled:
    if isinstance(value, Scaled):
        return Scaled(function(value.mantissa), value.scale)
    return function(value)


def _body(machine: Machine, call: GradCall, at: Tensor, vector: bool) -> Tensor | Scaled:
    """Run the ∇'s block with the parameter's varied copy at ``at``."""
    machine.slots[call.version.slot] = Event(at, 1) if vector else at
    machine.run(call.version.block)
    value = machine.slots[call.body]
    if isinstance(value, Event):
        raise EvaluationError(
            "a ∇ stands over a vector that is used whole",
            instead="the vector with its index, or in a slot of a function",
        )
    return value


def _grad_forward(
    machine: Machine, step: Instruction, at: Tensor, columns: list[int] | None
) -> Tensor | Scaled:
    """Forward mode; in a vector, the derivatives in these coordinates come last."""
    call: GradCall = step.extra
    version = call.version
    live = frozenset((version.slot, *(inner.out for inner in version.block.instructions)))
    is_scaled = False

    def varied(value: Tensor) -> tuple[Tensor, Tensor]:
        nonlocal is_scaled
        machine.live.append((live, at.numel()))
        try:
            body = _body(machine, call, value, columns is not None)
        finally:
            machine.live.pop()
        if isinstance(body, Scaled):
            is_scaled = True
            return body.mantissa, body.scale
        return body, body.new_zeros(())

    if columns is None:
        out, scale = directional(varied, at, torch.ones_like(at))
    else:
        out, scale = many(varied, at, units(at, columns))
    return Scaled(out, scale) if is_scaled else out


def _spread(machine: Machine, call: GradCall) -> tuple[int, ...]:
    """The shape of the axes and the batch at the place of a ∇."""
    shapes = [machine.bindings.batch]
    shapes += [tuple(machine.slots[frame.slot].index.shape) for frame in call.frames]
    if call.axes:
        lengths = machine.bindings.axes
        top = len(lengths)
        shapes += [machine.axis_shape(lengths[n], top - n) for n in lengths]
    return tuple(torch.broadcast_shapes(*shapes))


def _again(machine: Machine, call: GradCall) -> bool:
    """Whether what this ∇ gives is differentiated once more."""
    return call.version.block.depth > 1 or machine.bindings.differentiable


def _grad_reverse(machine: Machine, step: Instruction, at: Tensor) -> Tensor | Scaled:
    """Reverse mode, elementwise: every element of the body gets a copy of the parameter of its own."""
    call: GradCall = step.extra
    shape = torch.broadcast_shapes(_spread(machine, call), at.shape)
    copy, again = at.expand(shape).clone(), _again(machine, call)
    if not copy.requires_grad:
        copy.requires_grad_()
    body = _body(machine, call, copy, False)
    if isinstance(body, Scaled):
        size = torch.broadcast_shapes(body.mantissa.shape, body.scale.shape, shape)
        return Scaled(elementwise_gradient(body.mantissa.expand(size), copy, again), body.scale)
    return elementwise_gradient(body.expand(torch.broadcast_shapes(body.shape, shape)), copy, again)


def _grad_rows(machine: Machine, step: Instruction, at: Tensor) -> Tensor | Scaled:
    """Reverse mode in a vector: the whole gradient of every element, coordinates last."""
    call: GradCall = step.extra
    copy, again = at.clone(), _again(machine, call)
    if not copy.requires_grad:
        copy.requires_grad_()
    body = _body(machine, call, copy, True)
    if isinstance(body, Scaled):
        return Scaled(rows(body.mantissa, copy, again), body.scale)
    return rows(body, copy, again)


OPERATIONS: dict[str, Operation] = {
    "app": _app,
    "detach": _detach,
    "zero": _zero,
    "grad": _grad,
}
