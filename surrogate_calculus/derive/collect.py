"""Presentation: the arithmetic of a result, collected so that it reads like a formula of a paper.

Untrusted: what comes out is proposed, and :func:`collect` has the kernel conclude that it is equal.

The result is written as a sum of monomials: numbers, then what is not a derivative, then denominators,
then derivatives; terms with fewer derivatives first.  Two forms are tried, with sums multiplied out and
with products of sums kept (their common factors taken out), and the shorter one is taken.
"""

from __future__ import annotations

from fractions import Fraction

from ..kernel.judgement import Rejection
from ..kernel.polynomial import (
    MAX_EXPONENT,
    Coefficient,
    Monomial,
    Polynomial,
    coefficient,
    multiply_monomials,
)
from ..language.terms import (
    HAS_AXIS,
    HAS_GRAD,
    Add,
    App,
    Axis,
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
from .proof import Proof

__all__ = ["Collector", "collect"]

#: Results whose printed tree would have more nodes than this stay as the rules left them.
MAX_TREE = 5_000
#: How much longer than what the rules left a collected form may be: 1/x^2 has more nodes than x^-2.
SLACK = 1.2
#: No polynomial in a presentation grows beyond so many terms.
MAX_TERMS = 200


class Collector:
    """Rewrites terms of one proof's store into collected form.

    Args:
        proof: whose store is used.
        expand: multiply sums out, or keep products of sums.
    """

    def __init__(self, proof: Proof, expand: bool) -> None:
        self._state = proof.state
        self._expand = expand
        self._numbers: dict[int, int] = {}
        self._atoms: list[Term] = []
        self._ranks: list[tuple[int, int, int, int, int]] = []
        self._terms: dict[int, Term] = {}
        self._polynomials: dict[int, Polynomial] = {}

    def term(self, root: Term) -> Term:
        """The collected form of a term.

        Raises:
            Rejection: it grows beyond MAX_TERMS.
        """
        for node in postorder(root):
            if id(node) not in self._polynomials:
                self._polynomials[id(node)] = self._read(node)
        return self._written(root)

    def _written(self, node: Term) -> Term:
        found = self._terms.get(id(node))
        if found is None:
            found = self._terms[id(node)] = self.write(self._polynomials[id(node)])
        return found

    def _read(self, node: Term) -> Polynomial:
        cls = node.__class__
        if cls is Num:
            return {(): coefficient(node.key)} if node.key else {}
        if cls is Add:
            total: Polynomial = {}
            for arg in node.args:
                _accumulate(total, self._polynomials[id(arg)])
            return total
        if cls is Mul:
            product: Polynomial = {(): 1}
            for arg in node.args:
                product = self._times(product, self._polynomials[id(arg)])
            return product
        if cls is Pow:
            exponent = self._polynomials[id(node.args[1])]
            n = exponent.get((), 0) if set(exponent) <= {()} else Fraction(1, 2)
            if n.denominator == 1 and abs(n.numerator) <= MAX_EXPONENT:
                return self._power(self._polynomials[id(node.args[0])], n.numerator)
        if cls is Fn and node.key == "exp" and not self._polynomials[id(node.args[0])]:
            return {(): 1}
        if cls is Fn and node.key == "eq" and self._written(node.args[0]) is self._written(node.args[1]):
            return {(): 1}
        if cls is Sum and not self._polynomials[id(node.args[2])]:
            return {}
        if cls is Prod and self._polynomials[id(node.args[2])] == {(): 1}:
            return {(): 1}
        args = tuple(self._written(a) for a in node.args)
        return self._atom(self._state.rebuild(node, args))

    # polynomials over presented atoms
    def _atom(self, term: Term, exponent: int = 1) -> Polynomial:
        number = self._numbers.get(id(term))
        if number is None:
            number = self._numbers[id(term)] = len(self._atoms)
            self._atoms.append(term)
            self._ranks.append(_rank(term, number))
        return {((number, exponent),): 1}

    def _whole(self, polynomial: Polynomial) -> Polynomial:
        """A sum of several terms as its common factor times one atom."""
        if len(polynomial) <= 1:
            return polynomial
        common = dict(next(iter(polynomial)))
        for mono in polynomial:
            powers = dict(mono)
            common = {a: min(e, powers[a]) for a, e in common.items() if a in powers}
        outer = tuple(sorted((a, -e) for a, e in common.items()))
        rest = {multiply_monomials(mono, outer, set()): c for mono, c in polynomial.items()}
        content = _content(list(rest.values()), rest[min(rest, key=self._order)])
        ((mono, _),) = self._atom(self.write({m: coefficient(c / content) for m, c in rest.items()})).items()
        return {multiply_monomials(tuple((a, -e) for a, e in outer), mono, set()): coefficient(content)}

    def _times(self, a: Polynomial, b: Polynomial) -> Polynomial:
        if not self._expand and len(a) > 1 and b != {(): 1} and a != {(): 1}:
            a = self._whole(a)
        if not self._expand and len(b) > 1 and a != {(): 1}:
            b = self._whole(b)
        if len(a) * len(b) > MAX_TERMS:
            raise Rejection("too many terms")
        out: Polynomial = {}
        for m, c in a.items():
            for n, e in b.items():
                _accumulate(out, {multiply_monomials(m, n, set()): c * e})
        return out

    def _power(self, base: Polynomial, exponent: int) -> Polynomial:
        if exponent == 0:
            return {(): 1}
        if not base:
            if exponent < 0:
                raise Rejection("a division by zero")
            return {}
        if len(base) > 1 and (exponent < 0 or not self._expand):
            base = self._whole(base)
        if len(base) == 1:
            ((mono, c),) = base.items()
            return {tuple((a, e * exponent) for a, e in mono): coefficient(Fraction(c) ** exponent)}
        out: Polynomial = {(): 1}
        for _ in range(exponent):
            out = self._times(out, base)
        return out

    # writing
    def _order(self, mono: Monomial) -> tuple[object, ...]:
        """Terms with fewer derivatives first, then of lower degree, then by their atoms."""
        derivatives = sum(abs(e) * self._ranks[a][3] * (1 - self._ranks[a][2]) for a, e in mono)
        gradients = sum(abs(e) for a, e in mono if self._ranks[a][0] >= _GRADIENT)
        degree = sum(abs(e) for a, e in mono)
        return derivatives, gradients, degree, sorted((self._ranks[a], -e) for a, e in mono)

    def write(self, polynomial: Polynomial) -> Term:
        """The sum of monomials as a term."""
        ordered = sorted(polynomial, key=self._order)
        return self._state.total([self._monomial(m, polynomial[m]) for m in ordered])

    def _monomial(self, mono: Monomial, number: Coefficient) -> Term:
        node = self._state.node
        factors: list[Term] = []

        def place(item: tuple[int, int]) -> tuple[object, ...]:
            rank = self._ranks[item[0]]
            return rank[0] >= _GRADIENT, item[1] < 0, rank

        for atom, exponent in sorted(mono, key=place):
            base = self._atoms[atom]
            if abs(exponent) != 1:
                base = node(Pow, None, base, node(Num, Fraction(abs(exponent))))
            if exponent < 0:
                base = node(Pow, None, base, node(Num, Fraction(-1)))
            factors.append(base)
        return self._state.product(node(Num, Fraction(number)), *factors)


_GRADIENT = 6


def _rank(term: Term, number: int) -> tuple[int, int, int, int, int]:
    """Place of an atom in a product: class, first axis, log-derivative or not, order, order of discovery."""
    order = 0
    core = term
    while core.__class__ is Grad:
        order += 1
        core = core.args[0]
    logarithm = order > 0 and core.__class__ is Fn and core.key == "log"
    if isinstance(core, App):
        order += len(core.key[4])
    axes = [n.key for n in postorder(term) if n.__class__ is Axis] if term.flags & HAS_AXIS else []
    if term.flags & HAS_AXIS or order or (term.__class__ is Add and term.flags & HAS_GRAD):
        # open axes in order, so that products read as ⊗; plain derivatives before log-derivatives
        return (_GRADIENT, min(axes, default=0), int(logarithm), order, number)
    place = {Sym: 1, Indexed: 2, App: 3, Fn: 4, Pow: 4, Add: 5, Sum: 5, Prod: 5}.get(term.__class__, 5)
    return (place, 0, 0, 0, number)


def _accumulate(total: Polynomial, more: Polynomial) -> None:
    """Add to a polynomial, in place."""
    for mono, c in more.items():
        value = total.get(mono, 0) + c
        if value:
            total[mono] = value
        else:
            del total[mono]


def _content(coefficients: list[Coefficient], leading: Coefficient) -> Fraction:
    """The rational factor that leaves whole coefficients without a common divisor, the first positive."""
    from math import gcd, lcm

    top = gcd(*(c.numerator for c in coefficients))
    bottom = lcm(*(c.denominator for c in coefficients))
    return Fraction(top, bottom) * (-1 if leading < 0 else 1)


def collect(proof: Proof, term: Term) -> int | None:
    """Collect a term; the step that concludes ``term = collected``, None where nothing better is found.

    Of the two forms the one with fewer printed nodes is taken, unless it is much longer than the term itself.
    A term too large to print, or whose polynomials grow too large, stays as it is.
    """
    size = tree_size(term, MAX_TREE)
    if size > MAX_TREE:
        return None
    candidates: list[Term] = []
    # three axes or more: only monomials read as outer products, a factored sum mixes the axes
    tensor = term.flags & HAS_AXIS and any(n.__class__ is Axis and n.key > 2 for n in postorder(term))
    for expand in (True,) if tensor else (False, True):
        try:
            candidates.append(Collector(proof, expand).term(term))
        except Rejection:
            continue
    most = int(size * SLACK) + 4
    for candidate in sorted(candidates, key=lambda c: tree_size(c, most)):
        if candidate is term or tree_size(candidate, most) > most:
            return None
        for rule in ("ring", "field"):
            try:
                return proof.infer(rule, term, candidate)
            except Rejection:
                continue
    return None
