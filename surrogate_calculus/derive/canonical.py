"""The canonical form of arithmetic with Σ and ∏ over symbolic ranges.

Untrusted: every rewriting is a step of the kernel, and what comes out is the step that concludes
``term = canonical``.  The form is reached from the leaves upwards:

* a sum of products, monomials and factors in one order (that of their digests); the reciprocal of a
  sum is an atom, its content and its common factor taken out;
* ``Σ(A + B)`` is two sums; what is free of the index leaves; a sum of what does not depend on the index
  is a multiple; ``Σ[k]([k = j] A(k))`` is ``A(j)``; separable nested sums are products of sums, others
  nest in one order of their indices; likewise ``∏(A B)``, ``∏ A^n`` and ``∏ c``;
* ``log`` of products and powers opens where they are positive, ``exp`` of sums closes into products;
* the index of a range is shifted so that the least index in the body is the bare one; two ranges over
  the same body whose ends differ by numbers are brought to the shorter one, its neighbours split off;
* comparisons of indices, and with them cases, are decided by the ranges around them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from fractions import Fraction
from hashlib import blake2b
from itertools import permutations

from ..kernel.judgement import Condition, Rejection
from ..kernel.polynomial import (
    MAX_EXPONENT,
    Coefficient,
    Monomial,
    Polynomial,
    coefficient,
    multiply_monomials,
)
from ..language.binding import instantiate, placed, shift, uses_index
from ..language.terms import (
    HAS_BINDER,
    Add,
    App,
    Bound,
    Fn,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Sum,
    Term,
    postorder,
)
from .chain import Chain, Facts, below, holds, on_indices
from .proof import Proof

__all__ = ["Canonical"]

#: No polynomial grows beyond so many terms; what would stays as it is.
MAX_TERMS = 400
#: A range of at most so many values is written out.
MAX_RANGE = 6
#: A nest of more sums than this stays in the order that it has.
MAX_NEST = 4


class Canonical:
    """Canonical forms of the terms of one proof.

    Args:
        proof: where the steps go.
        lemmas: told a canonical Σ or ∏ that stays, gives a step that rewrites it further, or None.
        follow: go one step along a lineage where the time is known to be later than its end.
        gathers: take up into a ∏ a factor that is its next one: for comparing, not for presenting.
    """

    def __init__(
        self,
        proof: Proof,
        lemmas: Callable[[Term], int | None] | None = None,
        follow: bool = False,
        gathers: bool = False,
    ) -> None:
        self.proof = proof
        self._gathers = gathers
        self._follow = follow
        self.state = proof.state
        self._lemmas = lemmas or (lambda term: None)
        self._done: dict[tuple[int, Facts], int | None] = {}
        self._digests: dict[int, bytes] = {}
        self._atoms: dict[int, Term] = {}

    # ------------------------------------------------------------------------------------ entries
    def step(self, term: Term, facts: Facts = ()) -> int | None:
        """The step that concludes ``term = its canonical form``; None where it is canonical."""
        key = (id(term), facts)
        if key in self._done:
            return self._done[key]
        chain = Chain(self.proof, term)
        self._done[key] = None  # what comes back to where it began is left there
        if term.__class__ in (Sum, Prod) and self._empty(term, facts):
            self._by(chain, "sum_empty" if term.__class__ is Sum else "product_empty", facts)
        if term.__class__ is Fn and term.key == "cases":
            chain.inside(self.step(term.args[0], facts))
            rule = {self.state.one: "cases_one", self.state.zero: "cases_zero"}.get(chain.term.args[0])
            if rule is not None:  # what is known in the other branch contradicts itself
                chain.by(rule)
                self._again(chain, facts)
                found = self._done[key] = chain.step()
                return found
            term = chain.term
        if chain.term.args:
            chain.inside(*(self.step(a, below(self.proof, term, k, facts)) for k, a in enumerate(term.args)))
            with suppress(Rejection):  # too large to expand: then it stays as it is
                self._local(chain, facts)
        found = self._done[key] = chain.step()
        if chain.term is not term:
            self._done.setdefault((id(chain.term), facts), None)
        return found

    def term(self, term: Term, facts: Facts = ()) -> Term:
        """The canonical form."""
        step = self.step(term, facts)
        return term if step is None else self.proof.right(step)

    def equal(self, left: Term, right: Term, facts: Facts = ()) -> int:
        """The step that concludes ``left = right``.

        Raises:
            Rejection: their canonical forms are different fractions.
        """
        chains = [Chain(self.proof, t).then(self.step(t, facts)) for t in (left, right)]
        self._align([chains[0], chains[1]], facts)
        a, b = chains
        try:
            a.by("ring", b.term)
        except Rejection:
            a.by("field", b.term)
        back = b.step()
        if back is not None:
            a.then(self.proof.infer("symmetry", b.term, right, [back]))
        step = a.step()
        return self.proof.same(left) if step is None else step

    def _minus(self, a: Term, b: Term) -> Term:
        return self.state.store.add(a - b)

    def holds(self, conditions: Iterable[Condition], facts: Facts) -> bool:
        """Whether conditions follow from the facts."""
        try:
            return not self.proof.remaining(conditions, facts)
        except Rejection:
            return False

    def _by(self, chain: Chain, rule: str, facts: Facts, target: Term | None = None) -> bool:
        """Go on by a rule if its conditions follow from the facts; whether that was done."""
        try:
            step = self.proof.infer(rule, chain.term, target)
        except Rejection:
            return False
        if not holds(self.proof, step, facts):
            return False
        chain.then(step)
        return True

    # ---------------------------------------------------------------------------------- one node
    def _local(self, chain: Chain, facts: Facts) -> None:
        cls = chain.term.__class__
        if cls in (Add, Mul, Pow):
            self._arithmetic(chain, facts)
        elif cls is Sum:
            self._sum(chain, facts)
        elif cls is Prod:
            self._product(chain, facts)
        elif cls is Fn:
            self._function(chain, facts)
        elif cls is Indexed:
            self._indexed(chain, facts)
        elif cls is App:
            self._path(chain, facts)
        else:
            self._ring(chain)

    def _ring(self, chain: Chain) -> None:
        """Arithmetic: the sum of monomials in order."""
        chain.by("ring", self._write(self._read(chain.term)))

    def _again(self, chain: Chain, facts: Facts) -> None:
        """The canonical form of what a rewriting left."""
        chain.then(self.step(chain.term, facts))

    def _arithmetic(self, chain: Chain, facts: Facts) -> None:
        if chain.term.flags & HAS_BINDER:
            self._align([chain], facts)
        if chain.term.__class__ in (Add, Mul, Pow):
            self._ring(chain)
        if chain.term.__class__ is Mul and chain.term.flags & HAS_BINDER:
            chain.then(self._gathered(chain.term, list(chain.term.args), facts))
        self._powers(chain, facts)

    # a power with an index in its exponent: b^(n-1) b = b^n
    def _powers(self, chain: Chain, facts: Facts) -> None:
        """Such powers gathered; the number in the exponent left out where the base is known not to be 0."""
        term = chain.term
        step = self._stripped(term, facts) if term.__class__ is Pow else None
        if term.__class__ is Mul:
            step = self._merged(term, facts)
        elif term.__class__ is Add:
            inner = [self._merged(a, facts) for a in term.args if a.__class__ is Mul]
            step = Chain(self.proof, term).inside(*inner).step()
        if step is not None:
            self._again(chain.then(step), facts)

    def _merged(self, term: Term, facts: Facts) -> int | None:
        state = self.state
        for power in term.args:
            if power.__class__ is not Pow or power.args[1].__class__ is Num:
                continue
            base = power.args[0]
            held = any(a is base or (a.__class__ is Pow and a.args[0] is base and a is not power and
                       (self._exponent(a) or 0) > 0) for a in term.args)  # fmt: skip
            step = self._raised(power, facts) if held else None
            if step is not None:
                pair = self.proof.left(step)
                others = self._without(term, power, base)
                chain = Chain(self.proof, term).by(
                    "ring", state.node(Mul, None, pair, *others) if others else pair
                )
                if chain.term is not pair:
                    chain.inside(step)
                else:
                    chain.then(step)
                return chain.step()
        return None

    def _without(self, term: Term, power: Term, base: Term) -> list[Term]:
        """The factors but for a power and one base."""
        out: list[Term] = []
        gone = False
        for a in term.args:
            if a is power:
                continue
            if not gone and a is base:
                gone = True
                continue
            exponent = self._exponent(a) if a.__class__ is Pow and a.args[0] is base else None
            if not gone and exponent is not None and exponent > 1:
                gone = True
                a = self.state.node(Pow, None, base, self.state.node(Num, Fraction(exponent - 1)))
            out.append(a)
        return out

    def _raised(self, power: Term, facts: Facts) -> int | None:
        """The step that concludes ``b^n b = b^(n+1)``, if n is known to be a whole number ≥ 0."""
        state = self.state
        base, n = power.args
        more = self.state.store.add(n + state.one)
        body = state.store.add(shift(base, 1))
        whole = state.store.node(Prod, None, (state.one, more, body), "i")
        try:
            a, b = Chain(self.proof, whole), Chain(self.proof, whole)
            if not self._by(a, "product_constant", facts) or not self._by(b, "product_last", facts):
                return None
            a.inside(self.proof.infer("ring", a.term.args[1], more))
            first = Chain(self.proof, b.term.args[0])
            first.inside(self.proof.infer("ring", first.term.args[1], n))
            if not self._by(first, "product_constant", facts):
                return None
            first.inside(self.proof.infer("ring", first.term.args[1], n))
            b.inside(first.step())
        except Rejection:
            return None
        back = b.step()
        assert back is not None
        chain = Chain(self.proof, b.term)
        return chain.then(self.proof.infer("symmetry", b.term, whole, [back])).then(a.step()).step()

    def _stripped(self, power: Term, facts: Facts) -> int | None:
        state = self.state
        base, n = power.args
        if n.__class__ is not Add or not state.facts.discharges("nonzero", base):
            return None
        number = self._read(n).get((), 0)
        if not number:
            return None
        unit = state.node(Num, Fraction(1 if number < 0 else -1))
        near = self.term(state.store.add(n + unit))
        lower = power if number < 0 else state.node(Pow, None, base, near)
        step = self._raised(lower, facts)
        if step is None:
            return None
        chain = Chain(self.proof, power)
        if number < 0:
            inverse = state.node(Pow, None, base, state.node(Num, Fraction(-1)))
            return chain.by("ring", state.node(Mul, None, self.proof.left(step), inverse)).inside(step).step()
        up = Chain(self.proof, self.proof.right(step)).by("ring", power)
        whole = Chain(self.proof, self.proof.left(step)).then(step).then(up.step()).step()
        assert whole is not None
        return chain.then(self.proof.infer("symmetry", power, self.proof.left(step), [whole])).step()

    def _indexed(self, chain: Chain, facts: Facts) -> None:
        """A recursion of indices at its end; where wanted, one step further if its guard is decided."""
        definition = self.proof.definition_of(chain.term)
        if definition is None or definition.measure is None or not self.index_valued(definition.body):
            return
        unfolded = Chain(self.proof, chain.term).by("definition")
        if unfolded.term.__class__ is not Fn or unfolded.term.key != "cases":
            return
        self._function(unfolded.inside(self.step(unfolded.term.args[0], facts)), facts)
        ended = self._follow or not unfolded.term.args
        if unfolded.term.__class__ is not Fn and ended:
            chain.then(unfolded.step())
            self._again(chain, facts)

    def _path(self, chain: Chain, facts: Facts) -> None:
        """The density of an empty path is 1."""
        if self.proof.definition_of(chain.term) is not None:
            product = Chain(self.proof, chain.term).by("definition")
            if product.term.__class__ is Prod and self._empty(product.term, facts):
                chain.then(product.by("product_empty").step())

    def index_valued(self, body: Term) -> bool:
        """Whether a body is cases between indices."""
        todo = [body]
        while todo:
            node = todo.pop()
            if node.__class__ is Fn and node.key == "cases":
                todo.extend(node.args[1:])
            elif node.__class__ not in (Bound, Indexed):
                return False
        return body.__class__ is Fn

    def _function(self, chain: Chain, facts: Facts) -> None:
        term = chain.term
        if term.key in ("gt", "ge", "eq"):
            rules = {
                "gt": ("gt_true", "gt_false"),
                "ge": ("ge_true", "ge_false"),
                "eq": ("eq_below", "eq_above"),
            }
            if term.key == "eq" and term.args[0] is term.args[1]:
                chain.by("ring", self.state.one)
                return
            if term.key == "eq" and self._digest(term.args[1]) < self._digest(term.args[0]):
                chain.by("eq_symmetric")
            if on_indices(self.proof, chain.term):
                any(self._by(chain, rule, facts) for rule in rules[term.key])
        elif term.key == "cases":
            rule = {self.state.one: "cases_one", self.state.zero: "cases_zero"}.get(term.args[0])
            if rule is None and term.args[1] is term.args[2]:
                rule = "cases_same"
            if rule is not None:
                chain.by(rule)
                self._again(chain, facts)
        elif term.key == "log":
            self._logarithm(chain, facts)
        elif term.key == "exp":
            self._exponential(chain, facts)
        else:
            self._ring(chain)

    # ------------------------------------------------------------------------------- polynomials
    def _read(self, root: Term) -> Polynomial:
        """A term as a polynomial over the ids of its atoms, which are canonical.

        Raises:
            Rejection: it has too many terms, or divides by zero.
        """
        memo: dict[int, Polynomial] = {}
        todo = [root]
        while todo:
            node = todo[-1]
            if id(node) in memo:
                todo.pop()
                continue
            inner = node.args if node.__class__ in (Add, Mul) else ()
            if node.__class__ is Pow and self._exponent(node) is not None:
                inner = node.args[:1]
            missing = [a for a in inner if id(a) not in memo]
            if missing:
                todo.extend(missing)
                continue
            memo[id(node)] = self._combine(node, [memo[id(a)] for a in inner])
        return memo[id(root)]

    @staticmethod
    def _exponent(node: Term) -> int | None:
        power = node.args[1]
        if power.__class__ is Num and power.key.denominator == 1 and abs(power.key) <= MAX_EXPONENT:
            return int(power.key)
        return None

    def _combine(self, node: Term, args: list[Polynomial]) -> Polynomial:
        if node.__class__ is Num:
            return {(): coefficient(node.key)} if node.key else {}
        if node.__class__ is Pow and node.args[0] is self.state.one:
            return {(): 1}
        if not args:
            self._atoms[id(node)] = node
            return {((id(node), 1),): 1}
        out: Polynomial = args[0] if node.__class__ is not Add else {}
        if node.__class__ is Add:
            for arg in args:
                for mono, c in arg.items():
                    out[mono] = out.get(mono, 0) + c
                    if not out[mono]:
                        del out[mono]
            return out
        if node.__class__ is Mul:
            for arg in args[1:]:
                out = _times(out, arg)
            return out
        exponent = self._exponent(node)
        assert exponent is not None
        if exponent == 0:
            return {(): 1}
        if exponent < 0 and not out:
            raise Rejection("a division by zero")
        if len(out) > 1 and exponent < 0:
            out = self._whole(out)
        if len(out) == 1:
            ((mono, c),) = out.items()
            power = coefficient(Fraction(c) ** exponent)
            return {tuple((a, e * exponent) for a, e in mono): power}
        product: Polynomial = {(): 1}
        for _ in range(exponent):
            product = _times(product, out)
        return product

    def _whole(self, polynomial: Polynomial) -> Polynomial:
        """A sum of several terms as its content and common factor times one atom."""
        common = dict(next(iter(polynomial)))
        for mono in polynomial:
            powers = dict(mono)
            common = {a: min(e, powers[a]) for a, e in common.items() if a in powers}
        outer = tuple(sorted((a, -e) for a, e in common.items()))
        rest = {multiply_monomials(mono, outer, set()): c for mono, c in polynomial.items()}
        first = rest[min(rest, key=self._place)]
        atom = self._write({m: coefficient(Fraction(c) / first) for m, c in rest.items()})
        self._atoms[id(atom)] = atom
        return {multiply_monomials(tuple((a, -e) for a, e in outer), ((id(atom), 1),), set()): first}

    def _digest(self, root: Term) -> bytes:
        """A name for a term that depends on nothing but its structure."""
        memo = self._digests
        if id(root) not in memo:
            for node in postorder(root):
                if id(node) not in memo:
                    own = blake2b(f"{node.tag} {node.key}".encode(), digest_size=12)
                    for arg in node.args:
                        own.update(memo[id(arg)])
                    memo[id(node)] = own.digest()
        return memo[id(root)]

    def _place(self, mono: Monomial) -> tuple[object, ...]:
        # a number behind the rest: t - 1
        degree = sum(abs(e) for _, e in mono)
        return not mono, degree, sorted((self._digest(self._atoms[a]), e) for a, e in mono)

    def _write(self, polynomial: Polynomial) -> Term:
        """The sum of monomials in order."""
        ordered = sorted(polynomial, key=self._place)
        return self.state.total([self._monomial(m, polynomial[m]) for m in ordered])

    def _factors(self, mono: Monomial) -> list[Term]:
        """The factors of a monomial as terms, in order."""
        node = self.state.node
        ordered = sorted(mono, key=lambda item: (self._digest(self._atoms[item[0]]), item[1]))
        return [
            self._atoms[a] if e == 1 else node(Pow, None, self._atoms[a], node(Num, Fraction(e)))
            for a, e in ordered
        ]

    def _monomial(self, mono: Monomial, number: Coefficient = 1) -> Term:
        return self.state.product(self.state.node(Num, Fraction(number)), *self._factors(mono))

    def monomials(self, term: Term) -> list[tuple[Coefficient, list[Term]]]:
        """The monomials of a term: a number and the factors of each, in canonical order.

        Raises:
            Rejection: there are too many.
        """
        polynomial = self._read(term)
        ordered = sorted(polynomial, key=self._place)
        return [(polynomial[m], self._factors(m)) for m in ordered]

    # ------------------------------------------------------------------------------------- ranges
    def _length(self, node: Term) -> Fraction | None:
        """How many values a range has, if that is a number."""
        length = self._read(self._minus(node.args[1], node.args[0]))
        if not length or set(length) == {()}:
            return Fraction(length.get((), 0)) + 1
        return None

    def _empty(self, node: Term, facts: Facts) -> bool:
        """Whether a range is known to be empty: then what is known inside contradicts itself."""
        lo, hi = node.args[:2]
        return self.holds([Condition("int", self._minus(self._minus(lo, hi), self.state.one))], facts)

    def _short(self, chain: Chain, name: str, facts: Facts) -> bool:
        """Write out an empty or short range."""
        length = self._length(chain.term)
        if length is None:
            return False
        if length <= 0:
            return self._by(chain, f"{name}_empty", facts)
        if length > MAX_RANGE or not self._by(chain, f"{name}_first", facts):
            return False
        self._again(chain, facts)
        return True

    def _undecided(self, chain: Chain, name: str, facts: Facts) -> bool:
        """Split off the first values of a range for which a comparison of the index is another one."""
        lo = chain.term.args[0]
        if lo.__class__ is not Num:
            return False
        first = 0
        for node, depth in _comparisons(chain.term.args[2]):
            gap = self._read(self.state.store.add(node.args[0] - node.args[1]))
            index = ((id(self.state.node(Bound, depth)), 1),)
            if gap.get(index) == 1 and set(gap) <= {index, ()}:
                # k + c > 0 from k = 1 - c on; k + c ≥ 0 from k = -c on
                begins = int(-gap.get((), 0)) + (node.key == "gt")
                first = max(first, begins - int(lo.key))
        if not 0 < first <= MAX_RANGE or not self._by(chain, f"{name}_first", facts):
            return False
        self._again(chain, facts)
        return True

    def _shifted(self, chain: Chain, name: str, facts: Facts) -> bool:
        """Shift the index so that the least index of the body is the bare one."""
        node = chain.term
        offset = _least_offset(node.args[2], self._read)
        if not offset:
            return False
        state = self.state
        c = state.node(Num, Fraction(offset))
        # A(k) over m..n is A(k - c) over m+c..n+c
        back = state.node(Mul, None, state.node(Num, Fraction(-1)), c)
        moved = state.store.add(_put(node.args[2], state.node(Bound, 0) + back))
        ends = [state.store.add(end + c) for end in node.args[:2]]
        target = state.store.node(node.__class__, None, (*ends, moved), node.hint)  # type: ignore[attr-defined]
        chain.by(f"{name}_shift", target)
        self._again(chain, facts)
        return True

    def _sum(self, chain: Chain, facts: Facts) -> None:
        node = chain.term
        if self._short(chain, "sum", facts) or self._undecided(chain, "sum", facts):
            return
        lo, hi, body = node.args
        polynomial = self._read(body)
        if not polynomial:
            chain.by("ring", self.state.zero)
            return
        if len(polynomial) > 1:
            ordered = sorted(polynomial, key=self._place)
            self._split_sum(chain, [self._monomial(m, polynomial[m]) for m in ordered], facts)
            return
        ((mono, number),) = polynomial.items()
        factors = self._factors(mono)
        gathered = self._gathered(body, factors, below(self.proof, node, 2, facts))
        if gathered is not None:
            self._again(chain.inside(gathered), facts)
            return
        outer = [f for f in factors if not uses_index(f)]
        inner = [f for f in factors if uses_index(f)]
        if number != 1:
            outer.insert(0, self.state.node(Num, Fraction(number)))
        if not inner:
            if self.holds([Condition("int", self.state.store.add(hi - lo + self.state.one))], facts):
                chain.by("sum_constant")
                self._again(chain, facts)
            return
        if outer:
            self._scale_out(chain, outer, inner, facts)
            return
        if self._shifted(chain, "sum", facts) or self._delta(chain, inner, facts):
            return
        self._nest(chain, inner, facts)
        if chain.term.__class__ is Sum:
            chain.then(self._lemmas(chain.term))

    def _gathered(self, body: Term, factors: list[Term], facts: Facts) -> int | None:
        """``∏[i=m..n](A(i)) A(n+1) = ∏[i=m..n+1](A(i))`` in a monomial, or with A(m-1)."""
        state = self.state
        for product in (f for f in factors if f.__class__ is Prod and self._gathers):
            lo, hi, inner = product.args
            for rule, end, ends in (
                ("product_last", hi + state.one, (lo, hi + state.one)),
                ("product_first", lo - state.one, (lo - state.one, hi)),
            ):
                end = self.term(state.store.add(end), facts)
                near = self.term(state.store.add(instantiate(inner, end)), facts)
                if near not in factors:
                    continue
                hint: str = product.hint
                wider = [self.term(state.store.add(e), facts) for e in ends]
                whole = state.store.node(Prod, None, (*wider, inner), hint)
                split = Chain(self.proof, whole)
                if not self._by(split, rule, facts):
                    continue
                split.inside(*(self._plain(a, facts) for a in split.term.args))
                if set(split.term.args) != {product, near}:
                    continue
                rest = [f for f in factors if f is not product and f is not near]
                back = self.proof.infer("symmetry", split.term, whole, [self.proof.chain(split.steps)])
                chain = Chain(self.proof, body)
                if rest or body is not split.term:
                    chain.by("ring", state.product(split.term, *rest))
                return chain.inside(back).step() if rest else chain.then(back).step()
        return None

    def _plain(self, term: Term, facts: Facts) -> int | None:
        """The canonical form, but of a product only of the ends of its range."""
        if term.__class__ is not Prod:
            return self.step(term, facts)
        return Chain(self.proof, term).inside(*(self.step(a, facts) for a in term.args[:2])).step()

    def _split_sum(self, chain: Chain, terms: list[Term], facts: Facts) -> None:
        """Σ(A + B + …) as several sums."""
        node, state = chain.term, self.state
        nested = terms[-1]
        for t in reversed(terms[:-1]):
            nested = state.node(Add, None, t, nested)
        chain.inside(self._same(node.args[2], nested))
        whole = chain.term
        steps = []
        while whole.args[2] is nested and nested.__class__ is Add and len(terms) > 1:
            step = self.proof.infer("sum_add", whole)
            steps.append(step)
            terms = terms[1:]
            whole = self.proof.right(step).args[1]
            nested = whole.args[2]
        # from the inside out: the second summand of each step is replaced by what the next one says
        last: int | None = None
        for step in reversed(steps):
            last = Chain(self.proof, self.proof.left(step)).then(step).inside(last).step()
        chain.then(last)
        self._again(chain, facts)

    def _same(self, term: Term, other: Term) -> int | None:
        return None if term is other else self.proof.infer("ring", term, other)

    def _scale_out(self, chain: Chain, outer: list[Term], inner: list[Term], facts: Facts) -> None:
        """What is free of the index in front of the sum."""
        node, state = chain.term, self.state
        front = state.product(*(self.state.store.add(shift(f, -1)) for f in outer))
        inside, behind = state.product(*outer), state.product(*inner)
        chain.inside(self._same(node.args[2], state.node(Mul, None, inside, behind)))
        series = state.store.node(Sum, None, (*node.args[:2], behind), node.hint)  # type: ignore[attr-defined]
        chain.back("sum_scale", state.node(Mul, None, front, series))
        self._again(chain, facts)

    def _delta(self, chain: Chain, inner: list[Term], facts: Facts) -> bool:
        """Contract a Kronecker delta in the index."""
        node, state = chain.term, self.state
        index = state.node(Bound, 0)
        for factor in inner:
            if factor.__class__ is not Fn or factor.key != "eq":
                continue
            delta = Chain(self.proof, factor)
            if factor.args[0] is not index:
                delta.by("eq_symmetric")
            if delta.term.args[0] is not index or uses_index(delta.term.args[1]):
                continue
            rest = [f for f in inner if f is not factor]
            body = state.node(Mul, None, factor, state.product(*rest))
            turned = Chain(self.proof, node.args[2]).by("ring", body).inside(delta.step())
            trial = Chain(self.proof, node).inside(turned.step())
            if self._by(trial, "sum_delta", facts):
                chain.then(trial.step())
                self._again(chain, facts)
                return True
        return False

    def _nest(self, chain: Chain, inner: list[Term], facts: Facts) -> None:
        """Nested sums that do not separate: in one order of their indices."""
        node = chain.term
        series = [f for f in inner if f.__class__ is Sum and not any(map(uses_index, f.args[:2]))]
        if not series:
            return
        flat = Chain(self.proof, node)
        depth = self._flatten(flat, 0)
        if not 1 < depth <= MAX_NEST:
            return
        spine = [flat.term]
        while len(spine) < depth:
            spine.append(spine[-1].args[2])
        if _dependent(spine):
            return
        best = min(permutations(range(depth)), key=lambda order: self._nest_key(spine, order))
        if best == tuple(range(depth)):
            return
        self._permute(flat, best)
        chain.then(flat.step())
        self._again(chain, facts)

    def _flatten(self, chain: Chain, depth: int) -> int:
        """Move factors into the innermost sum; how many sums are nested."""
        node, state = chain.term, self.state
        body = Chain(self.proof, node.args[2])
        polynomial = self._read(body.term)
        if len(polynomial) == 1:
            ((mono, number),) = polynomial.items()
            factors = self._factors(mono)
            sums = [f for f in factors if f.__class__ is Sum and uses_index(f)]
            if sums and not any(uses_index(e) for e in sums[0].args[:2]) and depth < MAX_NEST:
                rest = [f for f in factors if f is not sums[0]]
                front = state.product(state.node(Num, Fraction(number)), *rest)
                if front is not state.one:
                    body.by("ring", state.node(Mul, None, front, sums[0])).by("sum_scale")
                below = self._flatten(body, depth + 1)
                chain.inside(body.step())
                return below + 1
        return 1

    def _nest_key(self, spine: list[Term], order: tuple[int, ...]) -> tuple[object, ...]:
        """What the nest looks like with its sums in another order: ``order[k]`` is the k-th from outside."""
        depth = len(spine)
        body = spine[-1].args[2]
        place = {old: new for new, old in enumerate(order)}
        # index of level l (0 outermost) is Bound(depth - 1 - l)
        names = [self.state.node(Bound, depth - 1 - place[depth - 1 - k]) for k in range(depth)]
        moved = self._canonical_order(_rename(body, names))
        ranges = [tuple(self._digest(_outside(e, level)) for e in spine[level].args[:2]) for level in order]
        return self._digest(self.state.store.add(moved)), ranges

    def _canonical_order(self, body: Term) -> Term:
        """A renamed body with its factors, and what its brackets compare, in order."""
        done: dict[int, Term] = {}
        root = self.state.store.add(body)
        for node in postorder(root):
            args = [done[id(a)] for a in node.args]
            if node.__class__ is Fn and node.key == "eq":
                args.sort(key=self._digest)
            done[id(node)] = self.state.rebuild(node, tuple(args))
        return self._write(self._read(done[id(root)]))

    def _permute(self, chain: Chain, order: tuple[int, ...]) -> None:
        """Swap neighbours until the sums stand in the order."""
        current = list(range(len(order)))
        for target, level in enumerate(order):
            at = current.index(level)
            while at > target:
                self._swap(chain, at - 1)
                current[at - 1], current[at] = current[at], current[at - 1]
                at -= 1

    def _swap(self, chain: Chain, level: int) -> None:
        if level == 0:
            chain.by("sum_swap")
            return
        inner = Chain(self.proof, chain.term.args[2])
        self._swap(inner, level - 1)
        chain.inside(inner.step())

    # ----------------------------------------------------------------------------------- products
    def _product(self, chain: Chain, facts: Facts) -> None:
        node, state = chain.term, self.state
        if self._short(chain, "product", facts) or self._undecided(chain, "product", facts):
            return
        lo, hi, body = node.args
        polynomial = self._read(body)
        if polynomial == {(): 1}:
            chain.by("ring", state.one)
            return
        if len(polynomial) != 1:
            self._shifted(chain, "product", facts)
            return
        ((mono, number),) = polynomial.items()
        factors = self._factors(mono)
        if number != 1:
            factors.insert(0, state.node(Num, Fraction(number)))
        if len(factors) > 1:
            first, rest = factors[0], state.product(*factors[1:])
            chain.inside(self._same(body, state.node(Mul, None, first, rest))).by("product_mul")
            self._again(chain, facts)
            return
        (factor,) = factors
        if not uses_index(factor):
            if self.holds([Condition("int", state.store.add(hi - lo + state.one))], facts):
                chain.by("product_constant")
                self._again(chain, facts)
            return
        if factor.__class__ is Pow:
            self._product_of_power(chain, factor, facts)
            return
        if factor.__class__ is Fn and factor.key == "exp":
            self._again(chain.back("exp_sum", self._exp_of_sum(chain.term, factor)), facts)
            return
        if not self._shifted(chain, "product", facts):
            chain.then(self._lemmas(chain.term))

    def _exp_of_sum(self, node: Term, factor: Term) -> Term:
        hint: str = node.hint  # type: ignore[attr-defined]
        series = self.state.store.node(Sum, None, (*node.args[:2], factor.args[0]), hint)
        return self.state.node(Fn, "exp", series)

    def _product_of_power(self, chain: Chain, factor: Term, facts: Facts) -> None:
        exponent = self._exponent(factor)
        state = self.state
        if exponent is None or exponent in (0, 1):
            if not uses_index(factor.args[1]) and state.facts.discharges("positive", factor.args[0]):
                self._again(chain.by("product_power"), facts)
            return
        base = factor.args[0]
        if exponent == -1:
            if state.facts.discharges("nonzero", base):
                self._again(chain.by("product_reciprocal"), facts)
            return
        one = base if exponent > 0 else state.node(Pow, None, base, state.node(Num, Fraction(-1)))
        step = 1 if exponent > 0 else -1
        rest = state.product(state.node(Pow, None, base, state.node(Num, Fraction(exponent - step))))
        chain.inside(self._same(factor, state.node(Mul, None, one, rest))).by("product_mul")
        self._again(chain, facts)

    # -------------------------------------------------------------------------------- log and exp
    def _logarithm(self, chain: Chain, facts: Facts) -> None:
        """log of a product of what is known to be positive, opened."""
        arg, state = chain.term.args[0], self.state
        positive = state.facts.discharges
        if arg.__class__ is Fn and arg.key == "exp":
            chain.by("log_exp")
        elif arg.__class__ is Mul:
            if not all(positive("positive", f) for f in arg.args):
                return
            first, rest = arg.args[0], state.product(*arg.args[1:])
            pair = state.node(Mul, None, first, rest)
            chain.inside(self._same(arg, pair)).by("log_mul")
        elif arg.__class__ is Pow and positive("positive", arg.args[0]):
            chain.by("log_power")
        elif arg.__class__ is Prod and positive("positive", arg.args[2]):
            chain.by("log_product")
        elif arg is state.one:
            chain.by("ring", state.zero)
        else:
            return
        self._again(chain, facts)

    def _exponential(self, chain: Chain, facts: Facts) -> None:
        """exp of a sum as a product; exp of a log as what it is the log of."""
        arg, state = chain.term.args[0], self.state
        parts = self.monomials(arg)
        if not parts:
            chain.by("ring", state.one)
            return
        if len(parts) > 1:
            number, factors = parts[0]
            first = state.product(state.node(Num, Fraction(number)), *factors)
            rest = state.total([state.product(state.node(Num, Fraction(c)), *f) for c, f in parts[1:]])
            chain.inside(self._same(arg, state.node(Add, None, first, rest))).by("exp_add")
            self._again(chain, facts)
            return
        number, factors = parts[0]
        if number == 1 and len(factors) == 1:
            (factor,) = factors
            if factor.__class__ is Sum and _logarithmic(factor.args[2]):
                self._again(chain.by("exp_sum"), facts)
            elif (
                factor.__class__ is Fn
                and factor.key == "log"
                and state.facts.discharges("positive", factor.args[0])
            ):
                self._again(chain.by("exp_log"), facts)
            return
        if self._exp_of_log(chain, number, factors, facts):
            return
        if number == -1:
            minus = state.node(Mul, None, state.node(Num, Fraction(-1)), state.product(*factors))
            self._again(chain.inside(self._same(arg, minus)).by("exp_minus"), facts)
        elif number.denominator == 1 and -MAX_RANGE <= number <= MAX_RANGE and factors:
            unit = 1 if number > 0 else -1
            pieces = [state.product(state.node(Num, Fraction(n)), *factors) for n in (unit, number - unit)]
            chain.inside(self._same(arg, state.node(Add, None, *pieces))).by("exp_add")
            self._again(chain, facts)

    def _exp_of_log(self, chain: Chain, number: Coefficient, factors: list[Term], facts: Facts) -> bool:
        """exp(A log B) as B^A; whether that was done."""
        state = self.state
        logs = [f for f in factors if f.__class__ is Fn and f.key == "log"]
        rest = [f for f in factors if f not in logs]
        if len(logs) != 1 or not rest or not state.facts.discharges("positive", logs[0].args[0]):
            return False
        exponent = state.product(state.node(Num, Fraction(number)), *rest)
        power = state.node(Pow, None, logs[0].args[0], exponent)
        turned = Chain(self.proof, chain.term.args[0]).by("ring", state.node(Mul, None, exponent, logs[0]))
        turned.back("log_power", state.node(Fn, "log", power))
        self._again(chain.inside(turned.step()).by("exp_log"), facts)
        return True

    # ------------------------------------------------------------------------------ common ranges
    def _align(self, chains: Sequence[Chain], facts: Facts) -> None:
        """Bring ranges over one body whose ends differ by numbers to the shortest of them."""
        for _ in range(64):
            change = self._longest([c.term for c in chains], facts)
            if change is None:
                return
            step = change
            for chain in chains:
                self._replace(chain, step, facts)

    def _longest(self, roots: Sequence[Term], facts: Facts) -> int | None:
        """A step that splits the end off a range that another one is shorter than."""
        groups: dict[object, list[tuple[Term, list[tuple[int, ...]]]]] = {}
        for node in dict.fromkeys(_skeleton(roots)):
            if node.__class__ in (Sum, Prod):
                places: list[tuple[int, ...]] = []
                groups.setdefault(_shape(node, (), places), []).append((node, places))
        for nodes in groups.values():
            for (node, places), (other, others) in permutations(nodes, 2):
                pairs = list(zip(places, others, strict=True))
                differ = [(p, q) for p, q in pairs if _ends(node, p) != _ends(other, q)]
                for here, there in differ:
                    step = self._shortened(node, here, _ends(other, there), facts)
                    if step is not None and self.proof.right(step) is not node:
                        return step
        for nodes in groups.values():
            for (node, places), (other, _) in permutations(nodes, 2):
                if node.__class__ is Sum and () in places:
                    step = self._lengthened(node, other.args[:2], facts)
                    if step is not None:
                        return step
        return None

    def _lengthened(self, node: Term, ends: Sequence[Term], facts: Facts) -> int | None:
        """A range as one that is longer at one end, less what that adds, if another one is longer there.

        For a range that is not known to have a first term: ``Σ[0..T-2]`` where T is 1 or more.
        """
        for end, rule in ((1, "last"), (0, "first")):
            gap = self._read(self._minus(ends[end], node.args[end]))
            beyond = gap.get((), 0) if set(gap) <= {()} else 0
            if not (beyond > 0 if end else beyond < 0):
                continue
            moved = self.term(self.state.store.add(node.args[end] + (1 if end else -1)))
            args = (node.args[0], moved) if end else (moved, node.args[1])
            long = self.state.store.node(Sum, None, (*args, node.args[2]), node.hint)  # type: ignore[attr-defined]
            chain = Chain(self.proof, long)
            if not self._by(chain, f"sum_{rule}", facts):
                continue
            chain.inside(*(self.step(a, facts) for a in chain.term.args))
            others = [a for a in chain.term.args if a is not node]
            apart = chain.step()
            if apart is None or len(others) != 1:
                continue
            back = self.proof.infer("symmetry", chain.term, long, [apart])
            less = self.state.product(self.state.node(Num, Fraction(-1)), others[0])
            whole = Chain(self.proof, node).by("ring", self.state.node(Add, None, chain.term, less))
            return whole.inside(back, None).step()
        return None

    def _shortened(
        self, node: Term, place: tuple[int, ...], ends: tuple[Term, ...], facts: Facts
    ) -> int | None:
        """The end of a range at some place of a nest split off, if it goes beyond these ends by a number."""
        chain = Chain(self.proof, node)
        if place:
            step = self._shortened(
                node.args[place[0]], place[1:], ends, below(self.proof, node, place[0], facts)
            )
            if step is None:
                return None
            return (
                chain.then(self.proof.infer("congruence", node, None, [step]))
                .then(self.step(self.proof.right(len(self.proof.log) - 1), facts))
                .step()
            )
        name = "sum" if node.__class__ is Sum else "product"
        for end, rule in ((1, "last"), (0, "first")):
            gap = self._read(self._minus(node.args[end], ends[end]))
            beyond = gap.get((), 0) if set(gap) == {()} else 0
            if not (beyond > 0 if end else beyond < 0):
                continue
            if self._by(chain, f"{name}_{rule}", facts):
                return chain.inside(*(self.step(a, facts) for a in chain.term.args)).step()
        return None

    def _replace(self, chain: Chain, step: int, facts: Facts) -> None:
        """Use an equation in the arithmetic skeleton of a chain's term."""
        left = self.proof.left(step)
        done: dict[int, int | None] = {}

        def visit(node: Term) -> int | None:
            if node is left:
                return step
            if id(node) not in done:
                inner = [visit(a) for a in node.args] if node.__class__ in (Add, Mul, Pow) else []
                done[id(node)] = Chain(self.proof, node).inside(*inner).step()
            return done[id(node)]

        chain.then(visit(chain.term))
        if chain.term.__class__ in (Add, Mul, Pow):
            self._ring(chain)


