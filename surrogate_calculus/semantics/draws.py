"""Random variables with finitely many values, for the exact meaning of 𝔼[· | t].

A :class:`Draw` is one random variable of a document at concrete indices.  A list of them, in the order
in which they are drawn, is all that a :class:`~.model.Model` knows of ``sample`` statements;
:func:`draws_of` writes out those of a document.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from itertools import product
from typing import NamedTuple

from ..errors import EvaluationError
from ..language.binding import substitute
from ..language.declarations import ROW, Document, Sample
from ..language.terms import HAS_EXPECT, Indexed, Num, Sym, Term, postorder
from .unroll import unroll, whole

__all__ = ["Draw", "Draws", "draws_of"]

#: No expectation over more outcomes than this is written out.
MAX_OUTCOMES = 100_000

#: The value of each draw, None where it is that of the point.
World = tuple[Fraction | None, ...]
#: The name and the indices of a draw.
_Key = tuple[str, tuple[int, ...]]


class Draw(NamedTuple):
    """One random variable.

    Attributes:
        name: the family that is drawn.
        indices: its indices; () for a single variable.
        time: when it is drawn.
        law: the weight of its value, in which the draw stands by its own name, ``q(x[1,2] | x[0,1]; φ)``.
            It need not be normalised; a stopped law is used at its value.
        support: the values that it may have.
    """

    name: str
    indices: tuple[int, ...]
    time: int
    law: Term
    support: Sequence[int | Fraction]


class Draws:
    """All draws, in the order in which they are drawn.

    Args:
        draws: the draws.

    Raises:
        EvaluationError: a draw is given twice, is drawn before an earlier time, or has a law that is an
            expectation itself.
    """

    def __init__(self, draws: Iterable[Draw] = ()) -> None:
        self.all = tuple(draws)
        self.place = {(d.name, d.indices): k for k, d in enumerate(self.all)}
        #: Nothing drawn: every value is that of the point.
        self.given: World = (None,) * len(self.all)
        if len(self.place) < len(self.all):
            raise EvaluationError("a random variable is drawn twice")
        for before, after in zip(self.all, self.all[1:], strict=False):
            if after.time < before.time:
                raise EvaluationError(f"{after.name} is drawn at {after.time}, behind {before.time}")
        for draw in self.all:
            if draw.law.flags & HAS_EXPECT:
                raise EvaluationError(f"the law of {draw.name} is an expectation")

    def inside(self, node: Term) -> int:
        """Which draws a name or a family at indices may be, as a bit set."""
        return sum(1 << self.place[key] for key in _matches(node, self.place))

    def after(self, time: int) -> int:
        """The number of the first draw that is later than a time."""
        return next((k for k, d in enumerate(self.all) if d.time > time), len(self.all))

    def worlds(self, known: World, first: int) -> list[World]:
        """Every outcome of the draws from one on, the earlier ones being as they are.

        Raises:
            EvaluationError: there are too many.
        """
        count = 1
        for draw in self.all[first:]:
            count *= len(draw.support)
        if count > MAX_OUTCOMES:
            raise EvaluationError(f"an expectation over more than {MAX_OUTCOMES:,} outcomes")
        supports = [[Fraction(x) for x in d.support] for d in self.all[first:]]
        return [(*known[:first], *values) for values in product(*supports)]

    def restricted(self, world: World, where: int) -> World:
        """The same outcome, of these draws only (a bit set)."""
        if not where:
            return self.given
        return tuple([x if where >> k & 1 else None for k, x in enumerate(world)])


def draws_of(
    document: Document,
    counts: Mapping[str, int],
    supports: Mapping[str, Sequence[int | Fraction]],
    rows: Mapping[str, Callable[..., Term]] | None = None,
) -> list[Draw]:
    """The random variables of a document at concrete counts, each behind those that its law needs.

    The first index of a family is its time; what has no index is drawn at the time 0.

    Args:
        document: with sampling statements.
        counts: the value of every count.
        supports: the values of each family that is drawn.
        rows: for each ancestor map, from the indices of one ancestor to its law, a term over the
            document's names; the ancestors of a row are drawn one by one.

    Raises:
        EvaluationError: a family without values, an ancestor map without a law, a law that needs what is
            drawn later.
    """
    laws: dict[_Key, Term] = {}
    # The general case first, so that the base cases replace it.
    for sample in sorted(document.samples, key=lambda s: -sum(isinstance(i, Sym) for i in s.indices)):
        if sample.name not in supports:
            raise EvaluationError(f"no values are given for {sample.name}", instead=f"{sample.name}: (0, 1)")
        for place in _places(sample, document, counts):
            laws[sample.name, place] = unroll(_law(sample, place, rows or {}), document, counts)
    needs = {key: [u for u in _uses(law, laws) if u != key] for key, law in laws.items()}
    for key, used in needs.items():
        late = [u for u in used if _time(u[1]) > _time(key[1])]
        if late:
            raise EvaluationError(f"the law of {key[0]}{list(key[1])} needs {late[0][0]}{list(late[0][1])}")
    try:
        ordered = list(TopologicalSorter(needs).static_order())
    except CycleError:
        raise EvaluationError("two laws need each other's draws") from None
    ordered.sort(key=lambda key: _time(key[1]))  # stable, and no law needs what is later
    return [Draw(name, place, _time(place), laws[name, place], supports[name]) for name, place in ordered]


def _time(place: tuple[int, ...]) -> int:
    return place[0] if place else 0


def _places(sample: Sample, document: Document, counts: Mapping[str, int]) -> Iterator[tuple[int, ...]]:
    """The indices at which a statement draws."""
    ranges: list[Iterable[int]] = []
    for position, index in enumerate(sample.indices):
        bounds: tuple[Term, Term] | None = (index, index)
        if index == ROW:
            bounds = (document.shape(sample.name) or ())[position]
        elif isinstance(index, Sym) and index.name in document.indices:
            bounds = document.indices[index.name]
        if bounds is None:
            raise EvaluationError(f"the rows of {sample.name} have no known length")
        lo, hi = (whole(unroll(end, document, counts), "the end of a range", end) for end in bounds)
        ranges.append(range(lo, hi + 1))
    yield from product(*ranges)


def _law(sample: Sample, place: tuple[int, ...], rows: Mapping[str, Callable[..., Term]]) -> Term:
    """The law of one draw."""
    if sample.is_map:
        if sample.name not in rows:
            raise EvaluationError(
                f"the ancestor map {sample.name} is drawn by an opaque resampling law",
                instead=f"rows={{{sample.name!r}: …}}, the law of one ancestor",
            )
        return rows[sample.name](*place)
    values = {i.name: Num(k) for i, k in zip(sample.indices, place, strict=True) if isinstance(i, Sym)}
    return substitute(sample.law, values)


def _uses(law: Term, draws: Mapping[_Key, object]) -> Iterator[_Key]:
    """The draws that may stand in a law, in their order."""
    found = {key for node in postorder(law) for key in _matches(node, draws)}
    return (key for key in draws if key in found)


def _matches(node: Term, draws: Iterable[_Key]) -> Iterator[_Key]:
    """The draws that a node may be: an index that is no number may be any."""
    if isinstance(node, (Sym, Indexed)):
        for name, place in draws:
            if name == node.key and len(place) == len(node.args):
                pairs = zip(node.args, place, strict=True)
                if all(not isinstance(index, Num) or index.value == at for index, at in pairs):
                    yield name, place
