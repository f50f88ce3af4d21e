"""What goes in: numbers, tensors, families, vectors and callables, sorted into one layout.

Inside, a value is a tensor of shape ``(axes and binders …, batch …)``, right-aligned so that torch
broadcasts it; something that only functions can look into, a trajectory or a vector parameter, has
its *event* dimensions behind these (:class:`Event`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import torch
from torch import Tensor

from ..errors import EvaluationError
from ..language.names import NAME, canonical_name
from ..language.terms import App, Axis, Grad, Indexed, Sym, Term
from .tables import Table, is_own

__all__ = [
    "Binding",
    "Bindings",
    "Event",
    "Family",
    "Ranges",
    "Value",
    "bind",
    "kind",
    "named",
    "vector_names",
]

_KEY = re.compile(NAME)


@dataclass(frozen=True)
class Event:
    """A tensor whose last ``dims`` dimensions are one value, handed to functions whole.

    ``Event(y)`` is one vector ``y``; ``Event(x, dims=1)`` with ``x`` of shape (N, T), used as
    ``x[i]``, is a family of N trajectories.  Such a value can stand in a slot of a function or a
    density only; the callable gets it with its event dimensions last, and returns a tensor without
    them.

    Attributes:
        tensor: shape (index …, batch …, event …).
        dims: how many event dimensions; all of them where None is given.
    """

    tensor: Tensor
    dims: int | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.tensor, Tensor):
            raise EvaluationError("an Event wraps a torch tensor", instead="Event(torch.tensor(...))")
        if self.dims is None:
            object.__setattr__(self, "dims", self.tensor.dim())
        if not 0 <= self.dims <= self.tensor.dim():  # type: ignore[operator]
            raise EvaluationError(
                f"a tensor of {self.tensor.dim()} dimensions has no {self.dims} event dimensions",
                instead=f"dims between 0 and {self.tensor.dim()}",
            )

    @property
    def lead(self) -> tuple[int, ...]:
        """The shape without the event dimensions."""
        return tuple(self.tensor.shape[: self.tensor.dim() - (self.dims or 0)])


@dataclass(frozen=True)
class Family:
    """A family whose indices do not start at 1: ``Family(x, first=(0, 1))`` has x[0, 1] as element [0, 0].

    Attributes:
        tensor: shape (index …, batch …, event …).
        first: the smallest value of each index.
        dims: how many event dimensions (see :class:`Event`).
    """

    tensor: Tensor
    first: tuple[int, ...]
    dims: int = 0


#: First and last value of each index of a family, None where nothing is declared.
Ranges = Sequence[tuple[int, int] | None]

#: What ``values`` may hold.
Value = float | int | Fraction | Tensor | Event | Family | Sequence[Any] | Callable[..., Any]


@dataclass(frozen=True)
class Binding:
    """One name's value in the common layout.

    Attributes:
        tensor: shape (index …, batch …, event …), or None for a family given as a callable.
        indices: number of index dimensions (0 for a symbol).
        events: number of event dimensions.
        call: the callable of index tensors, or None.
        first: the smallest value of each index.
    """

    tensor: Tensor | None
    indices: int
    events: int
    call: Callable[..., Any] | None = None
    first: tuple[int, ...] = ()


@dataclass
class Bindings:
    """All values that a term uses, with what they have in common.

    Attributes:
        symbols, families, functions: by name; ``functions`` says whether the log is given.
        batch: the shape that all batch dimensions broadcast to.
        axes: length of every open coordinate axis, by number.
        tensor_in: whether a torch tensor was among the values used.
    """

    dtype: torch.dtype
    device: torch.device
    symbols: dict[str, Binding] = field(default_factory=dict)
    families: dict[str, Binding] = field(default_factory=dict)
    functions: dict[str, tuple[Callable[..., Any], bool]] = field(default_factory=dict)
    vectors: frozenset[str] = frozenset()
    batch: tuple[int, ...] = ()
    axes: dict[int, int] = field(default_factory=dict)
    tensor_in: bool = False

    @property
    def differentiable(self) -> bool:
        """Whether a tensor that went in has a graph, or asks for one."""
        found = (*self.symbols.values(), *self.families.values())
        return any(b.tensor is not None and b.tensor.requires_grad for b in found)

    @property
    def scaled(self) -> bool:
        """Whether a density is given by its logarithm."""
        return any(is_log for _, is_log in self.functions.values())


def vector_names(nodes: Iterable[Term], also: Collection[str] = ()) -> frozenset[str]:
    """Names that the term itself shows to be vector parameters: those with a coordinate."""
    found = set(also)
    for node in nodes:
        if isinstance(node, Grad) and node.coordinate is not None:
            found.add(node.param)
        elif isinstance(node, App) and node.key[4]:
            for slot, coordinate in node.partials:
                where = node.slots[slot - 1]
                if coordinate is not None and isinstance(where, Sym):
                    found.add(where.name)
    return frozenset(found)


def bind(
    nodes: Sequence[Term],
    values: Mapping[str, Value],
    *,
    dtype: torch.dtype,
    axes: Mapping[int, int] | None,
    vectors: Collection[str],
    tables: Mapping[str, Table] | None = None,
    ranges: Mapping[str, Ranges] | None = None,
) -> Bindings:
    """Look up and lay out every name that the nodes use.

    Args:
        nodes: of the term and of the tables that it refers to.
        values: as for :func:`~.evaluate.evaluate`.
        dtype: of all computation.
        axes: lengths of open coordinate axes that the values do not show.
        vectors: names of vector parameters that the nodes do not show to be such.
        tables: by the names that stand for them in the nodes.
        ranges: first and last value of each index of a family, where a document says so.

    Raises:
        EvaluationError: a name without a value, a value of the wrong kind or shape, shapes of batches
            that do not broadcast, axes of unknown or contradictory length.
    """
    symbols: set[str] = set()
    families: dict[str, int] = {}
    functions: set[str] = set()
    tables = tables or {}
    for node in nodes:
        if isinstance(node, (Sym, Indexed)) and node.key in tables:
            continue
        if isinstance(node, Sym):
            symbols.add(node.name)
        elif isinstance(node, Grad):
            symbols.add(node.param)
        elif isinstance(node, Indexed):
            rank = families.setdefault(node.name, len(node.args))
            if rank != len(node.args):
                raise EvaluationError(
                    f"{node.name} occurs with {rank} and with {len(node.args)} indices",
                    instead="one name for each of the two families",
                )
        elif isinstance(node, App) and not is_own(node):
            functions.add(node.name)
    vector = vector_names(nodes, vectors)
    symbols |= vector & set(families)
    families = {name: rank for name, rank in families.items() if name not in vector}

    raw = _look_up(values, symbols, families, functions, ranges or {})
    tensors = [v.tensor if isinstance(v, (Event, Family)) else v for v in raw.values()]
    tensors = [t for t in tensors if isinstance(t, Tensor)]
    out = Bindings(dtype, _device(tensors), vectors=vector, tensor_in=bool(tensors))
    for name in symbols:
        out.symbols[name] = _symbol(name, raw["symbol", name], out)
    for name, rank in families.items():
        out.families[name] = _family(name, rank, raw["family", name], out, (ranges or {}).get(name))
    for name in functions:
        out.functions[name] = raw["function", name]
    out.batch = _batch(out)
    out.axes = _axis_lengths(nodes, out, axes, tables)
    return out


def named(values: Mapping[str, Value]) -> dict[str, Value]:
    """The values by canonical names: ``"theta"`` is ``"θ"``, ``"log wbar()"`` is ``"log w̄()"``.

    Raises:
        EvaluationError: ``values`` is no mapping, or gives two values to one name.
    """
    if not isinstance(values, Mapping):
        raise EvaluationError(
            f"values map names to numbers, tensors and callables; this is {kind(values)}",
            instead='{"x": 0.3, "p": lambda x, θ: …}',
        )
    out: dict[str, Value] = {}
    for key, value in values.items():
        name = _KEY.sub(lambda m: canonical_name(m.group()), key) if isinstance(key, str) else key
        if name in out:
            raise EvaluationError(f"{name} is given twice, in two spellings", instead="one of the two")
        out[name] = value
    return out


def _look_up(
    values: Mapping[str, Value],
    symbols: Collection[str],
    families: Mapping[str, int],
    functions: Collection[str],
    ranges: Mapping[str, Ranges],
) -> dict[tuple[str, str], Any]:
    raw: dict[tuple[str, str], Any] = {}
    missing: list[str] = []
    for name in sorted(symbols):
        if name in values:
            raw["symbol", name] = values[name]
        else:
            missing.append(name)
    for name in sorted(families):
        found = values.get(f"{name}[]", values.get(name))
        if found is None:
            missing.append(f"{name} ({_described(families[name], ranges.get(name))})")
        raw["family", name] = found
    for name in sorted(functions):
        log = values.get(f"log {name}")
        found = log if log is not None else values.get(f"{name}()", values.get(name))
        if isinstance(found, Mapping):  # {"log": …, "sample": …}
            log = found.get("log")
            found = log if log is not None else found.get("density")
        if found is None:
            missing.append(f"{name} (a callable; or its logarithm as 'log {name}')")
        elif not callable(found) or isinstance(found, (Tensor, Event)):
            raise EvaluationError(
                f"{name} is applied to arguments, and its value is no callable but {kind(found)}",
                instead=f"values['{name}'] = a function of torch tensors, called with the slots in order",
            )
        raw["function", name] = (found, log is not None)
    if missing:
        raise EvaluationError(
            f"no value is given for {'; '.join(missing)}",
            instead="an entry in values for each; given are: " + (", ".join(map(str, values)) or "none"),
        )
    return raw


def _described(rank: int, ranges: Ranges | None) -> str:
    """What a family's value looks like, for a message."""
    if ranges is None or None in ranges:
        return f"a tensor with {rank} leading index dimension(s)"
    lengths = ", ".join(str(r[1] - r[0] + 1) for r in ranges if r is not None)
    shown = ", ".join(f"{r[0]}..{r[1]}" for r in ranges if r is not None)
    return f"a tensor of shape ({lengths}{',' if rank == 1 else ''}), for the indices {shown}"


