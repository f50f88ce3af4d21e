"""Running a compiled term in torch.

Two modes.  *Forward* evaluates ∇ by ``torch.func.jvp`` with tangent one on the varied copy of the
parameter, nested for higher orders: every derivative is elementwise, under Σ and over a batch.
*Reverse* evaluates ∇ by ``torch.autograd.grad`` with ``create_graph``, as a training script does.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Union

import torch
from torch import Tensor

from ..errors import EvaluationError
from ..language.terms import Term
from . import scaled as sc
from .elementary import ELEMENTARY
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
from .program import Block, GradCall, Instruction, Program
from .scaled import Scaled
from .values import Bindings, Event

__all__ = ["Machine"]

#: Longest range of a Σ or ∏ that is laid out along an axis.
MAX_RANGE = 100_000_000


@dataclass(eq=False)
class Range:
    """The values of a bound index: int64, along its own axis; ``inside`` where the range is ragged."""

    index: Tensor
    length: int
    inside: Tensor | None


Result = Union[Tensor, Scaled, Event, Range]


class Machine:
    """The state of one run: the slots.

    Args:
        program: what to run.
        bindings: the values of its names.
        reverse: whether ∇ and partial derivatives are taken in reverse mode.
    """

    def __init__(self, program: Program, bindings: Bindings, *, reverse: bool) -> None:
        self.program = program
        self.bindings = bindings
        self.reverse = reverse
        self.rank = len(bindings.batch)
        self.slots: list[Any] = [None] * program.size

    def result(self) -> Tensor:
        """Run; the value as a tensor of shape (open axes …, batch …).

        Raises:
            EvaluationError: see :func:`~surrogate_calculus.numeric.evaluate.evaluate`.
        """
        self.run(self.program.root)
        value = self.slots[self.program.result]
        if isinstance(value, Event):
            raise EvaluationError(
                "the expression is an Event, which only functions can look into",
                instead="a tensor, or the expression as an argument of a function",
            )
        out = sc.plain(value)
        lengths = self.bindings.axes
        shape = (*(lengths[n] for n in range(1, len(lengths) + 1)), *self.bindings.batch)
        self.check_nan(out)
        return out.expand(shape)

    def run(self, block: Block) -> None:
        """Run the instructions of a block."""
        slots = self.slots
        for step in block.instructions:
            slots[step.out] = OPERATIONS[step.op](self, step)

    # -- reading slots --

    def tensor(self, slot: int, node: Term) -> Tensor:
        """A slot's number as a plain tensor."""
        return sc.plain(self.number(slot, node))

    def number(self, slot: int, node: Term) -> Tensor | Scaled:
        """A slot that must be a number."""
        value = self.slots[slot]
        if isinstance(value, Event):
            raise EvaluationError(
                f"an Event or a vector parameter stands where a number is needed: {shown(node)}",
                instead="such a value only as a whole argument of a function, or a vector with its index",
            )
        return value  # type: ignore[no-any-return]

    def integer(self, slot: int, node: Term, guard: int | None = None) -> Tensor:
        """A slot as an int64 tensor."""
        value = self.tensor(slot, node).detach()
        rounded = value.round()
        bad = ~((value - rounded).abs() < 1e-6)
        if self.reached(bad, guard):
            raise EvaluationError(
                f"an index or a bound of a range is no integer ({_first(value, bad)}) in {shown(node)}",
                instead="integers as values of counts and indices",
            )
        return torch.where(bad, torch.ones_like(rounded), rounded).to(torch.int64)

    def reached(self, bad: Tensor, guard: int | None) -> bool:
        """Whether a bad element lies where the value matters."""
        if not bool(bad.any()):
            return False
        return guard is None or bool((bad & self.slots[guard]).any())

    def safe(
        self, value: Tensor, bad: Tensor, guard: int | None, node: Term, what: str, instead: str
    ) -> Tensor:
        """``value`` where it is good, 1 where it is bad and does not matter.

        Raises:
            EvaluationError: it is bad where it matters.
        """
        if not bool(bad.any()):
            return value
        if self.reached(bad, guard):
            raise EvaluationError(f"{what} in {shown(node)}", instead=instead)
        return torch.where(bad, torch.ones_like(value), value)

    def guarded_number(
        self, slot: int, guard: int | None, node: Term, bad: Callable[[Tensor], Tensor], what: str, instead: str
    ) -> Tensor | Scaled:
        """A number whose (mantissa's) bad elements are refused, or replaced where they do not matter."""
        value = self.number(slot, node)
        sample = value.mantissa if isinstance(value, Scaled) else value
        good = self.safe(sample, bad(sample), guard, node, what, instead)
        return Scaled(good, value.scale) if isinstance(value, Scaled) else good

    def check_nan(self, out: Tensor) -> None:
        """Refuse a nan that did not come in, naming the first subterm that has it."""
        if not bool(torch.isnan(out).any()):
            return
        for binding in (*self.bindings.symbols.values(), *self.bindings.families.values()):
            if binding.tensor is not None and bool(torch.isnan(binding.tensor).any()):
                return
        for step in self.program.root.instructions:
            value = self.slots[step.out]
            if isinstance(value, Scaled):
                value = value.mantissa
            if isinstance(value, Tensor) and value.is_floating_point() and bool(torch.isnan(value).any()):
                raise EvaluationError(
                    f"the value is not a number (0·∞ or ∞ - ∞) in {shown(step.node)}",
                    instead="a point away from the singularity; for tiny densities, their logarithm as 'log p'",
                )
        raise EvaluationError("the value is not a number")

    # -- layout --

    def axis_shape(self, length: int, level: int) -> tuple[int, ...]:
        return (length,) + (1,) * (level + self.rank)

    def constant(self, value: float) -> Tensor:
        return torch.tensor(value, dtype=self.bindings.dtype, device=self.bindings.device)