# ------------------------------------------------------------------------------------- small tools
def _times(a: Polynomial, b: Polynomial) -> Polynomial:
    if len(a) * len(b) > MAX_TERMS:
        raise Rejection("too many terms")
    out: Polynomial = {}
    for m, c in a.items():
        for n, e in b.items():
            mono = multiply_monomials(m, n, set())
            value = out.get(mono, 0) + c * e
            if value:
                out[mono] = value
            else:
                out.pop(mono, None)
    return out


def _logarithmic(term: Term) -> bool:
    """Whether a term is a whole multiple of a logarithm, so that its exp is a power."""
    if term.__class__ is Mul and len(term.args) == 2 and term.args[0].__class__ is Num:
        return term.args[0].key.denominator == 1 and _logarithmic(term.args[1])
    return term.__class__ is Fn and term.key == "log"


def _comparisons(body: Term) -> list[tuple[Term, int]]:
    """The comparisons in the body of a binder that use its index, and how many binders they stand under."""
    return [
        (node, depth)
        for node, depth in placed(body, reaching=0)
        if node.__class__ is Fn and node.key in ("gt", "ge") and uses_index(node, depth)
    ]


def _put(body: Term, value: Term) -> Term:
    """The body of a binder with ``value``, which may use the index itself, for its index."""
    from ..language.binding import instantiate

    return instantiate(shift(body, 1, cutoff=1), value)


