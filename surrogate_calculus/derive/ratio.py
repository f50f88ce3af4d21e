"""Ratios: what automatic differentiation sees of a positive surrogate.

A positive surrogate E is its stopped copy times its *ratio*, ``E = ⊥E * (E/⊥E)``, and the ratio, whose value
is 1, is all that ∇ acts upon.  Ratios are multiplicative, so that of a recursion can be read off its body:

* of what no parameter occurs in, and of ⊥E, it is 1;
* of products, powers, ∏ and cases, the same of their parts;
* of a sum, the average of the ratios of its terms, weighted by the stopped share of each;
* of anything else, ``E/⊥E``.

What is found here is a proposal: :mod:`.closed` has the kernel prove it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from fractions import Fraction

from ..kernel.judgement import Rejection
from ..language.binding import instantiate, shift, uses_index
from ..language.terms import Add, Fn, Indexed, Mul, Num, Pow, Prod, Stop, Sum, Sym, Term
from .chain import Facts, below
from .proof import Proof

__all__ = ["Factors", "Ratios", "put_indices"]

#: A product: factors with whole exponents.
Factors = dict[Term, int]


def put_indices(proof: Proof, term: Term, values: Sequence[Term]) -> Term:
    """A term over loose indices with values for them; ``values[k]`` for ``Bound(k)``, all at once."""
    for position, value in enumerate(values):
        # the values still to come are put in below this one
        later = len(values) - position - 1
        term = instantiate(term, shift(value, later))
    return proof.add(term)


class Ratios:
    """Ratios of the terms of one proof.

    Args:
        proof: whose store is used.
        params: every parameter; a ratio holds in all of them.
        known: told a name or a family at indices and what is known there, gives its ratio, or None where it
            is an atom; may raise Rejection.
        named: the name of the sum with this ``id``, which then stands in its shares.
    """

    def __init__(
        self,
        proof: Proof,
        params: Collection[str],
        known: Callable[[Term, Facts], Factors | None] = lambda node, facts: None,
        named: Mapping[int, Term] | None = None,
    ) -> None:
        self.proof = proof
        self.params = tuple(params)
        self.known = known
        self.named = dict(named or {})
        self._facts: Facts = ()
        self._done: dict[tuple[int, Facts], Factors] = {}

    def live(self, term: Term) -> bool:
        """Whether a parameter occurs in the term outside ⊥."""
        return any(self.proof.state.depends(p, term) for p in self.params)

    def of(self, term: Term, facts: Facts | None = None) -> Factors:
        """The ratio of a term as a product of factors of value 1, where the facts hold.

        Raises:
            Rejection: nothing is known of its sign.
        """
        outside, self._facts = self._facts, self._facts if facts is None else facts
        try:
            key = (id(term), self._facts)
            if key not in self._done:
                self._done[key] = self._of(term)
            return dict(self._done[key])
        finally:
            self._facts = outside

    def _of(self, term: Term) -> Factors:
        cls = term.__class__
        if cls is Stop or not self.live(term):
            return {}
        if cls is Mul:
            return _product(*(self.of(a) for a in term.args))
        if cls is Pow and term.args[1].__class__ is Num and term.args[1].key.denominator == 1:
            return {f: e * int(term.args[1].key) for f, e in self.of(term.args[0]).items()}
        if cls is Sum or cls is Prod:
            return self._ranged(term)
        if cls is Fn and term.key == "cases" and not self.live(term.args[0]):
            return self._cases(term)
        if cls is Add:
            return {self._average(term): 1}
        if cls is Indexed or cls is Sym:
            known = self.known(term, self._facts)
            if known is not None:
                return known
        return {self.bare(term): 1}

    def bare(self, term: Term) -> Term:
        """``E/⊥E``.

        Raises:
            Rejection: E may be zero.
        """
        if not self.proof.state.facts.discharges("positive", term):
            raise Rejection(f"nothing says that {term} is positive")
        node = self.proof.state.node
        stopped = node(Pow, None, node(Stop, None, term), node(Num, Fraction(-1)))
        return node(Mul, None, term, stopped)

    def _share(self, part: Term, whole: Term) -> Term:
        """``⊥(part/whole)``."""
        node = self.proof.state.node
        inverse = node(Pow, None, whole, node(Num, Fraction(-1)))
        return node(Stop, None, self.proof.state.product(part, inverse))

    def _average(self, term: Term) -> Term:
        """The ratio of a sum of several positive terms."""
        state = self.proof.state
        if not all(state.facts.discharges("positive", a) for a in term.args):
            return self.bare(term)
        return state.total([state.product(self._share(a, term), self.written(self.of(a))) for a in term.args])

    def _ranged(self, term: Term) -> Factors:
        state = self.proof.state
        lo, hi, body = term.args
        factors = self.of(body, below(self.proof, term, 2, self._facts))
        outer = {self.proof.add(shift(f, -1)): e for f, e in factors.items() if not uses_index(f)}
        inner = {f: e for f, e in factors.items() if uses_index(f)}
        hint: str = term.hint  # type: ignore[attr-defined]
        if term.__class__ is Prod:
            if outer:  # the same factor so many times
                inner, outer = factors, {}
            return {state.store.node(Prod, None, (lo, hi, f), hint): e for f, e in inner.items()}
        if not state.facts.discharges("positive", body):
            raise Rejection(f"nothing says that {term} is a sum of positive terms")
        if not inner:
            return outer
        whole = self.named.get(id(term), term)
        share = self._share(body, self.proof.add(shift(whole, 1)))
        average = state.store.node(Sum, None, (lo, hi, state.product(share, self.written(inner))), hint)
        return _product(outer, {average: 1})

    def _cases(self, term: Term) -> Factors:
        condition, first, second = term.args
        branches = [self.of(first), self.of(second)]
        common = {f: e for f, e in branches[0].items() if branches[1].get(f) == e}
        rest = [{f: e for f, e in b.items() if f not in common} for b in branches]
        merged = self._merged(condition, rest)
        if merged is None:
            pair = (self.written(r) for r in rest)
            merged = {self.proof.state.node(Fn, "cases", condition, *pair): 1}
        return _product(common, merged)

    def _merged(self, condition: Term, rest: Sequence[Factors]) -> Factors | None:
        """Branches that differ in their indices only: one product, with the cases in the indices."""
        if not rest[0] and not rest[1]:
            return {}
        if len(rest[0]) != len(rest[1]):
            return None
        out: Factors = {}
        for (f, e), (g, k) in zip(rest[0].items(), rest[1].items(), strict=True):
            same = f.__class__ is Indexed and g.__class__ is Indexed and f.key == g.key and e == k
            if not same or len(f.args) != len(g.args):
                return None
            node = self.proof.state.node
            args = [
                a if a is b else node(Fn, "cases", condition, a, b)
                for a, b in zip(f.args, g.args, strict=True)
            ]
            out[node(Indexed, f.key, *args)] = e
        return out

    def written(self, factors: Factors) -> Term:
        """A product as a term."""
        node = self.proof.state.node
        return self.proof.state.product(
            *(f if e == 1 else node(Pow, None, f, node(Num, Fraction(e))) for f, e in factors.items())
        )


def _product(*parts: Factors) -> Factors:
    out: Factors = {}
    for part in parts:
        for f, e in part.items():
            out[f] = out.get(f, 0) + e
            if not out[f]:
                del out[f]
    return out
