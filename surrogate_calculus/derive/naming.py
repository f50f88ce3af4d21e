"""The reader's own names put back into flat terms: the definitions of a document, read from right to left.

The body of a definition is one product or a sum of them.  Where a flat term has the factors of the first,
and others of the result have those of the rest with the same cofactor, all are one term with the name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

from ..kernel.inference import Definition, head
from ..kernel.judgement import Condition, Rejection
from ..language.binding import placed, shift
from ..language.terms import App, Bound, Fn, Indexed, Num, Sym, Term
from .chain import Facts
from .factors import Factors
from .flat import Flat, Flattener, facts_of, families_in, merged
from .proof import Proof
from .ratio import put_indices

__all__ = ["Name", "Namer", "assignments"]

#: At most so many choices of indices are tried for one definition at one product.
MAX_CHOICES = 24
#: A definition with more terms than this is not put back.
MAX_BODY = 6
#: Each definition is put back at most so often into one result.
MAX_ROUNDS = 12

#: A polynomial: its terms.
Monomials = list[tuple[Fraction, Factors]]


@dataclass(frozen=True)
class Name:
    """What may be written shorter: ``left`` for ``body`` where ``guard`` is positive."""

    left: Term
    body: Term
    arity: int
    guard: Term | None


class Namer:
    """Puts names back.

    Args:
        flattener: of the proof.
        opened: unfolds what a definition's body mentions, and brings that into canonical form.
        read: a canonical term as monomials.
    """

    def __init__(
        self,
        flattener: Flattener,
        opened: Callable[[Term], Term],
        read: Callable[[Term], Monomials],
    ) -> None:
        self.canonical = flattener.canonical
        self.proof: Proof = flattener.proof
        self.read = read
        self._derivative = flattener.derivative
        self._bodies: dict[tuple[int, Facts], Monomials | None] = {}
        self.names = list(self._all(opened))
        self.used: set[tuple[object, ...]] = set()  # what was put back, see the kernel's head()

    def _all(self, opened: Callable[[Term], Term]) -> Iterator[Name]:
        """The latest definitions first, the log of each behind it."""
        state = self.proof.state
        for d in reversed(list(self.proof.definitions.values())):
            if d.left.__class__ is App or self._derivative(d.body) or self.of_indices(d):
                continue
            body, guard = d.body, None
            if body.__class__ is Fn and body.key == "cases":
                condition = body.args[0]
                if condition.key != "gt" or condition.args[1] is not state.zero:
                    continue
                guard, body = condition.args[0], body.args[1]
            try:
                body = opened(body)
                if not self._short(body):
                    yield Name(d.left, body, d.arity, guard)
                if state.facts.discharges("positive", d.left):
                    log = self.canonical.term(state.node(Fn, "log", body))
                    yield Name(state.node(Fn, "log", d.left), log, d.arity, guard)
            except Rejection:
                continue

    def of_indices(self, d: Definition) -> bool:
        """Whether a definition is one of an index."""
        todo = [d.body]
        while todo:
            node = todo.pop()
            if node.__class__ is Fn and node.key == "cases":
                todo.extend(node.args[1:])
            elif node.__class__ is not Bound:
                return False
        return True

    @staticmethod
    def _short(body: Term) -> bool:
        """Whether a body is no longer than a name."""
        return body.__class__ in (Num, Sym, Bound, Indexed)

    def named(self, flats: Sequence[Flat], outside: Facts = (), guarded: bool = False) -> list[Flat]:
        """The flat terms with names put back, as far as they go; or those of guarded families only."""
        current = list(flats)
        for name in self.names:
            if guarded and (name.guard is None or name.left.__class__ is not Indexed):
                continue
            for _ in range(MAX_ROUNDS):
                changed = self._once(name, current, outside)
                if changed is None:
                    break
                current = merged(changed)
        return current

    def _once(self, name: Name, flats: Sequence[Flat], outside: Facts) -> list[Flat] | None:
        """The flat terms with a name put back once more, in each of them where that concerns it alone."""
        table = {f.key: f for f in flats}
        out: list[Flat] = []
        changed = False
        for n, flat in enumerate(flats):
            found = self._found(name, flat, table, outside)
            if found is None:
                out.append(flat)
                continue
            gone, new = found
            if len(gone) > 1:
                kept = [*out, *flats[n:]]
                return [*(f for f in kept if f.key not in gone), new]
            changed = True
            out.append(new)
        return out if changed else None

    def _found(
        self, name: Name, flat: Flat, table: dict[tuple[object, ...], Flat], outside: Facts
    ) -> tuple[set[tuple[object, ...]], Flat] | None:
        """The terms that a name is put back for, beginning with one, and what becomes of them."""
        facts = facts_of(self.canonical, flat.ranges, outside)
        for values in self._choices(name, flat):
            body = self._body(name, values, facts)
            if not body:
                continue
            left = self.proof.add(put_indices(self.proof, name.left, values))
            for sign in (1, -1) if len(body) == 1 else (1,):
                matched = _matched(flat, body, sign, table)
                if matched is not None:
                    gone, rest, number = matched
                    rest[left] = rest.get(left, 0) + sign
                    self.used.add(head(left.args[0] if left.__class__ is Fn else left))
                    return gone, Flat(number, flat.ranges, {f: e for f, e in rest.items() if e})
        return None

    def _choices(self, name: Name, flat: Flat) -> Iterable[tuple[Term, ...]]:
        if not name.arity:
            return [()]
        return assignments(self.proof, name.body, name.arity, list(flat.factors))

    def _body(self, name: Name, values: tuple[Term, ...], facts: Facts) -> Monomials | None:
        """The monomials of a body at indices; None where it does not apply."""
        state = self.proof.state
        instance = put_indices(self.proof, name.body, values) if values else name.body
        key = (id(instance), facts)
        if key not in self._bodies:
            found: Monomials | None = None
            guard = None if name.guard is None else put_indices(self.proof, name.guard, values)
            if guard is None or self.canonical.holds([Condition("gt", guard)], facts):
                try:
                    found = self.read(self.canonical.term(instance))
                except Rejection:
                    found = None
            if found is not None and (len(found) > MAX_BODY or any(not f for _, f in found[:1])):
                found = None
            self._bodies[key] = found
        found = self._bodies[key]
        if found and len(found) == 1 and found[0][1] == {state.one: 1}:
            return None
        return found


def _matched(
    flat: Flat, body: Monomials, sign: int, table: dict[tuple[object, ...], Flat]
) -> tuple[set[tuple[object, ...]], Factors, Fraction] | None:
    """The terms that a body times something is made of, that something, and its number."""
    c, first = body[0]
    rest = dict(flat.factors)
    for f, e in first.items():
        have, e = rest.get(f, 0), e * sign
        if not (have >= e > 0 or have <= e < 0):
            return None
        rest[f] = have - e
    rest = {f: e for f, e in rest.items() if e}
    number = flat.number / c if sign > 0 else flat.number * c
    if len(body) == 1 and number.denominator > flat.number.denominator:
        return None
    gone = {flat.key}
    for d, factors in body[1:]:
        product = dict(rest)
        for f, e in factors.items():
            product[f] = product.get(f, 0) + e
        other = table.get((flat.ranges, frozenset((f, e) for f, e in product.items() if e)))
        if other is None or other.number != number * d:
            return None
        gone.add(other.key)
    return gone, rest, number


def assignments(proof: Proof, pattern: Term, arity: int, targets: Sequence[Term]) -> list[tuple[Term, ...]]:
    """Choices of indices for a term over loose ones, read off the families that both have.

    Returns:
        For each choice its values, ``[k]`` for ``Bound(k)``.
    """
    wanted = []
    for node, depth in families_in([pattern]):
        args = enumerate(node.args)
        places = {p: a.key - depth for p, a in args if a.__class__ is Bound and a.key >= depth}
        if places:
            wanted.append((node.key, len(node.args), places))
    sites = [s for t in targets for s in _sites(proof, t)]
    partial: dict[frozenset[tuple[int, Term]], None] = {}
    for name, count, places in wanted:
        for site in sites:
            if site.key == name and len(site.args) == count:
                partial[frozenset((k, site.args[p]) for p, k in places.items())] = None
    full: dict[tuple[Term, ...], None] = {}
    found = [dict(items) for items in partial]
    for a in found:
        for b in ({}, *found):
            both = {**b, **a}
            if all(both[k] is v for k, v in b.items()) and all(k in both for k in range(arity)):
                full[tuple(both[k] for k in range(arity))] = None
                if len(full) >= MAX_CHOICES:
                    return list(full)
    return list(full)


def _sites(proof: Proof, root: Term) -> Iterator[Term]:
    """The families in a term whose indices are not bound in it, as seen from outside."""
    for node, depth in placed(root):
        if node.__class__ is Indexed:
            with suppress(ValueError):
                yield proof.add(shift(node, -depth))
