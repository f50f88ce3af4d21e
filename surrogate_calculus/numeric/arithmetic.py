"""Sums, products, powers, built-in functions, comparisons, and the reductions Σ and ∏."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from . import scaled as sc
from .elementary import ELEMENTARY
from .instructions import Instruction
from .machine import Machine, Operation, Range
from .scaled import Scaled

__all__ = ["OPERATIONS"]


# -- arithmetic --


def _numbers(machine: Machine, step: Instruction) -> list[Tensor | Scaled]:
    return [machine.number(slot, step.node) for slot in step.operands]


def _add(machine: Machine, step: Instruction) -> Tensor | Scaled:
    values = _numbers(machine, step)
    if any(isinstance(v, Scaled) for v in values):
        # A literal 0 has no size of its own to align to.
        values = [v for v, a in zip(values, step.node.args, strict=True) if a.tag != "num" or a.key != 0]
        return sc.add(values)
    out = values[0]
    for value in values[1:]:
        out = out + value  # type: ignore[operator]
    return out


def _mul(machine: Machine, step: Instruction) -> Tensor | Scaled:
    values = _numbers(machine, step)
    if any(isinstance(v, Scaled) for v in values):
        return sc.mul(values)
    out = values[0]
    for value in values[1:]:
        out = out * value  # type: ignore[operator]
    return out


DIVISION = ("division by zero", "values at which the denominator is not 0")


def _pow(machine: Machine, step: Instruction) -> Tensor | Scaled:
    node, guard = step.node, step.extra
    if len(step.operands) == 1:
        exponent = node.args[1].key
        if exponent.denominator == 1:
            if exponent < 0:
                base = machine.guarded_number(step.operands[0], guard, node, lambda b: b == 0, *DIVISION)
            else:
                base = machine.number(step.operands[0], node)
            return _integer_power(base, int(exponent))
        base = machine.guarded_number(
            step.operands[0],
            guard,
            node,
            (lambda b: b <= 0) if exponent < 0 else (lambda b: b < 0),
            "a fractional power of a number that is not positive",
            "values at which the base is positive",
        )
        if isinstance(base, Scaled):
            return sc.from_log(sc.log(base) * float(exponent))
        return torch.sqrt(base) if exponent * 2 == 1 else torch.pow(base, float(exponent))
    power = machine.tensor(step.operands[1], node)
    integral = power.detach() == power.detach().round()
    base = machine.guarded_number(
        step.operands[0],
        guard,
        node,
        lambda b: ((b < 0) & ~integral) | ((b == 0) & (power.detach() < 0)),
        "a power of a number that is not positive",
        "values at which the base is positive",
    )
    if isinstance(base, Scaled):
        if bool((base.mantissa > 0).all()):
            return sc.from_log(sc.log(base) * power)
        base = sc.plain(base)
    # torch takes x^y for constant in y where y is 0, so that the (k+2)nd derivative of pow is wrong at y = k.
    touched = integral & (power.detach() >= 0) & (base.detach() > 0)
    safe = torch.where(touched, base, torch.ones_like(base))
    return torch.where(touched, torch.exp(power * torch.log(safe)), torch.pow(base, power))


def _integer_power(base: Tensor | Scaled, exponent: int) -> Tensor | Scaled:
    if isinstance(base, Scaled):
        return sc.power(base, exponent)
    if exponent == 1:
        return base
    if exponent == 2:
        return base * base
    if exponent == -1:
        return base.reciprocal()
    return base**exponent


def _function(machine: Machine, step: Instruction) -> Tensor | Scaled:
    node = step.node
    if node.key == "log":
        value = machine.guarded_number(
            step.operands[0],
            step.extra,
            node,
            lambda v: v <= 0,
            "the log of a number that is not positive",
            "values at which it is positive; a density too small for a float as its logarithm, 'log p'",
        )
        return sc.log(value) if isinstance(value, Scaled) else torch.log(value)
    if node.key == "sqrt":
        value = machine.guarded_number(
            step.operands[0],
            step.extra,
            node,
            lambda v: v < 0,
            "the square root of a negative number",
            "values at which it is not negative",
        )
        return sc.sqrt(value) if isinstance(value, Scaled) else torch.sqrt(value)
    values = _numbers(machine, step)
    if any(isinstance(v, Scaled) for v in values):
        if node.key in ("max", "min"):
            a, b = values
            above = sc.add([a, sc.mul([machine.constant(-1.0), b])]).mantissa >= 0
            return sc.where(above if node.key == "max" else ~above, a, b)
        if node.key == "abs":
            (a,) = values
            assert isinstance(a, Scaled)
            return Scaled(a.mantissa.abs(), a.scale)
    if node.key == "exp" and machine.bindings.scaled:
        return sc.from_log(sc.plain(values[0]))
    return ELEMENTARY[node.key](*(sc.plain(v) for v in values))


def _compare(machine: Machine, step: Instruction) -> Tensor:
    a, b = _numbers(machine, step)
    if isinstance(a, Scaled) or isinstance(b, Scaled):
        difference: Tensor = sc.add([a, sc.mul([machine.constant(-1.0), b])]).mantissa
        b = torch.zeros_like(difference)
        a = difference
    found = {"gt": torch.gt, "ge": torch.ge, "eq": torch.eq}[step.op](a, b)
    return found.to(machine.bindings.dtype)


def _pi(machine: Machine, step: Instruction) -> Tensor:
    return machine.constant(torch.pi)


# -- Σ and ∏ --


def _aligned(machine: Machine, step: Instruction) -> tuple[Any, Range, int | None]:
    """The body, its range, and the dimension along which it varies (None: it does not)."""
    body = machine.number(step.operands[0], step.node)
    found: Range = machine.slots[step.operands[1]]
    position = machine.rank + step.extra.level + 1
    if isinstance(body, Scaled):
        shape = torch.broadcast_shapes(body.mantissa.shape, body.scale.shape)
        body = Scaled(body.mantissa.expand(shape), body.scale.expand(shape))
    if found.inside is not None:
        zero_or_one = machine.constant(0.0 if step.op == "sum" else 1.0)
        if isinstance(body, Scaled):
            body = sc.where(found.inside, body, zero_or_one)
            shape = torch.broadcast_shapes(body.mantissa.shape, body.scale.shape)
            scale = body.scale.expand(shape)
            if step.op == "sum":  # what lies outside the range has no size to align to
                scale = torch.where(found.inside, scale, torch.full_like(scale, -torch.inf))
            body = Scaled(body.mantissa.expand(shape), scale)
        else:
            body = torch.where(found.inside, body, zero_or_one)
    shape = body.mantissa.shape if isinstance(body, Scaled) else body.shape
    dim = len(shape) - position
    if dim < 0:
        return body, found, None
    if shape[dim] == found.length:
        return body, found, dim
    return _drop(body, dim + 1), found, None  # an axis of length 1: a table whose members are all one


def _drop(value: Any, dim: int) -> Any:
    """Remove what lies left of the axis ``dim``: an axis that is reduced, and empty ones."""
    if isinstance(value, Scaled):
        return Scaled(_drop(value.mantissa, dim), _drop(value.scale, dim))
    return value.reshape(value.shape[dim:])


def _sum(machine: Machine, step: Instruction) -> Tensor | Scaled:
    body, found, dim = _aligned(machine, step)
    if dim is None:
        count = machine.constant(float(found.length))
        return sc.times(body, count) if isinstance(body, Scaled) else body * count
    if isinstance(body, Scaled):
        return _drop(sc.sum_axis(body, dim), dim)
    return _drop(body.sum(dim), dim)


def _prod(machine: Machine, step: Instruction) -> Tensor | Scaled:
    body, found, dim = _aligned(machine, step)
    if dim is None:
        return _integer_power(body, found.length)
    if found.length == 0:
        shape = body.mantissa.shape if isinstance(body, Scaled) else body.shape
        return machine.constant(1.0).expand(shape[dim + 1 :])
    # Halving keeps every derivative a derivative of products, also where a factor is 0.
    length = found.length
    while length > 1:
        half = length // 2
        a, b = _part(body, dim, 0, half), _part(body, dim, half, half)
        merged = sc.mul([a, b]) if isinstance(body, Scaled) else a * b
        if length % 2:
            merged = _joined(merged, _part(body, dim, length - 1, 1), dim)
        body, length = merged, half + length % 2
    return _drop(_squeezed(body, dim), dim)


def _part(value: Any, dim: int, start: int, length: int) -> Any:
    if isinstance(value, Scaled):
        return Scaled(_part(value.mantissa, dim, start, length), _part(value.scale, dim, start, length))
    return value.narrow(dim, start, length)


def _joined(a: Any, b: Any, dim: int) -> Any:
    if isinstance(a, Scaled):
        return Scaled(_joined(a.mantissa, b.mantissa, dim), _joined(a.scale, b.scale, dim))
    return torch.cat((a, b), dim)


def _squeezed(value: Any, dim: int) -> Any:
    if isinstance(value, Scaled):
        return Scaled(value.mantissa.squeeze(dim), value.scale.squeeze(dim))
    return value.squeeze(dim)


OPERATIONS: dict[str, Operation] = {
    "add": _add,
    "mul": _mul,
    "pow": _pow,
    "gt": _compare,
    "ge": _compare,
    "eq": _compare,
    "pi": _pi,
    "log": _function,
    "sqrt": _function,
    **dict.fromkeys(ELEMENTARY, _function),
    "sum": _sum,
    "prod": _prod,
}
