"""What is known at a time: conditional expectations over the draws of a document.

``𝔼[· | t](E)`` is the expectation of E given everything drawn up to the time t.  Families are drawn in the
order of the rows below, time by time; the first index of a family is its time.  A term is *known* at t if
all that it has of drawn families was drawn by then: what a defined family hides counts, and it must look
at no time after its own.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from math import inf

from ..language.binding import instantiate, placed, shift, uses_index
from ..language.terms import App, Bound, CondExpect, Expect, Fn, Indexed, Num, Sum, Sym, Term, postorder
from .judgement import Claim, Condition, Definition, Draw, Rejection, head, is_slice
from .matching import match
from .ranges import facts_at
from .rules import RULES
from .state import State

__all__ = ["Filtration"]

#: Since when a family is known at its own time: ever, from time 0 or 1 on, or never.
_EVER, _NEVER = -1, 2
_Facts = tuple[Condition, ...]


class Filtration:
    """The draws of a certificate, and what is known when.

    Args:
        state: what is defined, and what is assumed.
        rows: in the order in which they are drawn.

    Attributes:
        names: what is drawn.

    Raises:
        Rejection: a row that draws what is defined or a count, or by no law, or what is drawn already.
    """

    def __init__(self, state: State, rows: Sequence[Draw]) -> None:
        self.state, self.rows = state, tuple(rows)
        self.names = frozenset(row.left.key for row in rows)
        self._since: dict[tuple[str, int], int] = {}
        for number, row in enumerate(rows):
            cls, name, args, law = row.left.__class__, row.left.key, row.left.args, row.law
            indices = tuple(map(Bound, reversed(range(row.arity))))
            plain = cls is Sym and not row.arity and row.first is None
            general = cls is Indexed and args == indices and row.first.__class__ is Num
            fixed = cls is Indexed and args[1:] == indices and args[0].__class__ is Num and row.first is None
            if not plain and not general and not fixed:
                raise Rejection("a draw is of a family at indices, the time first")
            ancestors = law.__class__ is Sum and len(args) > 1
            if law is not None and (law.loose > row.arity or not (law.__class__ is Expect or ancestors)):
                raise Rejection("a law is a density, or weights of ancestors")
            if law.__class__ is Expect and not state.facts.discharges("density", law.args[0]):
                raise Rejection(f"nothing says that the law of {name:.40} integrates to one")
            if name in state.defined or name in state.facts.counts:
                raise Rejection(f"{name:.40} is drawn and defined")
            if any(other.left.key == name and not _apart(row, other) for other in rows[:number]):
                raise Rejection(f"{name:.40} is drawn twice")

    def random(self, name: str) -> bool:
        """Whether a name is drawn, or hides what is."""
        return name in self.names or not self.names.isdisjoint(self.state.hidden_names(name, conditions=True))

    def moves(self, term: Term) -> bool:
        """Whether a drawn family occurs in the term, definitions unfolded."""
        nodes = postorder(term)
        names = (n.key for n in nodes if n.__class__ in (Sym, Indexed))
        along = any(n.__class__ is App and head(n) in self.state.definitions for n in nodes)
        return bool(self.rows) and (along or any(map(self.random, names)))

    def _entails(self, kind: str, term: Term, facts: _Facts = ()) -> bool:
        try:
            return not self.state.remaining([Condition(kind, term)], facts)
        except Rejection:
            return False

    def known(self, root: Term, time: Term, also: Collection[str] = (), facts: _Facts = ()) -> bool:
        """Whether a term is known at a time, the draws of some families one step later included.

        The facts are known of indices where the term stands.  Indices are taken to be whole numbers.
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
                if node.key not in self.state.named or self.state.named[node.key].arity:
                    return False
                todo.append((self.state.named[node.key].body, time, facts))
            elif cls is Indexed and self.random(node.key):
                late = time + Num(1) if node.key in also else time
                if not any(self._by(late, when, since, facts) for when, since in self.since(node)):
                    return False
            elif cls is App and not self._along(self.state.definitions.get(head(node))):
                return False
            for position, arg in enumerate(args):
                if cls is Expect and self._indexed(arg):  # its variable is no whole number, as an index is
                    return False
                by = node.binds[position] if node.binds else 0
                outside = (Condition(f.kind, shift(f.term, by)) for f in facts)
                todo.append((arg, shift(time, by), (*outside, *facts_at(node, position))))
        return True

    def _indexed(self, body: Term) -> bool:
        """Whether the variable of a binder stands in an index, a condition or a time."""
        for node, depth in placed(body):
            cases, cls = node.__class__ is Fn and node.key == "cases", node.__class__
            parts = node.args[:1] if cases or cls is CondExpect else node.args if cls is Indexed else ()
            if (cases or self.rows) and any(uses_index(part, depth) for part in parts):
                return True
        return False

    def _by(self, time: Term, when: Term, since: int, facts: _Facts) -> bool:
        """Whether what is known since some time is known, for one of its times, at another."""
        begun = since == _EVER or (since != _NEVER and self._entails("int", when - Num(since), facts))
        return begun and self._entails("int", time - when, facts)

    def since(self, family: Term) -> list[tuple[Term, int]]:
        """By what index of a family and since when it is known at its own time.

        Of what is defined, the greatest solution of what the families say of one another, which holds by
        induction over their recursion.
        """
        args, named = family.args, {name: d for name, d in self.state.named.items() if d.arity}
        if is_slice(args[0]):  # a path collects what was drawn up to its end
            definitions = self.state.definitions.values()
            along = [d for d in definitions if any(_path_of(n, family.key) for n in d.left.args)]
            said = family.key in self.state.defined and family.key not in named
            return [(args[0].args[1], _EVER)] if said and all(map(self._along, along)) else []
        if family.key not in named:
            drawn = any(r.left.__class__ is Indexed and r.left.key == family.key for r in self.rows)
            return [(args[0], _EVER)] if drawn else []  # else nothing says when
        if head(family) != head(named[family.key].left):
            return []
        places = [(name, k) for name, d in named.items() for k in range(d.arity)]
        if self._since.keys() != set(places):
            now = dict.fromkeys(places, _EVER)
            while now != self._since:
                self._since = now
                now = {(name, k): self._later(now[name, k], k, named[name]) for name, k in places}
        return [(when, self._since[family.key, k]) for k, when in enumerate(args)]

    def _later(self, since: int, place: int, definition: Definition) -> int:
        """The first time from which on a family is known at its own time, if what it uses is so far."""
        own = Bound(definition.arity - 1 - place)
        while since != _NEVER:
            facts = () if since == _EVER else (Condition("ge", own - Num(since)),)
            if self.known(definition.body, own, (), facts):
                break
            since += 1
        return since

    def _along(self, definition: Definition | None) -> bool:
        """Whether a function, where it is defined along a path, is known at the end of the path."""
        if definition is None:
            return True
        ends = [n.args[0].args[1] for n in definition.left.args if _path_of(n)]
        return all(self.known(definition.body, end) for end in ends)

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
        after, rest, indices = new["?B"][0], claim.rhs.args[1], list(drawn.args)
        if any(n.__class__ is CondExpect and uses_index(n, depth) for n, depth in placed(after)):
            raise Rejection("what is drawn stands under another 𝔼[· | t]")
        fits = claim.rhs.args[1].args[0] is law.args[0]
        if row.law.__class__ is Sum:
            # out of the binder of the sum over what is drawn, of which nothing but the last index may speak
            law, indices = state.moved(law, -1), [state.moved(index, -1) for index in drawn.args[:-1]]
            lo, hi, weights = law.args
            sides = [new[name][0] for name in ("?lo", "?hi", "?D")]
            fits = sides == [lo, hi, weights] and drawn.args[-1] == Bound(0)
            if state.ring().read(new["?C"][0] - (hi - lo + Num(1))):
                raise Rejection("the number of the offspring is wrong")
            if not any(p.lhs is law and p.rhs is state.one and not p.where for p in claim.premises):
                state.facts.require("normalised", law)
            after, rest = shift(after, 1, cutoff=1), rest.args[1]
        if not fits or instantiate(after, drawn) != old["?A"][0]:
            raise Rejection("the right side is not the left one under the law of the draw")
        before = indices[0] - Num(1)
        if row.first is not None and not self._entails("ge", indices[0] - row.first):
            raise Rejection("nothing says that this law holds at that time")
        if not self._entails("ge", before - claim.lhs.args[0]):
            raise Rejection("what is drawn may be known already")
        if not all(self.known(term, before, self._earlier(row)) for term in (rest, *indices[1:])):
            raise Rejection("the rest is not known before the draw")

    def _earlier(self, row: Draw) -> frozenset[str]:
        """The families all of whose draws at the time of a row come before it."""
        place = self.rows.index(row)
        same = [(n, r.left.key) for n, r in enumerate(self.rows) if not _apart(row, r)]
        late = {name for n, name in same if n >= place}
        return frozenset(name for _, name in same if name not in late)


def _path_of(term: Term, name: str | None = None) -> bool:
    """Whether a term is a path, of that name."""
    return term.__class__ is Indexed and is_slice(term.args[0]) and name in (None, term.key)


def _apart(row: Draw, other: Draw) -> bool:
    """Whether two rows are never of the same time."""
    (first, last), (begin, end) = _times(row), _times(other)
    return last < begin or end < first


def _times(row: Draw) -> tuple[Fraction | float, Fraction | float]:
    """The first and the last time that a row is of."""
    if row.first is not None:
        return row.first.key, inf
    return (row.left.args[0].key, row.left.args[0].key) if row.left.args else (-inf, inf)