def _first(value: Tensor, bad: Tensor) -> str:
    return f"{value.expand(bad.shape)[bad].flatten()[0].item():g}"


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


def _range(machine: Machine, step: Instruction) -> Range:
    guard, level = step.extra
    lo = machine.integer(step.operands[0], step.node, guard)
    hi = machine.integer(step.operands[1], step.node, guard)
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
    indices = [machine.integer(slot, node, guard) for slot in step.operands]
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
        length = base.shape[number]
        bad = (index < 1) | (index > length)
        if machine.reached(bad, guard):
            raise EvaluationError(
                f"index {int(_first(index.to(base.dtype), bad))} of {node.key} is outside 1..{length} "
                f"in {shown(node)}",
                instead=f"values with {node.key}[1] as element 0, long enough for the range",
            )
        if length == 0 and index.numel():
            raise EvaluationError(f"the family {node.key} is empty in {shown(node)}")
        places.append(index.clamp(1, max(length, 1)) - 1)
    out = _gather(base, places, binding.events, machine.rank)
    return Event(out, binding.events) if binding.events else out


def _gather(base: Tensor, places: list[Tensor], events: int, rank: int) -> Tensor:
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
        raise EvaluationError(f"{node.key} is used with an index, and its value is no vector")
    index = machine.integer(step.operands[1], node, step.extra)
    return pick(base.tensor, _column(index, base.tensor.shape[-1], node, machine, step.extra))


def _column(
    index: Tensor, length: int, node: Term, machine: Machine, guard: int | None = None
) -> Tensor:
    """A coordinate from 1 as a position from 0."""
    bad = (index < 1) | (index > length)
    if machine.reached(bad, guard):
        raise EvaluationError(
            f"coordinate {int(_first(index.double(), bad))} of a vector of length {length} in {shown(node)}",
            instead=f"a coordinate in 1..{length}",
        )
    return index.clamp(1, length) - 1


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
    return torch.pow(base, power)


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
    if len(shape) >= position and shape[len(shape) - position] == found.length:
        return body, found, len(shape) - position
    return body, found, None


def _drop(value: Any, dim: int) -> Any:
    """Remove the axis ``dim`` (of length 1, already reduced) and the empty ones left of it."""
    if isinstance(value, Scaled):
        return Scaled(_drop(value.mantissa, dim), _drop(value.scale, dim))
    return value.reshape(value.shape[dim:])


def _sum(machine: Machine, step: Instruction) -> Tensor | Scaled:
    body, found, dim = _aligned(machine, step)
    if dim is None:
        count = machine.constant(float(found.length))
        return sc.times(body, count) if isinstance(body, Scaled) else body * count
    if isinstance(body, Scaled):
        return _drop(sc.sum_axis(body, dim), dim)  # type: ignore[no-any-return]
    return _drop(body.sum(dim), dim)  # type: ignore[no-any-return]


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
    return _drop(_squeezed(body, dim), dim)  # type: ignore[no-any-return]


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
        column = _column(machine.integer(where, node), args[slot - 1].shape[-1], node, machine)
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


def _checked(
    machine: Machine, out: Tensor, args: list[Tensor], guard: int | None, node: Term
) -> Tensor:
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
    return value.detach()  # type: ignore[no-any-return]


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
    column = _column(machine.integer(call.coordinate, step.node), at.shape[-1], step.node, machine)
    if machine.reverse:
        return _map(_grad_rows(machine, step, at), lambda t: pick(t, column))
    used = torch.unique(column)
    found = [_grad_forward(machine, step, at, k) for k in used.tolist()]
    here = torch.searchsorted(used, column)
    if isinstance(found[0], Scaled):
        top = sc.add(found).scale  # one scale for all coordinates
        aligned = [f.mantissa * torch.exp(f.scale - top) for f in found]  # type: ignore[union-attr]
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
    return value  # type: ignore[no-any-return]


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


Operation = Callable[[Machine, Instruction], Any]

OPERATIONS: dict[str, Operation] = {
    "num": _num,
    "load": _load,
    "axis": _axis,
    "index": _index,
    "range": _range,
    "inside": _inside,
    "both": _both,
    "then": _then,
    "else": _else,
    "cases": _cases,
    "family": _family,
    "component": _component,
    "add": _add,
    "mul": _mul,
    "pow": _pow,
    "gt": _compare,
    "ge": _compare,
    "eq": _compare,
    "pi": _pi,
    "log": _function,
    "sqrt": _function,
    "sum": _sum,
    "prod": _prod,
    "app": _app,
    "detach": _detach,
    "zero": _zero,
    "grad": _grad,
    **{name: _function for name in ELEMENTARY},
}
