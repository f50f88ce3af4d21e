"""The heads of ``define`` and ``sample`` statements, and the family that all heads of one name make.

A family by recursion has several statements: ``define v̄[0,i] = …`` for the base and
``define v̄[t,i] = …`` for every later t.  Together they must give each value exactly one meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import DeclarationError, Span
from .linear import constant_difference, read
from .terms import Num, Sym, Term

if TYPE_CHECKING:
    from .declarations import Document, Range

__all__ = ["Head", "Layout", "layout"]

#: The index of a whole row, ``a[t,·]``.
_ROW = Sym("·")


@dataclass(frozen=True)
class Head:
    """``define v̄[0,i]`` or ``sample x[t,i]``: a name and the indices it is given at.

    Attributes:
        name: the name.
        indices: what stands as each index.
        places: where each index stands.
        span: where the name stands.
        sampled: whether it is drawn.
    """

    name: str
    indices: tuple[Term, ...]
    places: tuple[Span, ...]
    span: Span
    sampled: bool

    @property
    def role(self) -> str:
        """What the name is thereby declared as."""
        if not self.sampled:
            return "defined"
        return "an ancestor map" if _ROW in self.indices else "sampled"

    def at(self, where: Document, what: str, instead: str, index: int | None = None) -> DeclarationError:
        """An error at the name, or at one of the indices."""
        span = self.span if index is None else self.places[index]
        return DeclarationError(what, instead=instead, text=where.text, span=span, file=where.file)


@dataclass(frozen=True)
class Layout:
    """All heads of one name.

    Attributes:
        name: the name.
        indices: names of the indices, as in the general case.
        general: the head for any value of the indices; None where only single values are given.
        bases: the heads for one value of one index, in ascending order of it.
        time: which index the bases fix; None without bases.
        forward: whether the bases stand at the beginning of the range.
        shape: the range of each index, over all heads.
    """

    name: str
    indices: tuple[str, ...]
    general: Head | None
    bases: tuple[Head, ...]
    time: int | None
    forward: bool
    shape: tuple[Range | None, ...]

    @property
    def heads(self) -> tuple[Head, ...]:
        """Every head."""
        return self.bases if self.general is None else (self.general, *self.bases)

    def fixed(self, head: Head) -> Term:
        """The value at which a base stands."""
        assert self.time is not None
        return head.indices[self.time]

    def ranges(self, head: Head) -> dict[str, Range]:
        """What each index of a head runs over: in the general case all but the bases."""
        out = {
            index.key: bounds
            for index, bounds in zip(head.indices, self.shape, strict=True)
            if isinstance(index, Sym) and bounds is not None and index != _ROW
        }
        if head == self.general and self.bases:
            assert self.time is not None
            lo, hi = self.shape[self.time] or (Num(1), Num(1))
            if self.forward:
                lo = _moved(self.fixed(self.bases[-1]), 1)
            else:
                hi = _moved(self.fixed(self.bases[0]), -1)
            out[head.indices[self.time].key] = lo, hi
        return {name: out[name] for name in out if head.indices.count(Sym(name)) == 1}


def _moved(value: Term, by: int) -> Term:
    """The next value or the one before."""
    if isinstance(value, Num):
        return Num(value.value + by)
    from .linear import Linear, as_term

    form = read(value)
    assert form is not None
    return as_term(form + Linear(by))


def layout(heads: Sequence[Head], document: Document) -> Layout:
    """The family that the heads of one name make.

    Raises:
        DeclarationError: an index that is none, a value with two meanings or with none.
    """
    first = heads[0]
    fixed_at: set[int] = set()
    for head in heads:
        if len(head.indices) != len(first.indices):
            raise head.at(
                document,
                f"{head.name} has {_count(head)} here, and {_count(first)} in another statement",
                "write the same number of indices in each",
            )
        fixed_at |= _fixed(head, document)
    if len(fixed_at) > 1:
        index = max(fixed_at)
        head = next(h for h in heads if index in _fixed(h, document))
        raise head.at(
            document,
            f"{first.name} has values fixed in two indices",
            "fix one index only, the time of the recursion",
            index,
        )
    time = min(fixed_at, default=None)
    generals = [h for h in heads if time is None or time not in _fixed(h, document)]
    bases = [h for h in heads if h not in generals]
    for head in generals[1:]:
        raise _twice(head, document)
    general = generals[0] if generals else None
    model = general or first
    shape = tuple(document.indices.get(i.key) if isinstance(i, Sym) else None for i in model.indices)
    _same_ranges(model, bases, time, document)
    names = tuple(i.key if isinstance(i, Sym) else "" for i in model.indices)
    if time is None:
        return Layout(first.name, names, general, (), None, True, shape)
    bases, forward, bounds = _ordered(bases, time, shape[time] if general else None, document)
    if general is None and not first.sampled:
        raise bases[0].at(
            document,
            f"{first.name} is defined at single values only",
            f"give the general case too:  define {first.name}[…] = …  with an index name",
        )
    whole = (*shape[:time], bounds, *shape[time + 1 :])
    return Layout(first.name, names, general, tuple(bases), time, forward, whole)


def _count(head: Head) -> str:
    number = len(head.indices)
    return f"{number} {'index' if number == 1 else 'indices'}"


def _fixed(head: Head, document: Document) -> set[int]:
    """Which indices of a head are values.

    Raises:
        DeclarationError: an index that is neither a declared name nor a value.
    """
    out: set[int] = set()
    seen: set[str] = set()
    for k, index in enumerate(head.indices):
        if index == _ROW or (isinstance(index, Sym) and index.key in document.indices):
            if index.key in seen:
                raise head.at(document, f"the index {index.key} stands twice", "write different indices", k)
            seen.add(index.key)
            continue
        form = read(index)
        names = [] if form is None else [str(n) for n in form.parts]
        if isinstance(index, Sym) and index.key not in document.counts:
            raise head.at(
                document,
                f"{index.key} is not declared as an index",
                f"declare  index {index.key} = 1..N  first",
                k,
            )
        whole = form is not None and form.constant.denominator == 1
        if not whole or any(n not in document.counts for n in names):
            raise head.at(
                document,
                "an index on the left is a name, or the value at which the recursion begins",
                f"write {head.name}[t,i] for every t, {head.name}[0,i] or {head.name}[T,i] for the base",
                k,
            )
        out.add(k)
    return out


def _twice(head: Head, document: Document) -> DeclarationError:
    role = "draw" if head.sampled else "define"
    kind = "declared twice: it is defined already" if not head.sampled else "sampled twice"
    return head.at(
        document, f"{head.name} is {kind}", f"give one of the two another name, or {role} it at another value"
    )


def _same_ranges(model: Head, bases: Sequence[Head], time: int | None, document: Document) -> None:
    """The indices of a base run over what those of the general case run over."""
    for base in bases:
        for k, (index, other) in enumerate(zip(base.indices, model.indices, strict=True)):
            if k == time or index == other:
                continue
            if index == _ROW or other == _ROW or document.indices[index.key] != document.indices[other.key]:
                raise base.at(
                    document,
                    f"the index {index.key} has another range than {other.key} in {model.name}",
                    f"write {other.key}",
                    k,
                )


def _ordered(
    bases: Sequence[Head], time: int, bounds: Range | None, document: Document
) -> tuple[list[Head], bool, Range]:
    """The bases in ascending order, whether they stand at the beginning, and the whole range."""
    reference = bases[0].indices[time] if bounds is None else bounds[0]
    offsets = [constant_difference(b.indices[time], reference) for b in bases]
    forward = bounds is None or all(o is not None and o <= 0 for o in offsets)
    if bounds is not None and not forward:
        highs = [constant_difference(b.indices[time], bounds[1]) for b in bases]
        if all(o is not None and -len(bases) < o for o in highs):
            offsets = highs
        else:
            forward = all(o is not None for o in offsets)
    if any(o is None for o in offsets):
        raise bases[-1].at(
            document,
            f"{bases[0].name} has values at both ends, or at one that is no end of its range",
            "give base cases at one end of the range of the index",
            time,
        )
    placed = sorted(zip([o for o in offsets if o is not None], bases, strict=True), key=lambda p: p[0])
    ordered = [b for _, b in placed]
    steps = [o for o, _ in placed]
    for before, after, head in zip(steps, steps[1:], ordered[1:], strict=False):
        if after == before:
            raise _twice(head, document)
        if after > before + 1:
            raise _gap(head, time, document)
    lowest, highest = ordered[0].indices[time], ordered[-1].indices[time]
    if bounds is None:
        return ordered, True, (lowest, highest)
    lo, hi = bounds
    if forward:
        if steps[-1] < -1 or steps[0] > 0:
            raise _gap(ordered[0], time, document)
        return ordered, True, (lowest, hi)
    if steps[0] > 1 or steps[-1] < 0:
        raise _gap(ordered[-1], time, document)
    return ordered, False, (lo, highest)


def _gap(head: Head, time: int, document: Document) -> DeclarationError:
    return head.at(
        document,
        f"{head.name} has no value between this one and the others",
        "give base cases next to each other, at one end of the range of the index",
        time,
    )
