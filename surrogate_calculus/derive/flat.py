"""Results as lists of flat terms: a number, nested sums, and the factors under the innermost of them.

A canonical result is a sum of products in which some factors are sums over indices.  The one that has the
derivative in it is gone into, with everything else moved under it, so that factors can be compared and
collected wherever they stood.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from ..kernel.judgement import Condition
from ..language.binding import placed, shift, uses_index
from ..language.terms import HAS_GRAD, Add, App, Bound, Indexed, Num, Pow, Sum, Sym, Term, postorder
from .canonical import Canonical
from .chain import Facts, minus
from .factors import Factors, joined
from .order import Order
from .proof import Proof
from .ratio import put_indices

__all__ = ["Flat", "Flattener", "facts_of", "families_in", "flat_term", "merged", "powers"]

#: The ends of nested ranges, the outermost first; the index of each may occur in those further inside.
Ranges = tuple[tuple[Term, Term], ...]


@dataclass(frozen=True)
class Flat:
    """``number * Σ[…](Σ[…](factors))``; the factors stand under all the sums."""

    number: Fraction
    ranges: Ranges
    factors: Factors

    @property
    def key(self) -> tuple[object, ...]:
        """What two of them have in common that differ in their number only."""
        return self.ranges, frozenset(self.factors.items())


def _derivative(term: Term, names: Collection[str]) -> bool:
    """Whether there is a derivative in a term, or one of the names."""
    return bool(term.flags & HAS_GRAD) or any(
        (n.__class__ is App and n.key[4]) or (n.__class__ in (Indexed, Sym) and n.key in names)
        for n in postorder(term)
    )


def merged(flats: Iterable[Flat]) -> list[Flat]:
    """Equal ones added up."""
    out: dict[tuple[object, ...], Flat] = {}
    for f in flats:
        before = out.get(f.key)
        number = f.number + (before.number if before is not None else 0)
        out[f.key] = Flat(number, f.ranges, f.factors)
    return [f for f in out.values() if f.number]


def flat_term(proof: Proof, flat: Flat) -> Term:
    """A flat term as a term, what is free of all its indices in front."""
    node = proof.state.node
    depth = len(flat.ranges)
    inner: list[Term] = []
    outer: list[Term] = [node(Num, flat.number)]
    for f, e in flat.factors.items():
        factor = f if e == 1 else node(Pow, None, f, node(Num, Fraction(e)))
        if any(uses_index(f, k) for k in range(depth)):
            inner.append(factor)
        else:
            outer.append(proof.add(shift(factor, -depth)))
    term = proof.state.product(*inner)
    for lo, hi in reversed(flat.ranges):
        term = proof.state.store.node(Sum, None, (lo, hi, term), "i")
    return proof.state.product(*outer, term)


def facts_of(canonical: Canonical, ranges: Ranges, outside: Facts = ()) -> Facts:
    """What is known of indices under nested ranges."""
    proof, facts = canonical.proof, outside
    index = proof.state.node(Bound, 0)
    for ends in ranges:
        lo, hi = (proof.add(shift(e, 1)) for e in ends)
        moved = [Condition(f.kind, proof.add(shift(f.term, 1))) for f in facts]
        pair = [Condition("ge", minus(proof, index, lo)), Condition("ge", minus(proof, hi, index))]
        facts = tuple(dict.fromkeys([*moved, *pair]))
    return facts


class Flattener:
    """Takes canonical terms apart.

    Args:
        canonical: of the proof.
        declared: the ranges that a document gives its indices.
        order: an order of terms that does not depend on names.
    """

    def __init__(self, canonical: Canonical, declared: Sequence[tuple[Term, Term]], order: Order) -> None:
        self.canonical, self.order = canonical, order
        self.proof = canonical.proof
        self.declared = [(self.proof.add(lo), self.proof.add(hi)) for lo, hi in declared]
        self._derivatives = self._derivative_names()
        self._memo: dict[int, bool] = {}

    def _derivative_names(self) -> frozenset[str]:
        """The names that are defined by derivatives, those that an engine defined for them too."""
        found: set[str] = set()
        while True:
            more = {
                d.name
                for d in self.proof.definitions.values()
                if d.left.__class__ is not App and d.name not in found and _derivative(d.body, found)
            }
            if not more:
                return frozenset(found)
            found |= more

    def moved(self, term: Term, by: int) -> Term:
        """A canonical term under so many more binders: the order of its factors depends on its indices."""
        return self.canonical.term(self.proof.add(shift(term, by)))

    def derivative(self, term: Term) -> bool:
        """Whether there is a derivative in a term of the store."""
        found = self._memo.get(id(term))
        if found is None:
            found = self._memo[id(term)] = _derivative(term, self._derivatives)
        return found

    def flats(self, term: Term, named: Callable[[Flat], Flat] | None = None) -> list[Flat]:
        """The flat terms of a canonical term.

        Args:
            term: the term.
            named: puts names back; then products of sums share what is in front of them where that makes
                names inside: ``(Σ w g)^2 / W^2`` is ``(Σ w̄ g)^2``.

        Raises:
            Rejection: there are too many.
        """
        monomials = [(Fraction(c), powers(factors)) for c, factors in self.canonical.monomials(term)]
        if named is not None:
            monomials = [(c, self._absorbed(factors, named, ())) for c, factors in monomials]
        chosen = self._chosen([factors for _, factors in monomials])
        out: list[Flat] = []
        for (number, factors), main in zip(monomials, chosen, strict=True):
            out += self._enter(number, factors, main, (), named)
        return merged(self._arranged(f) for f in out)

    def absorbed(self, flat: Flat, named: Callable[[Flat], Flat]) -> Flat:
        """A flat term, sums among its values with what makes a name of their weight."""
        values = [f for f in flat.factors if f.__class__ is Sum and not self.derivative(f)]
        factors = self._shared_out(flat.factors, values, named, flat.ranges) if values else flat.factors
        return Flat(flat.number, flat.ranges, factors)

    def _absorbed(self, factors: Factors, named: Callable[[Flat], Flat], ranges: Ranges) -> Factors:
        """A product of sums with derivatives, each with what makes a name of its weight."""
        sums = [f for f in factors if f.__class__ is Sum and self.derivative(f)]
        if sum(factors[f] for f in sums) < 2:
            return factors
        return self._shared_out(factors, sums, named, ranges)

    def _shared_out(
        self, factors: Factors, sums: Sequence[Term], named: Callable[[Flat], Flat], ranges: Ranges
    ) -> Factors:
        out = dict(factors)
        for series in sums:
            inner = self.flats(series)
            if len(inner) != 1 or out[series] < 0:
                continue
            for v, e in list(out.items()):
                if v is series:
                    continue
                times, unit = out[series], 1 if e > 0 else -1
                if self.derivative(v) or abs(e) < times:
                    continue
                moved = self.moved(v, len(inner[0].ranges))
                whole = {**inner[0].factors, moved: unit}
                flat = named(Flat(inner[0].number, (*ranges, *inner[0].ranges), whole))
                if moved in inner[0].factors or moved in flat.factors or flat.number != 1:
                    continue
                own = Flat(flat.number, flat.ranges[len(ranges) :], flat.factors)
                new = self.canonical.term(flat_term(self.proof, own))
                if new.__class__ is Sum:
                    del out[series]
                    out[v] -= unit * times
                    out[new] = out.get(new, 0) + times
                    break
        return {f: e for f, e in out.items() if e}

    def _chosen(self, products: Sequence[Factors]) -> list[Term | None]:
        """The sum to go into, for each product: of several with a derivative, one that joins others there."""
        options: list[list[tuple[object, Term]]] = []
        counts: dict[object, int] = {}
        for factors in products:
            keyed: list[tuple[object, Term]] = []
            for s in sorted(self._candidates(factors), key=self.order.key):
                rest = _without(factors, s)
                derivatives = frozenset((f, e) for f, e in rest.items() if self.derivative(f))
                keyed.append(((derivatives, s.args[:2]), s))
            options.append(keyed)
            for key, _ in keyed:
                counts[key] = counts.get(key, 0) + 1
        out: list[Term | None] = []
        for keyed, factors in zip(options, products, strict=True):
            if len(keyed) == 1 and factors[keyed[0][1]] == 1:
                out.append(keyed[0][1])
                continue
            best = max((counts[key] for key, _ in keyed), default=0)
            out.append(next((s for key, s in keyed if counts[key] == best), None) if best > 1 else None)
        return out

    def _enter(
        self,
        number: Fraction,
        factors: Factors,
        main: Term | None,
        ranges: Ranges,
        named: Callable[[Flat], Flat] | None,
    ) -> list[Flat]:
        if main is None:
            return [Flat(number, ranges, factors)]
        outer = {self.moved(f, 1): e for f, e in _without(factors, main).items()}
        ranges = (*ranges, (main.args[0], main.args[1]))
        out: list[Flat] = []
        for c, inner in self.canonical.monomials(main.args[2]):
            product = joined(outer, powers(inner))
            product = {f: e for f, e in product.items() if e}
            own = [s for s in self._candidates(product) if uses_index(s)]
            nested = own[0] if len(own) == 1 and product[own[0]] == 1 else None
            if nested is None and named is not None:
                product = self._absorbed(product, named, ranges)
            out += self._enter(number * c, product, nested, ranges, named)
        return out

    def _candidates(self, factors: Factors) -> list[Term]:
        """The sums that a product may be taken under: those with a derivative, or else the only one."""
        sums: list[Term] = [f for f, e in factors.items() if f.__class__ is Sum and e > 0]
        found = [f for f in sums if self.derivative(f)]
        if found:
            return found
        lone = len(sums) == 1 and factors[sums[0]] == 1 and not any(map(self.derivative, factors))
        return sums if lone else []

    # ----------------------------------------------------------------------------- order of the sums
    def _arranged(self, flat: Flat) -> Flat:
        return self.shifted(self._swapped(flat))

    def _swapped(self, flat: Flat) -> Flat:
        """The index that stands first in families is summed over outermost."""
        depth = len(flat.ranges)
        if depth < 2 or any(e.loose for ends in flat.ranges for e in ends):
            return flat
        scores = [_position(flat.factors, depth - 1 - level) for level in range(depth)]
        order = sorted(range(depth), key=lambda level: (scores[level], level))
        if order == list(range(depth)):
            return flat
        place = {level: new for new, level in enumerate(order)}
        state = self.proof.state
        values = [state.node(Bound, depth - 1 - place[depth - 1 - k]) for k in range(depth)]
        return Flat(
            flat.number, tuple(flat.ranges[level] for level in order), self._put(flat.factors, values)
        )

    def _put(self, factors: Factors, values: list[Term]) -> Factors:
        """Factors with other indices; what reaches further out stays."""
        loose = max((f.loose for f in factors), default=0)
        values = values + [self.proof.state.node(Bound, k) for k in range(len(values), loose)]
        out: Factors = {}
        for f, e in factors.items():
            new = self.canonical.term(put_indices(self.proof, f, values))
            out[new] = out.get(new, 0) + e
        return out

    def shifted(self, flat: Flat) -> Flat:
        """Ranges as a document has them; else so that the index is the last of those that are used."""
        depth = len(flat.ranges)
        state, add = self.proof.state, self.proof.add
        for level in range(depth):
            index = depth - 1 - level
            lo, hi = flat.ranges[level]
            offsets = _offsets(flat.factors, index)
            moves = sorted(offsets, reverse=True) or [Fraction(0)]
            good = [c for c in moves if self._moved(lo, hi, c) in self.declared]
            by = good[0] if good else moves[0]
            if (lo, hi) in self.declared or not by:
                continue
            values: list[Term] = [state.node(Bound, k) for k in range(depth)]
            values[index] = add(values[index] + Num(-by))
            ranges = list(flat.ranges)
            ranges[level] = self._moved(lo, hi, by)
            for below in range(level + 1, depth):
                at = below - level - 1
                inner: list[Term] = [state.node(Bound, k) for k in range(below)]
                inner[at] = add(inner[at] + Num(-by))
                ends = [self.canonical.term(put_indices(self.proof, e, inner)) for e in ranges[below]]
                ranges[below] = (ends[0], ends[1])
            flat = Flat(flat.number, tuple(ranges), self._put(flat.factors, values))
        return flat

    def _moved(self, lo: Term, hi: Term, by: Fraction) -> tuple[Term, Term]:
        c = Num(by)
        return self.canonical.term(self.proof.add(lo + c)), self.canonical.term(self.proof.add(hi + c))


def powers(factors: Iterable[Term]) -> Factors:
    """Factors with their exponents."""
    out: Factors = {}
    for f in factors:
        base, e = f, 1
        if f.__class__ is Pow and f.args[1].__class__ is Num and f.args[1].key.denominator == 1:
            base, e = f.args[0], int(f.args[1].key)
        out[base] = out.get(base, 0) + e
    return out


def _without(factors: Factors, one: Term) -> Factors:
    rest = dict(factors)
    rest[one] -= 1
    return {f: e for f, e in rest.items() if e}


def _position(factors: Factors, index: int) -> Fraction:
    """Where an index stands among those of families, on average: 0 for the first place."""
    places: list[int] = []
    for node, depth in families_in(factors):
        for place, arg in enumerate(node.args):
            if _offset(arg, index + depth) is not None:
                places.append(place)
    return Fraction(sum(places), len(places)) if places else Fraction(0)


def _offsets(factors: Factors, index: int) -> set[Fraction]:
    """The numbers c for which the index plus c is an index of a family."""
    found = (_offset(arg, index + depth) for node, depth in families_in(factors) for arg in node.args)
    return {c for c in found if c is not None}


def families_in(factors: Iterable[Term]) -> list[tuple[Term, int]]:
    """The families in some terms, with the binders that they stand under there."""
    return [(node, depth) for node, depth in placed(*factors) if node.__class__ is Indexed]


def _offset(arg: Term, index: int) -> Fraction | None:
    """c, where an index is this one plus c."""
    if arg.__class__ is Bound:
        return Fraction(0) if arg.key == index else None
    if arg.__class__ is not Add:
        return None
    numbers = [a.key for a in arg.args if a.__class__ is Num]
    others = [a for a in arg.args if a.__class__ is not Num]
    if len(others) == 1 and others[0].__class__ is Bound and others[0].key == index:
        return sum(numbers, Fraction(0))
    return None
