"""Documents made ready for tensors: time is written out, particles stay axes.

The indices of the definitions of a document are of two kinds.  *Times* are those that a recursion
counts, and those that other families need in such a place; they are written out as numbers.  All others
stay indices: a definition at concrete times becomes one table over them, which is worked out at once
for all their values, and once for all its uses.  So a recursion over t becomes T tables, ``Σ[t=1..T]``
over families by recursion a sum of T terms, and ``Σ[i=1..N]`` a reduction along an axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..errors import EvaluationError
from ..language.binding import abstract, substitute
from ..language.declarations import Document
from ..language.paths import has_slice, is_slice
from ..language.terms import App, Bound, Indexed, Num, Prod, Sum, Sym, Term, postorder
from ..semantics.unroll import Unroller, Work, whole
from .tables import PATH, Table, table_name

__all__ = ["Scheduled", "Scheduler", "free_times", "is_dynamic", "reached", "schedule", "times_of"]

#: Names of symbols, and loose bound indices.
_Names = frozenset[str | int]
_NONE: _Names = frozenset()


@dataclass(frozen=True, eq=False)
class Scheduled:
    """A term that refers to tables, each of which refers to earlier ones."""

    term: Term
    tables: Mapping[str, Table]


def is_dynamic(document: Document, *terms: Term) -> bool:
    """Whether a document says more than names of terms: samples, recursions, paths."""
    if document.samples or document.lineages or any(d.measure is not None for d in document.definitions):
        return True
    return any(has_slice(node) for node in postorder(*terms, *(d.body for d in document.definitions)))


def schedule(
    term: Term, document: Document, counts: Mapping[str, int], times: Mapping[str, int] | None = None
) -> Scheduled:
    """A term over a document's names as a term over tables.

    Args:
        term: a closed term.
        document: the declarations and definitions.
        counts: the value of every count.
        times: the values of free indices that stand as times.

    Raises:
        EvaluationError: as :func:`~surrogate_calculus.semantics.unroll.unroll`.
    """
    scheduler = Scheduler(document, counts)
    term = substitute(term, {name: Num(value) for name, value in (times or {}).items()})
    return Scheduled(scheduler.run(term), scheduler.tables)


def times_of(document: Document) -> dict[str, frozenset[int]]:
    """For each family the positions of its indices that are times."""
    times: dict[str, frozenset[int]] = {}
    for d in document.definitions:
        counted = _symbols(d.measure) if d.measure is not None else frozenset[str]()
        times[d.name] = frozenset(k for k, index in enumerate(d.indices) if index in counted)
    while True:
        timed = Timed(times)
        more = dict(times)
        for d in document.definitions:
            found = timed.of(d.body)
            more[d.name] = times[d.name] | {k for k, index in enumerate(d.indices) if index in found}
        if more == times:
            return times
        times = more


def _symbols(term: Term) -> frozenset[str]:
    return frozenset(n.key for n in postorder(term) if isinstance(n, Sym))


class Timed:
    """Which names and bound indices stand as times in a term, for given positions of times."""

    def __init__(self, times: Mapping[str, frozenset[int]]) -> None:
        self.times = times
        self.keep: list[Term] = []  # ids stay taken
        self.free: dict[int, _Names] = {}
        self.timed: dict[int, _Names] = {}

    def of(self, term: Term) -> _Names:
        """The symbols, by name, and loose bound indices, by number, that must be concrete."""
        found = self.timed.get(id(term))
        if found is not None:
            return found
        self.keep.append(term)
        for node in postorder(term):
            if id(node) not in self.timed:
                self._visit(node)
        return self.timed[id(term)]

    def _visit(self, node: Term) -> None:
        binds = node.binds or (0,) * len(node.args)
        free = _union(_outside(self.free[id(a)], b) for a, b in zip(node.args, binds, strict=True))
        timed = _union(_outside(self.timed[id(a)], b) for a, b in zip(node.args, binds, strict=True))
        if isinstance(node, (Sym, Bound)):
            free = frozenset((node.key,))
        elif isinstance(node, Indexed):
            where = self.times.get(node.name, frozenset())
            at = [a for k, a in enumerate(node.args) if k in where or is_slice(a)]
            timed |= _union(self.free[id(a)] for a in at)
        elif isinstance(node, (Sum, Prod)) and 0 in self.timed[id(node.body)]:
            timed |= self.free[id(node.lo)] | self.free[id(node.hi)]
        self.free[id(node)], self.timed[id(node)] = free, timed


def _union(sets: Iterable[_Names]) -> _Names:
    out = _NONE
    for names in sets:
        if names:
            out = out | names if out else names
    return out


def _outside(names: _Names, binders: int) -> _Names:
    """The names as seen from outside so many binders."""
    if not binders or not any(n.__class__ is int for n in names):
        return names
    return frozenset(
        n - binders if isinstance(n, int) else n for n in names if isinstance(n, str) or n >= binders
    )


class Scheduler(Unroller):
    """An :class:`~surrogate_calculus.semantics.unroll.Unroller` that writes out times only.

    Attributes:
        tables: what the references in its results stand for, in the order of dependency.
    """

    concrete = False

    def __init__(self, document: Document, counts: Mapping[str, int]) -> None:
        super().__init__(document, counts)
        self.times = times_of(document)
        self.timed = Timed(self.times)
        self.tables: dict[str, Table] = {}
        self.maps = {line.map: line.by for line in document.lineages.values()}

    def expands(self, node: Sum | Prod) -> bool:
        """Whether the index of a Σ or ∏ is a time."""
        return 0 in self.timed.of(node.body)

    def member(self, node: Term, name: str, args: tuple[Term, ...]) -> Work:
        """A member of a defined family: a reference to its table."""
        if has_slice(node) or len(self.defined[name].indices) != len(args):
            return (yield (yield from self.body(node, name, args)))
        return (yield from self.reference(node, name, args))

    def reference(self, node: Term, name: str, args: tuple[Term, ...]) -> Work:
        """A member of a family that has tables."""
        where = self.times[name]
        times = tuple(self.time(arg, node) for k, arg in enumerate(args) if k in where)
        rest = tuple(arg for k, arg in enumerate(args) if k not in where)
        key = table_name(name, dict(zip(sorted(where), times, strict=True)), len(args))
        if key not in self.tables:
            yield from self.table(key, node, name, times)
        if rest:
            return self.store.node(Indexed, key, rest)
        return self.store.node(Sym, key, ())

    def time(self, arg: Term, node: Term) -> int:
        """A time as a number."""
        if not isinstance(arg, Num):
            raise EvaluationError(
                f"the time {arg} of {node} is no number",
                instead="a time that follows from counts and indices of Σ; not from data",
            )
        return whole(arg, "a time", node)

    def table(self, key: str, node: Term, name: str, times: tuple[int, ...]) -> Work:
        """Work out the body of a table, all tables that it needs before it."""
        definition = self.defined[name]
        at = iter(times)
        shape = self.document.shape(name)
        args: list[Term] = []
        names: list[str] = []
        ranges: list[tuple[int, int]] = []
        for k, index in enumerate(definition.indices):
            if k in self.times[name]:
                args.append(self.store.add(Num(next(at))))
                continue
            bounds = shape[k] if shape is not None and k < len(shape) else self.document.indices.get(index)
            if bounds is None:
                raise EvaluationError(
                    f"the range of the index {index} of {name} is not declared",
                    instead=f"index {index} = 1..N in the document",
                )
            lo, hi = (yield self.store.add(bounds[0])), (yield self.store.add(bounds[1]))
            ranges.append((whole(lo, "the end of a range", node), whole(hi, "the end of a range", node)))
            args.append(self.store.add(Sym(index)))
            names.append(index)
        body = yield (yield from self.body(node, name, tuple(args)))
        for index in names:
            body = abstract(body, index)
        self.tables[key] = Table(key, self.store.add(body), tuple(ranges))
        return body

    def body(self, node: Term, name: str, args: tuple[Term, ...]) -> Work:
        """The body of a definition at indices; that of a lineage's map from whichever side is nearer.

        ã[s,t,i] is ã[s,t-1,a[t,i]], and a[s+1,ã[s+1,t,i]] as well: a path to a fixed time needs a table for
        each of its steps that way, and not for each pair of them.
        """
        start, time = args[:2] if name in self.maps else (None, None)
        if not (isinstance(start, Num) and isinstance(time, Num) and start.value < time.value):
            return (yield from super().body(node, name, args))
        s, t = whole(start, "a time", node), whole(time, "a time", node)
        if table_name(name, {0: s, 1: t - 1}, len(args)) in self.tables:
            return (yield from super().body(node, name, args))
        yield from self.within(name, args)
        after = self.store.add(Num(s + 1))
        return self.store.add(Indexed(self.maps[name], after, Indexed(name, after, *args[1:])))

    def path(self, elements: list[Term]) -> list[Term]:
        """A path is one value, with its elements along a last axis."""
        return [self.store.add(App(PATH, elements))]


def free_times(term: Term, document: Document) -> frozenset[str]:
    """Free symbols of a term that stand as times."""
    found = Timed(times_of(document)).of(term)
    return frozenset(name for name in found if isinstance(name, str))


def reached(term: Term, document: Document) -> list[Term]:
    """The nodes of a term and of every definition that it uses, directly or not."""
    roots: list[Term] = [term]
    taken: set[str] = set()
    defined = {d.name: d for d in document.definitions}
    maps = {path.name: (path.of, path.map) for path in document.lineages.values()}
    done = 0
    while done < len(roots):
        for node in postorder(roots[done]):
            if not isinstance(node, (Sym, Indexed)):
                continue
            for name in (node.key, *maps.get(node.key, ())):
                if name in defined and name not in taken:
                    taken.add(name)
                    roots.append(defined[name].body)
        done += 1
    return postorder(*roots)
