"""What is known at a time: conditional expectations over the draws of a document.

``𝔼[· | t](E)`` is the expectation of E given everything drawn up to the time t.  Families are drawn in the
order of the rows below, time by time; the first index of a family is its time.  A term is *known* at t if
all that it has of drawn families was drawn by then: what a defined family hides counts, and it must look
at no time after its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from ..language.binding import instantiate, shift
from ..language.terms import Bound, CondExpect, Expect, Indexed, Num, Sum, Sym, Term, postorder
from .judgement import Claim, Condition, Draw, Rejection, head, is_slice
from .matching import match
from .ranges import facts_at
from .rules import RULES
from .state import State

__all__ = ["Filtration"]

_NEVER, _EVERYWHERE, _FROM_ZERO = range(3)
_Facts = tuple[Condition, ...]


class Filtration:
    """The draws of a certificate, and what is known when.

    Attributes:
        state: what is defined, and what is assumed.
        rows: in the order in which they are drawn.
        names: the families that are drawn.
    """

    def __init__(self, state: State, rows: Sequence[Draw]) -> None:
        self.state, self.rows = state, tuple(rows)
        self.names = frozenset(row.left.key for row in rows)
        self._adapted: dict[str, int] = {}
        for row in rows:
            if row.left.__class__ is not Indexed or not set(row.left.args[1:]) <= set(map(Bound, range(9))):
                raise Rejection("a draw is of a family at indices, the time first")
            if row.left.key in state.defined or row.left.key in state.facts.counts:
                raise Rejection(f"{row.left.key:.40} is drawn and defined")
            if row.law.__class__ not in (Expect, Sum) or max(row.left.loose, row.law.loose) > row.arity:
                raise Rejection("a law is a density, or weights of ancestors")

    def random(self, name: str) -> bool:
        """Whether a name is drawn, or hides what is."""
        return name in self.names or not self.names.isdisjoint(self.state.hidden_names(name))

    def moves(self, term: Term) -> bool:
        """Whether a drawn family occurs in the term, definitions unfolded."""
        names = (n.key for n in postorder(term) if n.__class__ in (Sym, Indexed))
        return bool(self.rows) and any(map(self.random, names))

    def _entails(self, kind: str, term: Term, facts: _Facts = ()) -> bool:
        try:
            return not self.state.remaining([Condition(kind, term)], facts)
        except Rejection:
            return False

    def known(self, root: Term, time: Term, also: Collection[str] = (), facts: _Facts = ()) -> bool:
        """Whether a term is known at a time, the draws of some families one step later included.

        The facts are known of indices where the term stands.
        """
        seen: set[tuple[int, Term, _Facts]] = set()
        todo = [(root, time, facts)]
        while todo:
            node, time, facts = todo.pop()
            if (id(node), time, facts) in seen:
                continue
            seen.add((id(node), time, facts))
            cls, args = node.__class__, node.args
            if cls is CondExpect:  # known at the time that it is given, whatever it averages
                if not self._entails("int", time - args[0], facts):
                    return False
                continue
            if cls is Sym and self.random(node.key):  # what it stands for is looked at in its place
                if head(node) not in self.state.definitions:
                    return False
                todo.append((self.state.definitions[head(node)].body, time, facts))
            elif cls is Indexed and self.random(node.key):
                path = is_slice(args[0])
                first, when = args[0].args if path else (args[0], args[0])
                late = time + Num(1) if node.key in also else time
                plain = node.key in self.names or (path and head(node) not in self.state.definitions)
                since = _EVERYWHERE if plain else self.adapted(node)
                begun = since == _EVERYWHERE or (since == _FROM_ZERO and self._entails("int", first, facts))
                if not begun or not self._entails("int", late - when, facts):
                    return False
            for position, arg in enumerate(args):
                by = node.binds[position] if node.binds else 0
                outside = (Condition(f.kind, shift(f.term, by)) for f in facts)
                todo.append((arg, shift(time, by), (*outside, *facts_at(node, position))))
        return True

    def adapted(self, family: Term) -> int:
        """Since when a defined family is known at its own time: by induction over its recursion."""
        name, definition = family.key, self.state.definitions.get(head(family))
        for since in (_EVERYWHERE, _FROM_ZERO) if definition and name not in self._adapted else ():
            assert definition is not None
            self._adapted[name] = since  # for its own uses, and for those of what it uses
            own = Bound(definition.arity - 1)
            if self.known(definition.body, own, (), (Condition("ge", own),) if since == _FROM_ZERO else ()):
                return since
            self._adapted = {n: s for n, s in self._adapted.items() if s == _NEVER}
        return self._adapted.setdefault(name, _NEVER)

    def draw(self, row: Draw, law: Term, drawn: Term, claim: Claim) -> None:
        """See that ``expect_draw`` or ``expect_offspring`` holds, as their patterns say it.

        Args:
            row: how a family is drawn.
            law: the law of the row at the indices of what is drawn.
            drawn: what is drawn; of ancestors, under the binder of the sum over them.
            claim: the step.

        Raises:
            Rejection: it does not follow from the law.
        """
        schema, state = RULES[claim.rule], self.state
        assert schema.left is not None and schema.right is not None
        old, new = match(schema.left, claim.lhs), match(schema.right, claim.rhs)
        if old is None or new is None or any(old[n] != new[n] for n in old.keys() & new.keys() - {"?hint"}):
            raise Rejection("the sides are not those of the law of a draw")
        after, time, rest = new["?B"][0], drawn.args[0], [claim.rhs.args[1], *drawn.args[1:]]
        fits = claim.rhs.args[1].args[0] is law.args[0]
        if row.law.__class__ is Sum:
            lo, hi, weights = state.moved(law, -1).args  # out of the binder of the sum over what is drawn
            number = new["?C"][0] - (hi - lo + Num(1))
            sides = [new[name][0] for name in ("?lo", "?hi", "?D")]
            fits = sides == [lo, hi, weights] and drawn.args[-1] == Bound(0) and not state.ring().read(number)
            after, time, rest = shift(after, 1, cutoff=1), state.moved(time, -1), [claim.rhs.args[1].args[1]]
        if not fits or instantiate(after, drawn) != old["?A"][0]:
            raise Rejection("the right side is not the left one under the law of the draw")
        before = time - Num(1)
        if row.first is not None and not self._entails("ge", time - row.first):
            raise Rejection("nothing says that this law holds at that time")
        if not self._entails("ge", before - claim.lhs.args[0]):
            raise Rejection("what is drawn may be known already")
        if not all(self.known(term, before, self.earlier(row)) for term in rest):
            raise Rejection("the rest is not known before the draw")

    def earlier(self, row: Draw) -> frozenset[str]:
        """The families that are drawn at the same time, before this one."""
        before = self.rows[: self.rows.index(row)]
        return frozenset(r.left.key for r in before if (r.first is None) == (row.first is None))
