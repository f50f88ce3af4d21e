"""Opaque functions and their partial derivatives, ⊥ as detach, and ∇ in both modes."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import EvaluationError
from ..language.terms import Term
from . import scaled as sc
from .layout import column as column_of
from .machine import Machine, Operation, Result
from .opaque import (
    Opaque,
    directional,
    elementwise_gradient,
    partial,
    partial_reverse,
    pick,
    rows,
    shown,
    unit,
)
from .program import GradCall, Instruction
from .scaled import Scaled
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
        column = column_of(machine.integer(where, node), args[slot - 1].shape[-1], node, machine)
        used = torch.unique(column)
        wanted.append(used.tolist())
        here = torch.searchsorted(used, column)
        position = here if position is None else position * len(wanted[-1]) + here
    found = []
    for columns in itertools.product(*wanted):
        derived = function
        for (slot, _), column_number in zip(partials, columns, strict=True):
            if machine.reverse:
                derived = partial_reverse(derived, slot - 1, column_number, opaque.shape)
            else:
                derived = partial(derived, slot - 1, column_number)
        found.append(derived(*args))
    return found[0] if position is None else pick(torch.stack(found, -1), position)


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
        raise EvaluationError(f"{step.node.key} is no vector: {shown(step.node)}")
    at: Tensor = theta.tensor if vector else sc.plain(theta)
    if call.coordinate is None:
        return _grad_reverse(machine, step, at) if machine.reverse else _grad_forward(machine, step, at, None)
    column = column_of(machine.integer(call.coordinate, step.node), at.shape[-1], step.node, machine)
    if machine.reverse:
        return _map(_grad_rows(machine, step, at), lambda t: pick(t, column))
    used = torch.unique(column)
    found = [_grad_forward(machine, step, at, k) for k in used.tolist()]
    here = torch.searchsorted(used, column)
    if isinstance(found[0], Scaled):
        parts = [sc.lift(f) for f in found]
        top = sc.add(parts).scale  # one scale for all coordinates
        aligned = [f.mantissa * torch.exp(f.scale - top) for f in parts]
        return Scaled(pick(torch.stack(torch.broadcast_tensors(*aligned), -1), here), top)
    return pick(torch.stack(found, -1), here)  # type: ignore[arg-type]


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
        raise EvaluationError("a ∇ stands over a vector that is used whole")
    return value


def _grad_forward(machine: Machine, step: Instruction, at: Tensor, column: int | None) -> Tensor | Scaled:
    call: GradCall = step.extra
    is_scaled = False

    def varied(value: Tensor) -> tuple[Tensor, Tensor]:
        nonlocal is_scaled
        body = _body(machine, call, value, column is not None)
        if isinstance(body, Scaled):
            is_scaled = True
            return body.mantissa, body.scale
        return body, body.new_zeros(())

    out, scale = directional(varied, at, unit(at, column))
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


def _grad_reverse(machine: Machine, step: Instruction, at: Tensor) -> Tensor | Scaled:
    """Reverse mode, elementwise: every element of the body gets a copy of the parameter of its own."""
    call: GradCall = step.extra
    shape = torch.broadcast_shapes(_spread(machine, call), at.shape)
    copy = at.expand(shape).clone()
    if not copy.requires_grad:
        copy.requires_grad_()
    body = _body(machine, call, copy, False)
    if isinstance(body, Scaled):
        size = torch.broadcast_shapes(body.mantissa.shape, body.scale.shape, shape)
        return Scaled(elementwise_gradient(body.mantissa.expand(size), copy), body.scale)
    return elementwise_gradient(body.expand(torch.broadcast_shapes(body.shape, shape)), copy)


def _grad_rows(machine: Machine, step: Instruction, at: Tensor) -> Tensor | Scaled:
    """Reverse mode in a vector: the whole gradient of every element, coordinates last."""
    call: GradCall = step.extra
    copy = at.clone()
    if not copy.requires_grad:
        copy.requires_grad_()
    body = _body(machine, call, copy, True)
    if isinstance(body, Scaled):
        return Scaled(rows(body.mantissa, copy), body.scale)
    return rows(body, copy)


OPERATIONS: dict[str, Operation] = {
    "app": _app,
    "detach": _detach,
    "zero": _zero,
    "grad": _grad,
}
