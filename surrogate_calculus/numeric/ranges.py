"""The counts of a document, and the range of every index, for given values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any

from torch import Tensor

from ..errors import EvaluationError
from ..language.declarations import Document
from ..language.terms import Num, Sym, Term
from ..semantics.unroll import Unroller
from .schedule import free_times, schedule
from .tables import Table
from .values import Event, Family, Ranges, kind

__all__ = ["arranged", "bounds_of", "counts_of", "ranges_of"]


def arranged(
    term: Term, document: Document, values: Mapping[str, Any]
) -> tuple[Term, Mapping[str, Table], Mapping[str, Ranges]]:
    """A term over the names of a document as one over tables, with the ranges of all families.

    Raises:
        EvaluationError: a count without a value; as :func:`~.schedule.schedule`.
    """
    counts = counts_of(document, values)
    times = {
        name: _whole(name, values[name]) for name in sorted(free_times(term, document)) if name in values
    }
    found = schedule(term, document, counts, {n: v for n, v in times.items() if n not in counts})
    return found.term, found.tables, ranges_of(document, counts)


def counts_of(document: Document, values: Mapping[str, Any]) -> dict[str, int]:
    """The value of every count: as given, else as the shape of a declared family shows it.

    Raises:
        EvaluationError: a count that is neither given nor shown, or no whole number.
    """
    counts = {name: _whole(name, values[name]) for name in document.counts if name in values}
    for name in _families(document):
        shape = document.shape(name)
        value = values.get(f"{name}[]", values.get(name))
        for bounds, length in zip(shape or (), _lengths(value), strict=False):
            if bounds is None:
                continue
            lo, hi = bounds
            if isinstance(hi, Sym) and isinstance(lo, Num) and hi.name in document.counts:
                counts.setdefault(hi.name, length + int(lo.value) - 1)
    missing = [name for name in document.counts if name not in counts]
    if missing:
        raise EvaluationError(
            f"no value is given for the count{'s' if len(missing) > 1 else ''} {', '.join(missing)}",
            instead="a whole number for each in values",
        )
    return counts


def bounds_of(
    document: Document, counts: Mapping[str, int], names: Iterable[str]
) -> dict[str, tuple[tuple[int, int], ...]]:
    """First and last value of each index of these families.

    Raises:
        EvaluationError: an index whose range is not declared.
    """
    found = ranges_of(document, counts, names)
    out: dict[str, tuple[tuple[int, int], ...]] = {}
    for name in names:
        known = [pair for pair in found.get(name, ()) if pair is not None]
        if len(known) != len(found.get(name, ())):
            raise EvaluationError(
                f"the range of an index of {name} is not declared", instead="index i = 1..N in the document"
            )
        out[name] = tuple(known)
    return out


def ranges_of(
    document: Document, counts: Mapping[str, int], names: Iterable[str] | None = None
) -> dict[str, Ranges]:
    """First and last value of each index of every declared family, or of those named."""
    bounds = Unroller(document, counts)

    def number(term: Term) -> int | None:
        found = bounds.run(term)
        return int(found.value) if isinstance(found, Num) else None

    out: dict[str, Ranges] = {}
    for name in _families(document) if names is None else names:
        found: list[tuple[int, int] | None] = []
        for pair in document.shape(name) or ():
            lo, hi = (None, None) if pair is None else (number(pair[0]), number(pair[1]))
            found.append(None if lo is None or hi is None else (lo, hi))
        if found:
            out[name] = found
    return out


def _families(document: Document) -> list[str]:
    defined = {d.name for d in document.definitions}
    names = (*document.families, *document.observed, *document.variables, *document.parameters)
    return [name for name in names if name not in defined and name not in document.lineages]


def _lengths(value: Any) -> tuple[int, ...]:
    if isinstance(value, Event):
        return value.lead
    if isinstance(value, Family):
        return ()
    if isinstance(value, Tensor):
        return tuple(value.shape)
    if isinstance(value, (list, tuple)):
        return (len(value), *(_lengths(value[0]) if value else ()))
    return ()


def _whole(name: str, value: Any) -> int:
    number: Any = value.item() if isinstance(value, Tensor) and value.numel() == 1 else value
    if isinstance(number, bool) or not isinstance(number, (int, float, Fraction)) or int(number) != number:
        raise EvaluationError(
            f"{name} is a whole number, and its value is {kind(value)} ({number})"
            if not isinstance(value, Tensor) or value.numel() == 1
            else f"{name} is one whole number, and its value a tensor of shape {tuple(value.shape)}",
            instead=f"an int for {name}",
        )
    return int(number)