def kind(value: object) -> str:
    """The type of a value, for a message: ``an int``."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}" if value is not None else "None"


def _device(tensors: Sequence[Tensor]) -> torch.device:
    devices = {t.device for t in tensors if t.device.type != "cpu"}
    if len(devices) > 1:
        raise EvaluationError(
            f"the tensors lie on several devices: {', '.join(sorted(map(str, devices)))}",
            instead="all of them on one",
        )
    if devices:
        device = devices.pop()
        if any(t.device != device and t.dim() > 0 for t in tensors):
            raise EvaluationError(
                f"some tensors lie on {device}, others on the CPU", instead=f"move all of them to {device}"
            )
        return device
    return torch.device("cpu")


def _tensor(name: str, value: object, out: Bindings) -> Tensor:
    try:
        if isinstance(value, Tensor):
            if value.is_complex():
                raise TypeError("complex numbers")
            value = value.to(device=out.device, dtype=out.dtype)
            return value.clone() if value.is_inference() else value  # autograd refuses inference tensors
        if isinstance(value, Fraction):
            value = float(value)
        return torch.as_tensor(value, dtype=out.dtype, device=out.device)
    except (TypeError, ValueError, RuntimeError, OverflowError) as error:
        raise EvaluationError(
            f"the value of {name} is no number and no tensor but {kind(value)} ({error})",
            instead="a float, an int, a torch tensor, or an Event",
        ) from None


def _symbol(name: str, value: object, out: Bindings) -> Binding:
    if callable(value) and not isinstance(value, (Tensor, Event)):
        raise EvaluationError(
            f"{name} stands for a number, and its value is a callable",
            instead=f"a float or a tensor for {name}; where a function has the same name, "
            f"give that one as '{name}()'",
        )
    if isinstance(value, Event):
        assert value.dims is not None
        return Binding(_tensor(name, value.tensor, out), 0, value.dims)
    if isinstance(value, Family):
        raise EvaluationError(
            f"{name} stands without indices, and its value is a Family",
            instead=f"a number or a tensor for {name}; the family of the same name as '{name}[]'",
        )
    tensor = _tensor(name, value, out)
    if name in out.vectors:
        if tensor.dim() == 0:
            raise EvaluationError(
                f"{name} is a vector parameter, and its value is one number",
                instead=f"a 1-D tensor for {name}",
            )
        return Binding(tensor.movedim(0, -1), 0, 1)
    return Binding(tensor, 0, 0)


def _family(name: str, rank: int, value: object, out: Bindings, ranges: Ranges | None) -> Binding:
    if callable(value) and not isinstance(value, (Tensor, Event)):
        return Binding(None, rank, 0, value)
    events = 0
    first = tuple(1 if r is None else r[0] for r in ranges) if ranges is not None else (1,) * rank
    if isinstance(value, Event):
        assert value.dims is not None
        events = value.dims
    elif isinstance(value, Family):
        events, first = value.dims, value.first
        if len(first) != rank:
            raise EvaluationError(
                f"{name} has {rank} index(es), and its Family gives the first value of {len(first)}",
                instead=f"first=({', '.join(['1'] * rank)},)",
            )
    tensor = _tensor(name, value.tensor if isinstance(value, (Event, Family)) else value, out)
    if tensor.dim() < rank + events:
        raise EvaluationError(
            f"{name} has {rank} index(es), and its tensor of shape {tuple(tensor.shape)} too few dimensions",
            instead=f"a tensor with {rank} leading index dimension(s), {name}[1] being element 0, "
            "or a callable of index tensors",
        )
    if ranges is not None and not isinstance(value, Family):
        wanted = [None if r is None else r[1] - r[0] + 1 for r in ranges]
        if any(n is not None and n != m for n, m in zip(wanted, tensor.shape, strict=False)):
            raise EvaluationError(
                f"the tensor for {name} has shape {tuple(tensor.shape)}",
                instead=f"{_described(rank, ranges)}; or Family(tensor, first=…)",
            )
    return Binding(tensor, rank, events, None, first)


def _batch(out: Bindings) -> tuple[int, ...]:
    shapes: dict[str, tuple[int, ...]] = {}
    for name, binding in (*out.symbols.items(), *out.families.items()):
        if binding.tensor is not None:
            stop = binding.tensor.dim() - binding.events
            shapes[name] = tuple(binding.tensor.shape[binding.indices : stop])
    try:
        return tuple(torch.broadcast_shapes(*shapes.values()))
    except RuntimeError:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items() if shape)
        raise EvaluationError(
            f"the batch shapes of the values do not broadcast: {listed}",
            instead="equal batch shapes; a value that functions take whole is an Event",
        ) from None


def _axis_lengths(
    nodes: Sequence[Term],
    out: Bindings,
    given: Mapping[int, int] | None,
    tables: Mapping[str, Table],
) -> dict[int, int]:
    found: dict[int, int] = dict(given or {})
    used: set[int] = set(found)

    def meet(number: int, length: int | None) -> None:
        if length is not None and found.setdefault(number, length) != length:
            raise EvaluationError(
                f"coordinate axis {number} has length {found[number]} and {length} at once",
                instead="vector parameters of equal length where they share an axis",
            )

    def length_of(name: str) -> int | None:
        binding = out.symbols.get(name)
        if binding is None or binding.tensor is None or binding.events != 1:
            return None
        return int(binding.tensor.shape[-1])

    for node in nodes:
        if isinstance(node, Axis):
            used.add(node.number)
        elif isinstance(node, Grad):
            if isinstance(node.coordinate, Axis):
                meet(node.coordinate.number, length_of(node.param))
        elif isinstance(node, App):
            for slot, coordinate in node.partials:
                where = node.slots[slot - 1]
                if isinstance(coordinate, Axis) and isinstance(where, Sym):
                    meet(coordinate.number, length_of(where.name))
        elif isinstance(node, Indexed):
            family = out.families.get(node.name)
            table = tables.get(node.name)
            for position, index in enumerate(node.args):
                if isinstance(index, Axis):
                    if table is not None:
                        lo, hi = table.ranges[position]
                        meet(index.number, hi if lo == 1 else None)
                    elif node.name in out.vectors:
                        meet(index.number, length_of(node.name))
                    elif family is not None and family.tensor is not None:
                        meet(index.number, int(family.tensor.shape[position]))
    for number in range(1, max(used, default=0) + 1):
        if number not in found:
            raise EvaluationError(
                f"the length of coordinate axis {number} does not follow from the values",
                instead=f"evaluate(..., axes={{{number}: length}})",
            )
    return found
