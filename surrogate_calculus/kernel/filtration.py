"""What is known at a time: conditional expectations over the draws of a document.

``𝔼[· | t](E)`` is the expectation of E given everything drawn up to the time t.  Families are drawn in the
order of the rows below, time by time; the first index of a family is its time.  A term is *known* at t if
all that it has of drawn families was drawn by then: what a defined family hides counts, and it must look
at no time after its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from ..language.binding import instantiate, shift
from ..language.terms import App, Bound, CondExpect, Expect, Fn, Indexed, Mul, Num, Sum, Sym, Term
from .judgement import Condition, Rejection

__all__ = ["Draw", "Filtration"]


@dataclass(frozen=True, slots=True)
class Draw:
    """How a family is drawn, for every value of the indices, the loose bound indices of both terms.

    Attributes:
        left: the family at its indices, the time first; or a name.
        arity: how many indices are variable.
        law: ``𝔼[z ~ law](z)`` for a density; ``Σ[j=1..N](w[j])`` for ancestors, drawn by a resampling
            law that is unbiased for the weights w; None where nothing is said of it.
        first: the row holds from this time on; None where the time is fixed.
    """

    left: Term
    arity: int
    law: Term | None
    first: Term | None


#: Since when a family is known at its own time: ever, from time 0 or 1 on, or never.
_EVER, _NEVER = -1, 2

#: Whether conditions follow from facts; see ``Inference.remaining``.
_Entails = Callable[[Condition, Collection[Condition]], bool]
#: What puts indices into the terms of a row.
_Put = Callable[[Term], Term]


@dataclass(slots=True)
class Filtration:
    """The draws of a certificate, and what is known when.

    Attributes:
        rows: in the order in which they are drawn.
        hidden: the names that stand in the body of a defined name, conditions included.
        bodies: the arities and bodies of the defined names and families.
        along: the body of a function that is defined along a path, or None.
        entails: linear arithmetic over whole numbers.
    """

    rows: tuple[Draw, ...]
    hidden: Callable[[str], Collection[str]]
    bodies: Callable[[], Mapping[str, tuple[int, Term]]]
    along: Callable[[Term], Term | None]
    entails: _Entails
    _since: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """See that the rows draw something, and nothing twice.

        Raises:
            Rejection: they do not.
        """
        for number, row in enumerate(self.rows):
            name, args, arity = row.left.key, row.left.args, row.arity
            plain = row.left.__class__ is Sym and not arity
            bound = args[1:] == tuple(map(Bound, reversed(range(len(args) - 1))))
            time = bool(args) and args[0] == Bound(len(args) - 1)
            general = time and bound and arity == len(args) and row.first.__class__ is Num
            fixed = bool(args) and args[0].__class__ is Num and bound and row.first is None
            if not plain and not general and not (fixed and arity == len(args) - 1):
                raise Rejection("a draw is of a family at indices, the time first")
            if row.law is not None and (row.law.__class__ not in (Expect, Sum) or row.law.loose > arity):
                raise Rejection("a law is a density, or weights of ancestors")
            for other in self.rows[:number]:
                if other.left.key == name and (plain or not _apart(row, other)):
                    raise Rejection(f"{name:.40} is drawn twice")

    @property
    def names(self) -> frozenset[str]:
        """What is drawn."""
        return frozenset(row.left.key for row in self.rows)

    def random(self, name: str) -> bool:
        """Whether a name is drawn, or hides what is."""
        return name in self.names or not self.names.isdisjoint(self.hidden(name))

    def earlier(self, row: Draw) -> frozenset[str]:
        """The families all of whose draws at the time of a row come before it."""
        place = self.rows.index(row)
        same = [(n, r.left.key) for n, r in enumerate(self.rows) if not _apart(row, r)]
        late = {name for n, name in same if n >= place}
        return frozenset(name for n, name in same if name not in late)

    def known(
        self, root: Term, time: Term, also: Collection[str] = (), facts: tuple[Condition, ...] = ()
    ) -> bool:
        """Whether a term is known at a time, the draws of some families one step later included.

        The facts are known of indices where the term stands.  Indices are taken to be whole numbers.
        """
        seen: set[tuple[int, Term, tuple[Condition, ...]]] = set()
        todo = [(root, time, facts)]
        while todo:
            node, time, facts = todo.pop()
            if (id(node), time, facts) in seen:
                continue
            seen.add((id(node), time, facts))
            cls, args = node.__class__, node.args
            if cls in (Sym, Indexed) and self.random(node.key):
                if cls is Sym:  # what it stands for is looked at in its place
                    if node.key not in self.bodies() or self.bodies()[node.key][0]:
                        return False
                    todo.append((self.bodies()[node.key][1], time, facts))
                    continue
                if any(row.left.__class__ is Sym and row.left.key == node.key for row in self.rows):
                    return False  # nothing says when it is drawn
                path = _slice(args[0])
                when = args[0].args[1] if path else args[0]
                late = time + Num(1) if node.key in also else time
                if not self.entails(Condition("int", late - when), facts):
                    return False
                if node.key in self.bodies():
                    since = self.since(node.key) if not path else _NEVER
                    if since == _NEVER or (
                        since != _EVER and not self.entails(Condition("int", when - Num(since)), facts)
                    ):
                        return False
            elif cls is CondExpect:  # known at the time that it is given, whatever it averages
                if not self.entails(Condition("int", time - args[0]), facts):
                    return False
                continue
            elif cls is App and self.along(node) is not None:
                return False
            for position, arg in enumerate(args):
                if not node.binds or not node.binds[position]:
                    todo.append((arg, time, (*facts, *branch(node, position))))
                    continue
                if cls is Expect:  # its variable is no whole number: nothing is known of it as an index
                    if self._indexed(arg, 0):
                        return False
                    inner = []
                else:
                    lo, hi = (shift(end, 1) for end in args[:2])
                    inner = [Condition("ge", Bound(0) - lo), Condition("ge", hi - Bound(0))]
                moved = [Condition(f.kind, shift(f.term, 1)) for f in facts]
                todo.append((arg, shift(time, 1), (*moved, *inner)))
        return True

    def _indexed(self, root: Term, depth: int) -> bool:
        """Whether the variable of a binder stands in an index, a condition or a time."""
        todo, seen = [(root, depth)], set()
        while todo:
            node, depth = todo.pop()
            if (id(node), depth) in seen or node.loose <= depth:
                continue
            seen.add((id(node), depth))
            places = (Indexed, CondExpect) if self.rows else ()
            parts = node.args[:1] if node.__class__ is CondExpect or _cases(node) else node.args
            if (node.__class__ in places or _cases(node)) and any(_uses(part, depth) for part in parts):
                return True
            binds = node.binds or (0,) * len(node.args)
            todo += [(a, depth + k) for a, k in zip(node.args, binds, strict=True)]
        return False

    def since(self, name: str) -> int:
        """Since when a defined family is known at its own time.

        The greatest solution of what the families say of one another, which holds by induction over their
        recursion.
        """
        bodies = {n: found for n, found in self.bodies().items() if found[0]}
        if self._since.keys() != bodies.keys():
            self._since = dict.fromkeys(bodies, _EVER)
            lower = True
            while lower:
                now = {n: self._later(n, *found) for n, found in bodies.items()}
                lower, self._since = now != self._since, now
        return self._since.get(name, _NEVER)

    def _later(self, name: str, arity: int, body: Term) -> int:
        """The first time from which on a family is known at its own time, if what it uses is so far."""
        own = Bound(arity - 1)
        for since in range(self._since[name], _NEVER):
            facts = (Condition("ge", own - Num(since)),) if since != _EVER else ()
            if self.known(body, own, (), facts):
                return since
        return _NEVER

    # the two laws; ``put`` moves a row to the indices of what is drawn
    def draw(self, row: Draw, put: _Put, drawn: Term, lhs: Term, rhs: Term) -> None:
        """See that ``𝔼[· | s](E(x[t,i])) = 𝔼[· | s](𝔼[z ~ law](E(z)))``.

        Raises:
            Rejection: it does not follow from the law of x.
        """
        inner, law = rhs.args[1], row.law
        fits = law is not None and inner.__class__ is Expect and inner.args[0] is put(law).args[0]
        if not fits or instantiate(inner.args[1], drawn) != lhs.args[1]:
            raise Rejection("the right side is not the left one under the law of the draw")
        if _averaged(inner.args[1]):
            raise Rejection("what is drawn stands under another 𝔼[· | t]")
        self._before(row, drawn.args[0], lhs, [inner, *drawn.args[1:]])

    def offspring(self, row: Draw, put: _Put, drawn: Term, lhs: Term, rhs: Term) -> tuple[Term, Term]:
        """See that ``𝔼[· | s](Σ[i=1..N](E(a[t,i]))) = 𝔼[· | s](n * Σ[j=1..N](w[j] * E(j)))``.

        Returns:
            ``n - N``, which must be 0, and ``Σ[j=1..N](w[j])``, which must be 1.

        Raises:
            Rejection: it does not follow from unbiased resampling.
        """
        old, scaled = lhs.args[1], rhs.args[1]
        new = scaled.args[-1] if scaled.__class__ is Mul and len(scaled.args) == 2 else scaled
        assert row.law is not None
        try:  # out of the binder of i, of which nothing but the last index may speak
            law = shift(put(row.law), -1)
            others = [shift(index, -1) for index in drawn.args[:-1]]
        except ValueError:
            raise Rejection("the law of the ancestors depends on which one it is") from None
        fits = old.__class__ is new.__class__ is Sum and new is not scaled
        if not fits or not (old.args[:2] == new.args[:2] == law.args[:2]) or drawn.args[-1] != Bound(0):
            raise Rejection("the sums are not over all that is drawn")
        body = new.args[2]
        weighted = body.__class__ is Mul and len(body.args) == 2 and body.args[0] == law.args[2]
        if not weighted or instantiate(shift(body.args[1], 1, cutoff=1), drawn) != old.args[2]:
            raise Rejection("the right side is not the left one weighted")
        if _averaged(body.args[1]):
            raise Rejection("what is drawn stands under another 𝔼[· | t]")
        self._before(row, others[0], lhs, [new, *others[1:]])
        lo, hi = law.args[:2]
        return scaled.args[0] - (hi - lo + Num(1)), law

    def _before(self, row: Draw, time: Term, lhs: Term, terms: Collection[Term]) -> None:
        before = time - Num(1)
        if row.first is not None and not self.entails(Condition("ge", time - row.first), ()):
            raise Rejection("nothing says that this law holds at that time")
        if not self.entails(Condition("ge", before - lhs.args[0]), ()):
            raise Rejection("what is drawn may be known already")
        if not all(self.known(term, before, self.earlier(row)) for term in terms):
            raise Rejection("the rest is not known before the draw")


def branch(node: Term, position: int) -> list[Condition]:
    """What a comparison says of indices in a branch of cases: the first one, or the other."""
    condition = node.args[0] if node.__class__ is Fn and node.key == "cases" and position else node
    if condition is node or condition.__class__ is not Fn or condition.key not in ("gt", "ge"):
        return []
    holds = position == 1
    larger, smaller = condition.args if holds else reversed(condition.args)
    return [Condition("gt" if (condition.key == "gt") is holds else "ge", larger - smaller)]


def _apart(row: Draw, other: Draw) -> bool:
    """Whether two rows are never of the same time."""
    times = [r.left.args[0].key if r.left.args and r.first is None else None for r in (row, other)]
    firsts = [None if r.first is None else r.first.key for r in (row, other)]
    if None not in times:
        return bool(times[0] != times[1])
    fixed = next((t for t in times if t is not None), None)
    first = next((f for f in firsts if f is not None), None)
    return fixed is not None and first is not None and bool(fixed < first)


def _averaged(body: Term) -> bool:
    """Whether the variable of a binder stands under 𝔼[· | t]."""
    todo, seen = [(body, 0)], set()
    while todo:
        node, depth = todo.pop()
        if (id(node), depth) in seen:
            continue
        seen.add((id(node), depth))
        if node.__class__ is CondExpect and _uses(node, depth):
            return True
        binds = node.binds or (0,) * len(node.args)
        todo += [(a, depth + k) for a, k in zip(node.args, binds, strict=True)]
    return False


def _uses(term: Term, depth: int) -> bool:
    """Whether a term uses the index of the binder that it stands under, so many others in between."""
    try:
        shift(term, -1, cutoff=depth)
    except ValueError:
        return True
    return False


def _cases(term: Term) -> bool:
    return term.__class__ is Fn and term.key == "cases"


def _slice(term: Term) -> bool:
    return term.__class__ is Fn and term.key == "slice"
