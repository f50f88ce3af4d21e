"""What is known at a time: conditional expectations over the draws of a document.

``𝔼[· | t](E)`` is the expectation of E given everything drawn up to the time t.  Families are drawn in the
order of the rows below, time by time; the first index of a family is its time.  A term is *known* at t if
all that it has of drawn families was drawn by then: what a defined family hides counts, and it must look
at no time after its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from ..language.binding import instantiate, shift
from ..language.terms import Bound, CondExpect, Expect, Fn, Indexed, Mul, Num, Prod, Sum, Sym, Term
from .judgement import Condition, Rejection

__all__ = ["Draw", "Filtration"]


@dataclass(frozen=True, slots=True)
class Draw:
    """How a family is drawn, for every value of the indices, the loose bound indices of both terms.

    Attributes:
        left: the family at its indices, the time first.
        arity: how many indices are variable.
        law: ``𝔼[z ~ law](z)`` for a density; ``Σ[j=1..N](w[j])`` for ancestors, drawn by a resampling
            law that is unbiased for the weights w.
        first: the row holds from this time on; None where the time is fixed.
    """

    left: Term
    arity: int
    law: Term
    first: Term | None


_NEVER, _EVERYWHERE, _FROM_ZERO = range(3)

#: Whether conditions follow from facts; see ``Inference.remaining``.
_Entails = Callable[[Condition, Collection[Condition]], bool]
#: What puts indices into the terms of a row.
_Put = Callable[[Term], Term]


@dataclass(slots=True)
class Filtration:
    """The draws of a certificate, and what is known when.

    Attributes:
        rows: in the order in which they are drawn.
        hidden: the names that stand in the body of a defined name.
        body: the arity and body of the definition of a name or family, or None.
        entails: linear arithmetic over indices.
    """

    rows: tuple[Draw, ...]
    hidden: Callable[[str], Collection[str]]
    body: Callable[[Term], tuple[int, Term] | None]
    entails: _Entails
    _adapted: dict[str, int] = field(default_factory=dict)

    @property
    def names(self) -> frozenset[str]:
        """The families that are drawn."""
        return frozenset(row.left.key for row in self.rows)

    def random(self, name: str) -> bool:
        """Whether a name is drawn, or hides what is."""
        return name in self.names or not self.names.isdisjoint(self.hidden(name))

    def earlier(self, row: Draw) -> frozenset[str]:
        """The families that are drawn at the same time, before this one."""
        before = self.rows[: self.rows.index(row)]
        return frozenset(r.left.key for r in before if (r.first is None) == (row.first is None))

    def known(
        self, root: Term, time: Term, also: Collection[str] = (), facts: tuple[Condition, ...] = ()
    ) -> bool:
        """Whether a term is known at a time, the draws of some families one step later included.

        The facts are known of indices where the term stands.
        """
        seen: set[tuple[int, tuple[Condition, ...]]] = set()
        todo = [(root, time, facts)]
        while todo:
            node, time, facts = todo.pop()
            if (id(node), facts) in seen:
                continue
            seen.add((id(node), facts))
            cls, args = node.__class__, node.args
            if cls in (Sym, Indexed) and self.random(node.key):
                found = self.body(node)
                when = node if cls is Sym else args[0].args[1] if _slice(args[0]) else args[0]
                late = time + Num(1) if node.key in also else time
                if cls is Sym and found is not None:  # what it stands for is looked at in its place
                    todo.append((found[1], time, facts))
                elif cls is Sym or not self.entails(Condition("int", late - when), facts):
                    return False
                elif node.key not in self.names and not _slice(args[0]):
                    since = self.adapted(node.key, found)
                    if since == _NEVER or (
                        since == _FROM_ZERO and not self.entails(Condition("int", when), facts)
                    ):
                        return False
            elif cls is CondExpect:  # known at the time that it is given, whatever it averages
                if not self.entails(Condition("int", time - args[0]), facts):
                    return False
                continue
            for position, arg in enumerate(args):
                if node.binds and node.binds[position]:
                    inner = [Condition(f.kind, shift(f.term, 1)) for f in facts]
                    if cls in (Sum, Prod):
                        lo, hi = (shift(end, 1) for end in args[:2])
                        inner += [Condition("ge", Bound(0) - lo), Condition("ge", hi - Bound(0))]
                    todo.append((arg, shift(time, 1), tuple(inner)))
                else:
                    todo.append((arg, time, (*facts, *branch(node, position))))
        return True

    def adapted(self, name: str, found: tuple[int, Term] | None) -> int:
        """Since when a defined family is known at its own time: by induction over its recursion."""
        for since in (_EVERYWHERE, _FROM_ZERO) if found is not None and name not in self._adapted else ():
            assert found is not None
            self._adapted[name] = since  # for its own uses, and for those of what it uses
            own = Bound(found[0] - 1)
            facts = (Condition("ge", own),) if since == _FROM_ZERO else ()
            if self.known(found[1], own, (), facts):
                return since
            self._adapted = {n: s for n, s in self._adapted.items() if s == _NEVER}
        return self._adapted.setdefault(name, _NEVER)

    # the two laws; ``put`` moves a row to the indices of what is drawn
    def draw(self, row: Draw, put: _Put, drawn: Term, lhs: Term, rhs: Term) -> None:
        """See that ``𝔼[· | s](E(x[t,i])) = 𝔼[· | s](𝔼[z ~ law](E(z)))``.

        Raises:
            Rejection: it does not follow from the law of x.
        """
        inner = rhs.args[1]
        fits = inner.__class__ is Expect and inner.args[0] is put(row.law).args[0]
        if not fits or instantiate(inner.args[1], drawn) != lhs.args[1]:
            raise Rejection("the right side is not the left one under the law of the draw")
        self._before(row, drawn.args[0], lhs, [inner, *drawn.args[1:]])

    def offspring(self, row: Draw, put: _Put, drawn: Term, lhs: Term, rhs: Term) -> Term:
        """See that ``𝔼[· | s](Σ[i=1..N](E(a[t,i]))) = 𝔼[· | s](n * Σ[j=1..N](w[j] * E(j)))``; returns n - N.

        Raises:
            Rejection: it does not follow from unbiased resampling.
        """
        old, scaled = lhs.args[1], rhs.args[1]
        new = scaled.args[-1] if scaled.__class__ is Mul else scaled
        law = shift(put(row.law), -1)  # out of the binder of i
        fits = old.__class__ is new.__class__ is law.__class__ is Sum and len(scaled.args) == 2
        if not fits or not (old.args[:2] == new.args[:2] == law.args[:2]) or drawn.args[-1] != Bound(0):
            raise Rejection("the sums are not over all that is drawn")
        body = new.args[2]
        weighted = body.__class__ is Mul and len(body.args) == 2 and body.args[0] == law.args[2]
        if not weighted or instantiate(shift(body.args[1], 1, cutoff=1), drawn) != old.args[2]:
            raise Rejection("the right side is not the left one weighted")
        self._before(row, shift(drawn.args[0], -1), lhs, [new])
        lo, hi = law.args[:2]
        return scaled.args[0] - (hi - lo + Num(1))

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


def _slice(term: Term) -> bool:
    return term.__class__ is Fn and term.key == "slice"
