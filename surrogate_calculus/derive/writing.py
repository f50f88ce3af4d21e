"""Units written as a formula: joined sums, brackets, quotients of densities, factors in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from ..language.binding import uses_index
from ..language.terms import HAS_AXIS, Add, App, Fn, Grad, Mul, Num, Pow, Prod, Sum, Term
from .chain import Facts
from .factors import (
    Factors,
    common_number,
    dependent,
    derivative_order,
    divided,
    first_axis,
    joined,
    kind_of,
    shared,
)
from .flat import Flat, Flattener, facts_of
from .units import Unit, Units

__all__ = ["Writer"]


class Writer:
    """Writes units as a term.

    Args:
        flattener: of the proof.
        units: which made the units.
        show: presents what stands inside a factor.
        facts: what is known of indices where the term is to stand.
    """

    def __init__(
        self, flattener: Flattener, units: Units, show: Callable[[Term, Facts], Term], facts: Facts
    ) -> None:
        self.flattener, self.units, self.order = flattener, units, units.order
        self.canonical, self.proof = flattener.canonical, flattener.proof
        self.state = self.proof.state
        self.derivative = flattener.derivative
        self.show, self.facts = show, facts
        self._shown: dict[tuple[int, Facts], Term] = {}

    def whole(self, units: Sequence[Unit]) -> Term:
        """The sum of all units; what all its sums have in common in front."""
        if not units:
            return self.state.zero
        clusters = self._clusters(units)
        frees = [self._free(c[0]) for c in clusters]
        values = [{f: e for f, e in free.items() if not self.derivative(f)} for free in frees]
        front = shared(values) if len(clusters) > 1 and any(c[0].ranges for c in clusters) else {}
        parts: list[tuple[tuple[Any, ...], Term, Fraction]] = []
        for cluster, free in zip(clusters, frees, strict=True):
            alone = [u for u in cluster if not u.ranges]
            own = divided(free, front)
            if alone:
                leaf = self._leaf(alone, front, 0, self.facts)
                sums = max(sum(u.gradients.values()) for u in alone)
                parts.append(((sums - 1, 0, [], ()), leaf, alone[0].number))
                continue
            number, series = self._series(cluster, free)
            term = self._product(number, own, (series,), self.facts)
            parts.append((self._place(own, series), term, number))
        parts.sort(key=lambda p: p[0])
        bracket = self._total([(p[2], p[1]) for p in parts])
        if not front:
            return bracket
        return self._product(Fraction(1), front, (bracket,), self.facts)

    def _free(self, unit: Unit) -> Factors:
        """What stands in front of all the sums of a unit."""
        return self.units.free(joined(unit.common, unit.gradients), len(unit.ranges))

    def _place(self, free: Factors, series: Term | None) -> tuple[Any, ...]:
        """Where a summand stands: products of sums with derivatives last, what is alone behind others."""
        gradients = sum(e for f, e in free.items() if self.derivative(f))
        key = self.order.key(series) if series is not None else ()
        return gradients, -len(free), sorted(self.order.key(f) for f in free), key

    def _clusters(self, units: Sequence[Unit]) -> list[list[Unit]]:
        """Units that become one sum: the same ranges, the same factors in front, a weight in common."""
        ordered = sorted(units, key=self._unit_key)
        out: list[tuple[object, Factors, list[Unit]]] = []
        for unit in ordered:
            depth = len(unit.ranges)
            free = self._free(unit)
            key: object = (unit.ranges, frozenset(free.items()))
            if not depth:  # products of sums apart
                key = sum(e for f, e in unit.gradients.items() if f.__class__ is Sum)
            weight = dependent(unit.common, depth)
            for n, (other, common, members) in enumerate(out):
                both = shared([common, weight])
                if other == key and (both or (not common and not weight) or not depth):
                    members.append(unit)
                    out[n] = (other, both, members)
                    break
            else:
                out.append((key, weight, [unit]))
        return self._merged(out)

    @staticmethod
    def _merged(clusters: Sequence[tuple[object, Factors, list[Unit]]]) -> list[list[Unit]]:
        """Single terms with weights of their own, as a product rule leaves them, in one sum after all."""
        alike: dict[object, list[tuple[Factors, list[Unit]]]] = {}
        for key, weight, members in clusters:
            alike.setdefault(key, []).append((weight, members))
        out: list[list[Unit]] = []
        for group in alike.values():
            if all(weight and len(members) == 1 for weight, members in group):
                out.append([u for _, members in group for u in members])
            else:
                out += [members for _, members in group]
        return out

    def _unit_key(self, unit: Unit) -> tuple[Any, ...]:
        """Plain units before brackets, fewer derivatives of what is no log first, fewer factors first."""
        plain = order = count = 0
        for f, e in unit.gradients.items():
            logarithm, n = derivative_order(f)
            plain += 0 if logarithm else n * e
            order += n * e
            count += e
        key = self.units.key
        factors = sum(abs(e) for e in unit.common.values())
        return (
            bool(unit.bracket), plain, count, order, factors,
            key(unit.gradients), key(unit.common), -unit.number,
        )  # fmt: skip

    def _series(self, cluster: Sequence[Unit], free: Factors) -> tuple[Fraction, Term]:
        """A number and the nested sum of a cluster, without what is free of all its indices."""
        ranges = cluster[0].ranges
        depth = len(ranges)
        move = self.flattener.moved
        inner = {move(f, depth): e for f, e in free.items()}
        stripped = []
        for u in cluster:
            common = {f: e for f, e in u.common.items() if f not in inner}
            gradients = {f: e for f, e in u.gradients.items() if f not in inner}
            stripped.append(Unit(u.number, u.ranges, common, u.bracket, gradients))
        weight = shared([u.common for u in stripped])
        number = common_number([u.number for u in stripped])
        rest = [
            Unit(u.number / number, u.ranges, divided(u.common, weight), u.bracket, u.gradients)
            for u in stripped
        ]
        levels: list[Factors] = [{} for _ in range(depth + 1)]
        for f, e in weight.items():
            least = min((k for k in range(depth) if uses_index(f, k)), default=depth)
            levels[depth - least][move(f, -least)] = e
        facts = [facts_of(self.canonical, ranges[:k], self.facts) for k in range(depth + 1)]
        term = self._leaf(rest, levels[depth], depth, facts[depth])
        for level in range(depth - 1, -1, -1):
            lo, hi = ranges[level]
            term = self.state.store.node(Sum, None, (lo, hi, term), "i")
            if level:
                term = self._product(Fraction(1), levels[level], (term,), facts[level])
        return number, term

    def _leaf(self, units: Sequence[Unit], weight: Factors, depth: int, facts: Facts) -> Term:
        """``weight * (…)``: units that no sum is left around."""
        if not depth and weight:
            add = [Unit(u.number, (), divided(u.common, weight), u.bracket, u.gradients) for u in units]
            return self._leaf(add, {}, 0, facts)
        groups: dict[object, list[Unit]] = {}
        for u in self._quotients(units):
            key = (frozenset(u.common.items()), tuple((n, frozenset(f.items())) for n, f in u.bracket))
            groups.setdefault(key, []).append(u)
        summands: list[tuple[Fraction, Factors, list[Term]]] = []
        for group in groups.values():
            summands += self._grouped(group, facts)
        if len(summands) == 1:
            number, common, behind = summands[0]
            return self._product(number, joined(common, weight), behind, facts)
        terms = [(n, self._product(n, common, behind, facts)) for n, common, behind in summands]
        return self._product(Fraction(1), weight, (self._total(terms),), facts)

    def _total(self, terms: Sequence[tuple[Fraction, Term]]) -> Term:
        """A sum in its order, with what is not subtracted in front."""
        first = next((n for n, (number, _) in enumerate(terms) if number > 0), 0)
        ordered = [terms[first], *terms[:first], *terms[first + 1 :]]
        return self.state.total([t for _, t in ordered])

    def _grouped(self, group: Sequence[Unit], facts: Facts) -> list[tuple[Fraction, Factors, list[Term]]]:
        """Units that share everything but the derivative: one product with a bracket of derivatives."""
        first = group[0]
        bracket: list[Term] = []
        if first.bracket:
            bracket = [self.state.total([self._product(n, f, (), facts) for n, f in first.bracket])]
        if len(group) == 1:
            return [(first.number, first.common, [*bracket, *self._gradients(first.gradients, facts)])]
        if not bracket and not first.common:
            return [(u.number, u.common, self._gradients(u.gradients, facts)) for u in group]
        number = common_number([u.number for u in group])
        inner: list[tuple[Fraction, Term]] = []
        for u in group:
            c = u.number / number
            inner.append((c, self._product(c, {}, self._gradients(u.gradients, facts), facts)))
        return [(number, first.common, [*bracket, self._total(inner)])]

    def _quotients(self, units: Sequence[Unit]) -> list[Unit]:
        """``∇ log A - ∇ log B`` as ``∇ log(A/B)``, where everything else is the same."""
        out = list(units)
        for n, u in enumerate(out):
            for m in range(n + 1, len(out)):
                v = out[m]
                same = (u.common, u.bracket, u.number) == (v.common, v.bracket, -v.number)
                found = self._quotient(u, v) if same else None
                if found is not None:
                    return self._quotients([*out[:n], found, *out[n + 1 : m], *out[m + 1 :]])
        return out

    def _quotient(self, u: Unit, v: Unit) -> Unit | None:
        if u.number < 0:
            u, v = v, u
        if len(u.gradients) != 1 or len(v.gradients) != 1:
            return None
        (g, e), (h, k) = next(iter(u.gradients.items())), next(iter(v.gradients.items()))
        path = []
        while g.__class__ is Grad and h.__class__ is Grad and g.key == h.key and g.args[1:] == h.args[1:]:
            path.append((g.key, g.args[1:]))
            g, h = g.args[0], h.args[0]
        logs = all(x.__class__ is Fn and x.key == "log" and x.args[0].__class__ is App for x in (g, h))
        if not path or not logs or e != 1 or k != 1:
            return None
        node = self.state.node
        inverse = node(Pow, None, h.args[0], node(Num, Fraction(-1)))
        term = node(Fn, "log", node(Mul, None, g.args[0], inverse))
        for key, coordinate in reversed(path):
            term = node(Grad, key, term, *coordinate)
        return Unit(u.number, u.ranges, u.common, u.bracket, {term: 1})

    # ----------------------------------------------------------------------------------- products
    def _product(self, number: Fraction, factors: Factors, behind: Sequence[Term], facts: Facts) -> Term:
        """Numbers, then values, what divides behind what multiplies, then derivatives and brackets."""
        values = {f: e for f, e in factors.items() if not self.derivative(f)}
        gradients = {f: e for f, e in factors.items() if self.derivative(f)}

        def place(item: tuple[Term, int]) -> tuple[Any, ...]:
            return item[1] < 0, kind_of(item[0]), self.order.key(item[0])

        terms = [self._power(f, e, facts) for f, e in sorted(values.items(), key=place)]
        rest = self._tensors([*self._gradients(gradients, facts), *behind])
        if abs(number) == 1 and rest and all(e < 0 for e in values.values()) and not _tensor(rest):
            return self._flat(number, [*rest, *terms])  # A/b, not 1/b A
        return self._flat(number, [*terms, *rest])

    def _flat(self, number: Fraction, factors: Sequence[Term]) -> Term:
        node = self.state.node
        out: dict[Term, int] = {}
        for factor in factors:
            for f in factor.args if factor.__class__ is Mul else (factor,):
                if f.__class__ is Num:
                    number *= f.key
                    continue
                base, e = f, 1
                if (
                    f.__class__ is Pow
                    and f.args[1].__class__ is Num
                    and f.args[1].key in (2, 3, 4, 5, 6, 7, 8)
                ):
                    base, e = f.args[0], int(f.args[1].key)
                out[base] = out.get(base, 0) + e
        powers = [f if e == 1 else node(Pow, None, f, node(Num, Fraction(e))) for f, e in out.items()]
        return self.state.product(node(Num, number), *powers)

    @staticmethod
    def _tensors(factors: list[Term]) -> list[Term]:
        """Factors with open axes in the order of their axes, so that they read as ⊗."""
        if not _tensor(factors):
            return factors
        return sorted(factors, key=first_axis)

    def _gradients(self, factors: Factors, facts: Facts) -> list[Term]:
        def place(item: tuple[Term, int]) -> tuple[Any, ...]:
            logarithm, order = derivative_order(item[0])
            return first_axis(item[0]), logarithm, order, self.order.key(item[0])

        return [self._power(f, e, facts) for f, e in sorted(factors.items(), key=place)]

    def _power(self, factor: Term, exponent: int, facts: Facts) -> Term:
        node = self.state.node
        base = self._atom(factor, facts)
        if abs(exponent) != 1:
            base = node(Pow, None, base, node(Num, Fraction(abs(exponent))))
        return base if exponent > 0 else node(Pow, None, base, node(Num, Fraction(-1)))

    def _atom(self, atom: Term, facts: Facts) -> Term:
        """A factor with its inside presented."""
        key = (id(atom), facts)
        found = self._shown.get(key)
        if found is None:
            found = self._shown[key] = self._inside(atom, facts)
        return found

    def _inside(self, atom: Term, facts: Facts) -> Term:
        show, cls = self.show, atom.__class__
        if cls in (Sum, Add):
            return show(atom, facts)
        if cls is Prod:
            whole = Flat(Fraction(1), ((atom.args[0], atom.args[1]),), {atom.args[2]: 1})
            moved = self.flattener.shifted(whole)
            below = facts_of(self.canonical, moved.ranges, facts)
            (inner,) = moved.factors
            return self.state.rebuild(atom, (*moved.ranges[0], show(inner, below)))
        if cls is Fn and atom.key in ("log", "exp", "sqrt"):
            return self.state.rebuild(atom, tuple(show(a, facts) for a in atom.args))
        return atom


def _tensor(factors: Sequence[Term]) -> bool:
    return any(f.flags & HAS_AXIS for f in factors)
