"""Presentation of results with sums over indices, so that they read like formulas of a paper.

Untrusted: a form is proposed, and the kernel concludes that it is equal; if it does not, the next simpler
one is tried.  A result is taken apart into flat terms (:mod:`.flat`), the reader's names are put back
(:mod:`.naming`), and then

* terms over the same ranges with the same derivative are joined where what is left is a weight times a
  difference, a baseline: ``w f g - w f̄ g`` is ``w (f - f̄) g``;
* those over the same ranges with a weight in common become one sum;
* ``∇ log A - ∇ log B`` is ``∇ log(A/B)``;
* what is free of an index stands in front of the sum over it, weights first, then brackets, then
  derivatives; sums in a product with others stand behind those alone.

The order of all this does not depend on names (:mod:`.order`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import gcd, lcm
from typing import TYPE_CHECKING, Any

from ..errors import DeriveError
from ..kernel.inference import head
from ..kernel.judgement import Rejection
from ..language.binding import shift
from ..language.terms import (
    HAS_AXIS,
    Add,
    App,
    Axis,
    Bound,
    Fn,
    Grad,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Sum,
    Sym,
    Term,
    postorder,
    tree_size,
)
from .canonical import Canonical, uses_index
from .chain import Chain, Facts, rewrite
from .flat import Factors, Flat, Flattener, Ranges, facts_of, powers
from .fold import unfold
from .naming import Namer
from .order import Order
from .proof import Proof
from .push import Pusher

if TYPE_CHECKING:
    from ..language.declarations import Document
    from .families import Families

__all__ = ["Presenter", "present"]

#: Results whose printed tree would have more nodes than this stay as they are.
MAX_TREE = 4_000


@dataclass(frozen=True)
class _Unit:
    """``number * Σ…(common * bracket * gradients)``: the terms that share their derivative."""

    number: Fraction
    ranges: Ranges
    common: Factors
    bracket: tuple[tuple[Fraction, Factors], ...]
    gradients: Factors


def present(
    proof: Proof,
    given: Document,
    families: Families | None,
    pusher: Pusher,
    expression: Term,
    term: Term,
) -> int | None:
    """Present a result; the step that concludes ``term = presented``, None where nothing better is found.

    Args:
        proof: where the steps go.
        given: the document.
        families: what the derivation did with the document's families, if any occur.
        pusher: how it works out ∇ and →.
        expression: what was derived from.
        term: the result.
    """
    if not any(n.__class__ is Sum for n in postorder(term)):
        return None
    canonical = families.closed.canonical if families is not None else Canonical(proof)

    def worked(term: Term) -> int | None:
        chain = Chain(proof, term)
        chain.then(unfold(proof, chain.term))
        if families is not None:
            chain.then(families.close(chain.term))
        chain.then(pusher.push(chain.term))
        if families is not None:
            chain.then(families.settle(chain.term))
            chain.then(families.plain_values(chain.term))
        return chain.then(canonical.step(chain.term)).step()

    presenter = Presenter(proof, canonical, worked, list(given.indices.values()), [expression])
    return presenter.step(term)


class Presenter:
    """Presents the results of one proof.

    Args:
        proof: where the steps go.
        canonical: its canonical form.
        worked: the step that works out every name, ∇ and → of a proposal.
        declared: the ranges of a document's indices.
        roots: terms whose names come first in the order of names.
    """

    def __init__(
        self,
        proof: Proof,
        canonical: Canonical,
        worked: Callable[[Term], int | None],
        declared: Collection[tuple[Term, Term]],
        roots: Sequence[Term],
    ) -> None:
        self.proof, self.state = proof, proof.state
        self.canonical = canonical
        self.worked = worked
        self.order = Order(proof, roots)
        self.flattener = Flattener(canonical, list(declared))
        self.derivative = self.flattener.derivative
        self.namer = Namer(self.flattener, self._opened, self._read)

    # ------------------------------------------------------------------------------------ entries
    def step(self, term: Term) -> int | None:
        """The step that concludes ``term = presented``; None where nothing better is found."""
        if tree_size(term, MAX_TREE) > MAX_TREE:
            return None
        for proposal in self._proposals(term):
            if proposal is term:
                return None
            try:
                return self._same(term, proposal)
            except (Rejection, DeriveError):
                continue
        return None

    def _proposals(self, term: Term) -> Iterator[Term]:
        """The forms to try, the boldest first."""
        seen: set[int] = set()
        for names in (True, False):
            try:
                proposal = self.proof.add(self._tidy(self.presented(self._open(term), (), names)))
            except Rejection:
                continue
            if id(proposal) not in seen:
                seen.add(id(proposal))
                yield proposal

    def _same(self, term: Term, proposal: Term) -> int:
        left, right = (Chain(self.proof, t).then(self.worked(t)) for t in (term, proposal))
        try:
            same = self.canonical.equal(left.term, right.term)
        except Rejection:  # so families with a base case too
            left.then(self._deeper(left.term))
            right.then(self._deeper(right.term))
            same = self.canonical.equal(left.term, right.term)
        left.then(same)
        back = right.step()
        if back is not None:
            left.then(self.proof.infer("symmetry", right.term, proposal, [back]))
        step = left.step()
        return self.proof.infer("inside", term) if step is None else step

    def _deeper(self, term: Term) -> int | None:
        """Families unfolded to the case that holds: those without recursion, and those put back."""
        proof = self.proof

        def here(node: Term, facts: Facts) -> int | None:
            definition = proof.definition_of(node) if node.__class__ is Indexed else None
            if definition is None or (definition.measure is not None and head(node) not in self.namer.used):
                return None
            if self.namer.of_indices(definition):
                return None
            trial = Chain(proof, node).by("definition")
            body = trial.term
            if body.__class__ is Fn and body.key == "cases":
                trial.inside(self.canonical.step(body.args[0], facts))
                rule = {self.state.one: "cases_one", self.state.zero: "cases_zero"}.get(trial.term.args[0])
                if rule is None:
                    return None
                trial.by(rule)
            return trial.step()

        chain = Chain(proof, term)
        for _ in range(4):
            before = chain.term
            chain.then(rewrite(proof, before, here, (), lambda node: node.__class__ is not Indexed))
            chain.then(unfold(proof, chain.term))
            chain.then(self.canonical.step(chain.term))
            if chain.term is before:
                break
        return chain.step()

    def _open(self, term: Term) -> Term:
        step = self.worked(term)
        return self.canonical.term(term if step is None else self.proof.right(step))

    def _opened(self, body: Term) -> Term:
        """The body of a definition, in canonical form and without names that are defined plainly."""
        step = unfold(self.proof, body)
        return self.canonical.term(body if step is None else self.proof.right(step))

    def _read(self, term: Term) -> list[tuple[Fraction, Factors]]:
        return [(Fraction(c), powers(factors)) for c, factors in self.canonical.monomials(term)]

    # --------------------------------------------------------------------------------------- form
    def presented(self, term: Term, facts: Facts, names: bool = True) -> Term:
        """The presented form of a canonical term, whose names are put back or not."""
        flats = self.flattener.flats(term)
        if names:
            flats = self.namer.named(flats, facts)
        inner = _Writer(self, facts, names)
        return inner.whole(self._units(flats))

    def _units(self, flats: Sequence[Flat]) -> list[_Unit]:
        """Flat terms with the same derivative, joined where they make a bracket behind a weight."""
        groups: dict[object, list[Flat]] = {}
        for flat in flats:
            gradients = {f: e for f, e in flat.factors.items() if self.derivative(f)}
            groups.setdefault((flat.ranges, frozenset(gradients.items())), []).append(flat)
        out: list[_Unit] = []
        for group in groups.values():
            out += self._bracketed(group)
        return out

    def _bracketed(self, group: Sequence[Flat]) -> list[_Unit]:
        whole = self._unit(group)
        if len(group) == 1 or not group[0].ranges or _dependent(whole.common, len(whole.ranges)):
            return [whole]
        parts: dict[object, list[Flat]] = {}
        for flat in group:
            free = self.free(flat.factors, len(flat.ranges))
            parts.setdefault(frozenset(free.items()), []).append(flat)
        return [self._unit(part) for part in parts.values()]

    def _unit(self, group: Sequence[Flat]) -> _Unit:
        gradients = {f: e for f, e in group[0].factors.items() if self.derivative(f)}
        values = [{f: e for f, e in flat.factors.items() if f not in gradients} for flat in group]
        common = _shared(values)
        rest = [(flat.number, _divided(v, common)) for flat, v in zip(group, values, strict=True)]
        if len(rest) == 1:
            return _Unit(rest[0][0], group[0].ranges, common, (), gradients)
        depth = len(group[0].ranges)

        def place(item: tuple[Fraction, Factors]) -> tuple[Any, ...]:
            return not _dependent(item[1], depth), self._sorted_key(item[1])

        rest.sort(key=place)
        number = _content([n for n, _ in rest])
        bracket = tuple((n / number, factors) for n, factors in rest)
        return _Unit(number, group[0].ranges, common, bracket, gradients)

    def free(self, factors: Factors, depth: int) -> Factors:
        """The factors that use none of the innermost ``depth`` indices, as seen from outside those sums."""
        used = _dependent(factors, depth)
        return {self.proof.add(shift(f, -depth)): e for f, e in factors.items() if f not in used}

    def _sorted_key(self, factors: Factors) -> tuple[Any, ...]:
        return len(factors), sorted((self.order.key(f), -e) for f, e in factors.items())

    # --------------------------------------------------------------------------------------- tidy
    def _tidy(self, root: Term) -> Term:
        """Indices as one writes them: ``t - 1``, not ``-1 + t``."""
        done: dict[int, Term] = {}
        for node in postorder(root):
            args = tuple(done[id(a)] for a in node.args)
            if node.__class__ in (Indexed, Sum, Prod) or (node.__class__ is Fn and node.key == "slice"):
                ends = len(args) - 1 if node.binds else len(args)
                args = tuple(self._index(a) if n < ends else a for n, a in enumerate(args))
            done[id(node)] = self.state.rebuild(node, args)
        return done[id(root)]

    def _index(self, index: Term) -> Term:
        if index.__class__ is not Add:
            return index

        def place(a: Term) -> tuple[Any, ...]:
            negative = a.__class__ is Mul and a.args[0].__class__ is Num and a.args[0].key < 0
            return a.__class__ is Num, negative, self.order.key(a)

        return self.state.node(Add, None, *sorted(index.args, key=place))


class _Writer:
    """Writes units as a term."""

    def __init__(self, presenter: Presenter, facts: Facts, names: bool) -> None:
        self.presenter = presenter
        self.state, self.order = presenter.state, presenter.order
        self.derivative = presenter.derivative
        self.facts, self.names = facts, names
        self._shown: dict[tuple[int, Facts], Term] = {}

    def whole(self, units: Sequence[_Unit]) -> Term:
        """The sum of all units; what all its sums have in common in front."""
        if not units:
            return self.state.zero
        clusters = self._clusters(units)
        frees = [self.presenter.free(_joined(c[0].common, c[0].gradients), len(c[0].ranges)) for c in clusters]
        values = [{f: e for f, e in free.items() if not self.derivative(f)} for free in frees]
        front = _shared(values) if len(clusters) > 1 and any(c[0].ranges for c in clusters) else {}
        parts = []
        for cluster, free in zip(clusters, frees, strict=True):
            alone = [u for u in cluster if not u.ranges]
            own = _divided(free, front)
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

    def _place(self, free: Factors, series: Term | None) -> tuple[Any, ...]:
        """Where a summand stands: products of sums with derivatives last, what has factors before what has none."""
        gradients = sum(e for f, e in free.items() if self.derivative(f))
        key = self.order.key(series) if series is not None else ()
        return gradients, -len(free), sorted(self.order.key(f) for f in free), key

    def _clusters(self, units: Sequence[_Unit]) -> list[list[_Unit]]:
        """Units that become one sum: the same ranges, the same factors in front, a weight in common."""
        ordered = sorted(units, key=self._unit_key)
        out: list[tuple[object, Factors, list[_Unit]]] = []
        for unit in ordered:
            depth = len(unit.ranges)
            free = self.presenter.free(_joined(unit.common, unit.gradients), depth)
            key: object = (unit.ranges, frozenset(free.items()))
            if not depth:  # products of sums apart
                key = sum(e for f, e in unit.gradients.items() if f.__class__ is Sum)
            weight = _dependent(unit.common, depth)
            for n, (other, shared, members) in enumerate(out):
                both = _shared([shared, weight])
                if other == key and (both or (not shared and not weight) or not depth):
                    members.append(unit)
                    out[n] = (other, both, members)
                    break
            else:
                out.append((key, weight, [unit]))
        return [members for _, _, members in out]

    def _unit_key(self, unit: _Unit) -> tuple[Any, ...]:
        """Plain units before brackets, fewer derivatives of what is no log first, fewer factors first."""
        plain = order = count = 0
        for f, e in unit.gradients.items():
            logarithm, n = _derivative_order(f)
            plain += 0 if logarithm else n * e
            order += n * e
            count += e
        key = self.presenter._sorted_key
        factors = sum(abs(e) for e in unit.common.values())
        return (
            bool(unit.bracket), plain, count, order, factors,
            key(unit.gradients), key(unit.common), -unit.number,
        )  # fmt: skip

    def _series(self, cluster: Sequence[_Unit], free: Factors) -> tuple[Fraction, Term]:
        """A number and the nested sum of a cluster, without what is free of all its indices."""
        ranges = cluster[0].ranges
        depth = len(ranges)
        add = self.presenter.proof.add
        inner = {add(shift(f, depth)): e for f, e in free.items()}
        stripped = []
        for u in cluster:
            common = {f: e for f, e in u.common.items() if f not in inner}
            gradients = {f: e for f, e in u.gradients.items() if f not in inner}
            stripped.append(_Unit(u.number, u.ranges, common, u.bracket, gradients))
        weight = _shared([u.common for u in stripped])
        number = _common_number([u.number for u in stripped])
        rest = [
            _Unit(u.number / number, u.ranges, _divided(u.common, weight), u.bracket, u.gradients)
            for u in stripped
        ]
        levels: list[Factors] = [{} for _ in range(depth + 1)]
        for f, e in weight.items():
            least = min((k for k in range(depth) if uses_index(f, k)), default=depth)
            levels[depth - least][add(shift(f, -least))] = e
        facts = [facts_of(self.presenter.canonical, ranges[:k], self.facts) for k in range(depth + 1)]
        term = self._leaf(rest, levels[depth], depth, facts[depth])
        for level in range(depth - 1, -1, -1):
            lo, hi = ranges[level]
            term = self.state.store.node(Sum, None, (lo, hi, term), "i")
            if level:
                term = self._product(Fraction(1), levels[level], (term,), facts[level])
        return number, term

    def _leaf(self, units: Sequence[_Unit], weight: Factors, depth: int, facts: Facts) -> Term:
        """``weight * (…)``: units that no sum is left around."""
        if not depth and weight:
            add = [_Unit(u.number, (), _divided(u.common, weight), u.bracket, u.gradients) for u in units]
            return self._leaf(add, {}, 0, facts)
        joined = self._quotients(units)
        groups: dict[object, list[_Unit]] = {}
        for u in joined:
            key = (frozenset(u.common.items()), tuple((n, frozenset(f.items())) for n, f in u.bracket))
            groups.setdefault(key, []).append(u)
        summands: list[tuple[Fraction, Factors, list[Term]]] = []
        for group in groups.values():
            summands += self._grouped(group, facts)
        if len(summands) == 1:
            number, common, behind = summands[0]
            return self._product(number, _joined(common, weight), behind, facts)
        terms = [(n, self._product(n, common, behind, facts)) for n, common, behind in summands]
        return self._product(Fraction(1), weight, (self._total(terms),), facts)

    def _total(self, terms: Sequence[tuple[Fraction, Term]]) -> Term:
        """A sum in its order, with what is not subtracted in front."""
        first = next((n for n, (number, _) in enumerate(terms) if number > 0), 0)
        ordered = [terms[first], *terms[:first], *terms[first + 1 :]]
        return self.state.total([t for _, t in ordered])

    def _grouped(self, group: Sequence[_Unit], facts: Facts) -> list[tuple[Fraction, Factors, list[Term]]]:
        """Units that share everything but the derivative: one product with a bracket of derivatives."""
        first = group[0]
        bracket: list[Term] = []
        if first.bracket:
            bracket = [self.state.total([self._product(n, f, (), facts) for n, f in first.bracket])]
        if len(group) == 1:
            return [(first.number, first.common, [*bracket, *self._gradients(first.gradients, facts)])]
        if not bracket and not first.common:
            return [(u.number, u.common, self._gradients(u.gradients, facts)) for u in group]
        number = _common_number([u.number for u in group])
        inner = [
            (u.number / number, self._product(u.number / number, {}, self._gradients(u.gradients, facts), facts))
            for u in group
        ]
        return [(number, first.common, [*bracket, self._total(inner)])]

    def _quotients(self, units: Sequence[_Unit]) -> list[_Unit]:
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

    def _quotient(self, u: _Unit, v: _Unit) -> _Unit | None:
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
        return _Unit(u.number, u.ranges, u.common, u.bracket, {term: 1})

    # ----------------------------------------------------------------------------------- products
    def _product(self, number: Fraction, factors: Factors, behind: Sequence[Term], facts: Facts) -> Term:
        """Numbers, then values, what divides behind what multiplies, then derivatives and brackets."""
        values = {f: e for f, e in factors.items() if not self.derivative(f)}
        gradients = {f: e for f, e in factors.items() if self.derivative(f)}

        def place(item: tuple[Term, int]) -> tuple[Any, ...]:
            return item[1] < 0, _class(item[0]), self.order.key(item[0])

        terms = [self._power(f, e, facts) for f, e in sorted(values.items(), key=place)]
        return self._flat(number, [*terms, *self._tensors([*self._gradients(gradients, facts), *behind])])

    def _flat(self, number: Fraction, factors: Sequence[Term]) -> Term:
        node = self.state.node
        out: dict[Term, int] = {}
        for factor in factors:
            for f in factor.args if factor.__class__ is Mul else (factor,):
                if f.__class__ is Num:
                    number *= f.key
                    continue
                base, e = f, 1
                if f.__class__ is Pow and f.args[1].__class__ is Num and f.args[1].key > 1:
                    base, e = f.args[0], f.args[1].key
                out[base] = out.get(base, 0) + e
        powers = [f if e == 1 else node(Pow, None, f, node(Num, Fraction(e))) for f, e in out.items()]
        return self.state.product(node(Num, number), *powers)

    def _tensors(self, factors: list[Term]) -> list[Term]:
        """Factors with open axes in the order of their axes, so that they read as ⊗."""
        if not any(f.flags & HAS_AXIS for f in factors):
            return factors
        return sorted(factors, key=lambda f: _axis(f))

    def _gradients(self, factors: Factors, facts: Facts) -> list[Term]:
        def place(item: tuple[Term, int]) -> tuple[Any, ...]:
            logarithm, order = _derivative_order(item[0])
            return _axis(item[0]), logarithm, order, self.order.key(item[0])

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
        show = self.presenter.presented
        cls = atom.__class__
        if cls in (Sum, Add):
            return show(atom, facts, self.names)
        if cls is Prod:
            whole = Flat(Fraction(1), ((atom.args[0], atom.args[1]),), {atom.args[2]: 1})
            moved = self.presenter.flattener.shifted(whole)
            below = facts_of(self.presenter.canonical, moved.ranges, facts)
            (inner,) = moved.factors
            return self.state.rebuild(atom, (*moved.ranges[0], show(inner, below, self.names)))
        if cls is Fn and atom.key in ("log", "exp", "sqrt"):
            return self.state.rebuild(atom, tuple(show(a, facts, self.names) for a in atom.args))
        return atom


# ------------------------------------------------------------------------------------- small tools
def _shared(products: Sequence[Factors]) -> Factors:
    """The factors that products have in common."""
    common = dict(products[0]) if products else {}
    for factors in products[1:]:
        kept: Factors = {}
        for f, e in common.items():
            have = factors.get(f, 0)
            if have * e > 0:
                kept[f] = min(e, have) if e > 0 else max(e, have)
        common = kept
    return common


def _divided(factors: Factors, by: Factors) -> Factors:
    return {f: e - by.get(f, 0) for f, e in factors.items() if e != by.get(f, 0)}


def _joined(a: Factors, b: Factors) -> Factors:
    out = dict(a)
    for f, e in b.items():
        out[f] = out.get(f, 0) + e
    return out


def _dependent(factors: Factors, depth: int) -> Factors:
    """The factors that use one of the innermost ``depth`` indices."""
    return {f: e for f, e in factors.items() if any(uses_index(f, k) for k in range(depth))}


def _common_number(numbers: Sequence[Fraction]) -> Fraction:
    """What is taken out of a sum: negative where all its terms are."""
    return abs(_content(numbers)) * (1 if any(n > 0 for n in numbers) else -1)


def _content(numbers: Sequence[Fraction]) -> Fraction:
    """What leaves whole numbers without a common divisor, the first of them positive."""
    top = gcd(*(n.numerator for n in numbers))
    bottom = lcm(*(n.denominator for n in numbers))
    return Fraction(top, bottom) * (-1 if numbers[0] < 0 else 1)


def _derivative_order(term: Term) -> tuple[bool, int]:
    """Whether a derivative is that of a log, and of which order."""
    order, core = 0, term
    while core.__class__ is Grad:
        order += 1
        core = core.args[0]
    if isinstance(core, App):
        order += len(core.key[4])
    return order > 0 and core.__class__ is Fn and core.key == "log", order


def _axis(term: Term) -> int:
    if not term.flags & HAS_AXIS:
        return 0
    return min(n.key for n in postorder(term) if n.__class__ is Axis)


def _class(term: Term) -> int:
    """Names, then families, then functions, then the rest."""
    places = {Sym: 1, Bound: 1, Indexed: 2, App: 3, Fn: 4}
    inner = term.args[0] if term.tag == "eval" else term
    return places.get(inner.__class__, 5)