def _least_offset(body: Term, read: Callable[[Term], Polynomial]) -> Coefficient:
    """The least number c such that k + c is an index of a family in the body, k being its bound index."""
    found = (
        offset
        for node, k in placed(body, reaching=0)
        if node.__class__ is Indexed
        for arg in node.args
        for offset in _offset(arg, k, read)
    )
    return min(found, default=0)


def _offset(index: Term, k: int, read: Callable[[Term], Polynomial]) -> list[Coefficient]:
    if index.__class__ not in (Bound, Add) or not uses_index(index, k):
        return []
    if index.__class__ is Bound:
        return [0]
    numbers = [a.key for a in index.args if a.__class__ is Num]
    plain = [a for a in index.args if a.__class__ is Bound and a.key == k]
    others = [a for a in index.args if a.__class__ is not Num and not (a.__class__ is Bound and a.key == k)]
    if len(plain) != 1 or others or any(n.denominator != 1 for n in numbers):
        return []
    return [coefficient(sum(numbers, Fraction(0)))]


def _shape(node: Term, place: tuple[int, ...], places: list[tuple[int, ...]]) -> object:
    """A nest of sums or products but for the ends of its ranges, whose places are noted."""
    if node.__class__ in (Sum, Prod):
        places.append(place)
        return node.__class__, _shape(node.args[2], (*place, 2), places)
    if node.__class__ is Mul:
        return tuple(_shape(a, (*place, k), places) for k, a in enumerate(node.args))
    return id(node)


def _ends(node: Term, place: tuple[int, ...]) -> tuple[Term, ...]:
    """The ends of the range at a place of a nest."""
    for k in place:
        node = node.args[k]
    return node.args[:2]


def _skeleton(roots: Sequence[Term]) -> list[Term]:
    """The terms that arithmetic joins, outside of functions and binders."""
    out: list[Term] = []
    seen: set[int] = set()
    todo = list(roots)
    while todo:
        node = todo.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.__class__ in (Add, Mul, Pow):
            todo.extend(node.args)
        else:
            out.append(node)
    return out


def _dependent(spine: Sequence[Term]) -> bool:
    """Whether the range of a nested sum uses the index of a sum around it."""
    return any(
        uses_index(end, k) for level, node in enumerate(spine) for end in node.args[:2] for k in range(level)
    )


def _outside(end: Term, level: int) -> Term:
    """The end of a range at a level of a nest, seen from outside the nest."""
    return shift(end, -level)


def _rename(body: Term, names: Sequence[Term]) -> Term:
    """The body of a nest with other bound indices: ``names[k]`` for ``Bound(k)``."""
    from ..language.binding import map_under_binders

    def leaf(node: Term, depth: int) -> Term | None:
        if node.__class__ is Bound and depth <= node.key < depth + len(names):
            return shift(names[node.key - depth], depth)
        return None

    return map_under_binders(body, leaf, lambda node, depth: node.loose <= depth)
