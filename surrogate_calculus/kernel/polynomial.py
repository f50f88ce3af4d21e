"""Polynomial arithmetic: whether two terms are the same polynomial in what is not arithmetic.

A term becomes a polynomial with rational coefficients over *atoms*, its monomials carrying integer
exponents of either sign.  An atom is a name, a function at arguments, a Σ, a ⊥ …; two atoms are one
where their constructors agree and their children are the same polynomials, so the comparison is a
congruence.  Besides the laws of commutative rings it knows: ``A * A^-1 = 1`` (which uses the
hypothesis A ≠ 0), ``(A B)^n = A^n B^n`` for integers n, ``exp 0 = 1``, ``log 1 = 0``, ``[i = i] = 1``,
``Σ 0 = 0``, ``∏ 1 = 1``, that partial derivatives commute (what is differentiated here is smooth), and that
``∇θ f(x; θ)`` is the partial derivative of f in the slot of θ where θ occurs nowhere else.  The laws of
Σ, ∏, log and exp are rules.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable
from fractions import Fraction
from math import gcd, lcm

from ..language.budget import charge
from ..language.terms import (
    Add,
    App,
    CondExpect,
    Eval,
    Fn,
    Grad,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
    postorder,
)
from .facts import Facts
from .judgement import Rejection

__all__ = ["Monomial", "Polynomial", "Ring", "multiply_monomials"]

#: Pairs (atom number, exponent ≠ 0), sorted by atom.
Monomial = tuple[tuple[int, int], ...]
#: Whole coefficients are ints, since those are quick.
Coefficient = int | Fraction
Polynomial = dict[Monomial, Coefficient]
#: Of each ∇ above a term, sorted: its parameter, and the numbers of its coordinate.
_Chain = tuple[tuple[str, tuple[int, ...]], ...]

#: An exponent beyond this is left as an atom.
MAX_EXPONENT = 64
#: No comparison may do more than this: what is larger is refused, never half done.  A monomial that is added,
#: a chain of sums being copied at each node, and a ∇ that is looked at count 1.
MAX_WORK = 4_000_000
#: And a product of two monomials counts this.
PRODUCT = 133
#: Nor meet a number of more binary digits.
MAX_BITS = 50_000


def coefficient(value: Coefficient) -> Coefficient:
    """The value, as an int if it is whole."""
    return value.numerator if value.denominator == 1 else value


def raised(value: Coefficient, exponent: int) -> Coefficient:
    """``value ** exponent``.

    Raises:
        Rejection: a number of more than MAX_BITS binary digits.
    """
    if _bits(value) * abs(exponent) > MAX_BITS:
        raise Rejection("a number is too large")
    return coefficient(Fraction(value) ** exponent)


def _bits(value: Coefficient) -> int:
    return value.numerator.bit_length() + value.denominator.bit_length()


def _content(polynomial: Polynomial) -> Fraction:
    """The number, > 0, that leaves whole coefficients without a common divisor when they are divided by it.

    Raises:
        Rejection: it has more than MAX_BITS binary digits.
    """
    numerator, denominator = 0, 1
    for c in polynomial.values():
        numerator, denominator = gcd(numerator, c.numerator), lcm(denominator, c.denominator)
        if denominator.bit_length() > MAX_BITS:
            raise Rejection("a number is too large")
    return Fraction(numerator, denominator)


def multiply_monomials(a: Monomial, b: Monomial, cancelled: set[int]) -> Monomial:
    """The product; atoms whose exponents of opposite sign met are added to ``cancelled``."""
    if not a or not b:
        return a or b
    if a[-1][0] < b[0][0]:
        return a + b
    if b[-1][0] < a[0][0]:
        return b + a
    powers = dict(a)
    for atom, exponent in b:
        before = powers.get(atom, 0)
        if before * exponent < 0:
            cancelled.add(atom)
        powers[atom] = before + exponent
    return tuple(sorted(item for item in powers.items() if item[1]))


def collected(terms: Iterable[tuple[Monomial, Coefficient]], first: Polynomial) -> Polynomial:
    """The sum of a polynomial and terms.

    Raises:
        Rejection: a number of more than MAX_BITS binary digits.
    """
    out = dict(first)
    for mono, c in terms:
        out[mono] = value = out.get(mono, 0) + c
        if not value:
            del out[mono]
        elif value.__class__ is not int and _bits(value) > MAX_BITS:  # a sum of fractions grows with each
            raise Rejection("a number is too large")
    return out


class Ring:
    """One table of atoms; polynomials made by the same ring can be compared.

    Args:
        facts: collects the ``nonzero`` conditions that cancellations use.
        hidden: the names that stand in the body of a defined name.
    """

    def __init__(self, facts: Facts, hidden: Callable[[str], Collection[str]] = lambda name: ()) -> None:
        self._facts = facts
        self._hidden = hidden
        self._numbers: dict[Hashable, int] = {}
        self._atoms: list[Term] = []
        self._sums: dict[int, Polynomial] = {}  # atoms that stand for 1/(a sum), and the sum
        self._keys: dict[frozenset[tuple[Monomial, Coefficient]], int] = {}
        self._memo: dict[int, Polynomial] = {}
        self._chains: dict[int, tuple[Term, _Chain]] = {}  # of a ∇: what stands below all ∇, and these
        self._roots: list[Term] = []  # kept, since what is remembered is so by the id
        self._work = 0

    # arithmetic
    def multiply(self, a: Polynomial, b: Polynomial) -> Polynomial:
        """The product, expanded.

        Raises:
            Rejection: the ring has done more than MAX_WORK, or a number is too large.
        """
        self._charge(PRODUCT * len(a) * len(b))
        cancelled: set[int] = set()
        pairs = ((m, n, c * e) for m, c in a.items() for n, e in b.items())
        out = collected(((multiply_monomials(m, n, cancelled), value) for m, n, value in pairs), {})
        for number in cancelled:
            self._facts.require("nonzero", self._atoms[number])
        if any(c.__class__ is int and c.bit_length() > MAX_BITS for c in out.values()):
            raise Rejection("a number is too large")
        return out

    @staticmethod
    def plus(a: Polynomial, *others: Polynomial, scale: Coefficient = 1) -> Polynomial:
        """``a + scale * (b + c + …)``."""
        return collected(((mono, scale * c) for b in others for mono, c in b.items()), a)

    def _charge(self, amount: int) -> None:
        self._work += amount
        charge(amount / 16)
        if self._work > MAX_WORK:
            raise Rejection("the polynomial is too large to expand")

    def power(self, base: Polynomial, exponent: int, term: Term) -> Polynomial:
        """``base ** exponent``, the exponent not 0; ``term`` is a term for the base.

        Raises:
            Rejection: 0 to a negative power, or too large to expand.
        """
        if exponent < 0 and not base:
            raise Rejection("a division by zero")
        if exponent < 0:
            self._facts.require("nonzero", term)
        if len(base) == 1:
            ((mono, c),) = base.items()
            return {tuple((a, e * exponent) for a, e in mono): raised(c, exponent)}
        return self._reciprocal(base, -exponent, term) if exponent < 0 else self._expanded(base, exponent)

    def _expanded(self, base: Polynomial, exponent: int) -> Polynomial:
        out: Polynomial = {(): 1}
        for _ in range(exponent):
            out = self.multiply(out, base)
        return out

    def _reciprocal(self, base: Polynomial, exponent: int, term: Term) -> Polynomial:
        """``base ** -exponent`` for a sum: its common factor, times an atom for what is left, made primitive.

        That is, with whole coefficients that have no common divisor, the leading one positive.
        """
        common = dict(next(iter(base)))
        for mono in base:
            powers = dict(mono)
            common = {a: min(e, powers[a]) for a, e in common.items() if a in powers}
        outer = tuple(sorted((a, -e) for a, e in common.items()))
        rest = {multiply_monomials(mono, outer, set()): c for mono, c in base.items()} if outer else base
        content = _content(rest) * (1 if rest[min(rest)] > 0 else -1)
        primitive = {mono: coefficient(c / content) for mono, c in rest.items()}
        number = self._number(("sum", self._key(primitive)), term)
        self._sums[number] = primitive
        factor = tuple((a, e * exponent) for a, e in outer)
        return {multiply_monomials(factor, ((number, -exponent),), set()): raised(content, -exponent)}

    # reading terms
    def read(self, root: Term) -> Polynomial:
        """The polynomial of a term; iterative, each shared node once.

        Raises:
            Rejection: a division by zero, or too large to expand.
        """
        if id(root) in self._memo:
            return self._memo[id(root)]
        self._roots.append(root)
        for node in postorder(root):
            if id(node) not in self._memo:
                charge(4)
                self._memo[id(node)] = self._read(node, [self._memo[id(a)] for a in node.args])
        return self._memo[id(root)]

    def _read(self, node: Term, args: list[Polynomial]) -> Polynomial:
        cls = node.__class__
        if cls is Num:
            return {(): coefficient(node.key)} if node.key else {}
        if cls is Add:
            self._charge(sum(map(len, args)))
            return self.plus(*args)
        if cls is Mul:
            product = args[0]
            for arg in args[1:]:
                product = self.multiply(product, arg)
            return product
        if cls is Pow:
            exponent = args[1]
            if not exponent:
                return {(): 1}
            if args[0] == {(): 1}:
                return args[0]
            n = exponent[()] if list(exponent) == [()] else Fraction(1, 2)
            if n.denominator == 1 and abs(n.numerator) <= MAX_EXPONENT:
                return self.power(args[0], n.numerator, node.args[0])
        elif cls is Fn:
            if node.key == "exp" and not args[0]:
                return {(): 1}
            if node.key == "log" and args[0] == {(): 1}:
                return {}
            if node.key == "eq" and args[0] == args[1]:
                return {(): 1}
        elif cls in (Stop, Eval) and all(mono == () for mono in args[0]):
            return args[0]
        elif cls is Sum and not args[2]:
            return {}
        elif cls is Prod and args[2] == {(): 1}:
            return args[2]
        if cls is Grad or cls is App:
            return {((self._differentiated(node), 1),): 1}
        keys = tuple(self._key(a) for a in args)
        return {((self._number((node.tag, node.key, keys), node), 1),): 1}

    def _differentiated(self, node: Term) -> int:
        """The atom of a chain of ∇ or partial derivatives: their order does not count."""
        core: Term = node
        chain: _Chain = ()
        if node.__class__ is Grad:
            core, chain = self._chains.get(id(node.args[0]), (node.args[0], ()))
            chain = tuple(sorted((*chain, (node.key, self._keys_of(node.args[1:])))))
            self._chains[id(node)] = core, chain
        self._charge(len(chain))
        direct = {param: self._direct_slot(core, param) for param in dict(chain)}
        if not isinstance(core, App) or None in direct.values():
            return self._number(("grad", chain, self._keys_of([core])), node)
        partials = [(slot, self._keys_of(() if c is None else [c])) for slot, c in core.partials]
        more = [(direct[param] or 0, coordinate) for param, coordinate in chain]
        return self._number(
            ("app", core.key[:4], self._keys_of(core.slots), tuple(sorted(partials + more))), node
        )

    def _keys_of(self, terms: Iterable[Term]) -> tuple[int, ...]:
        return tuple(self._key(self._memo[id(term)]) for term in terms)

    def _number(self, key: Hashable, node: Term) -> int:
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self._atoms)
            self._atoms.append(node)
        return found

    def _key(self, polynomial: Polynomial) -> int:
        """A number for a polynomial: equal polynomials have equal numbers."""
        return self._keys.setdefault(frozenset(polynomial.items()), len(self._keys))

    # comparing
    def difference(self, a: Term, b: Term) -> Polynomial:
        """``a - b`` as a polynomial; empty exactly when ring arithmetic makes them equal."""
        return self.plus(self.read(a), self.read(b), scale=-1)

    def vanishes(self, difference: Polynomial) -> bool:
        """Whether a polynomial is 0 once its denominators are multiplied out (they are not 0)."""
        for _ in range(MAX_EXPONENT):
            sums = {number for mono in difference for number, _ in mono if number in self._sums}
            if not sums:
                break
            # the newest first: an older denominator may stand inside its sum, never the other way
            number = max(sums)
            content = _content(difference)
            groups: dict[int, Polynomial] = {}
            for mono, c in difference.items():
                powers = dict(mono)
                group = groups.setdefault(powers.pop(number, 0), {})
                group[tuple(powers.items())] = coefficient(c / content)
            lowest = min(groups)
            parts = (
                self.multiply(group, self._expanded(self._sums[number], exponent - lowest))
                for exponent, group in groups.items()
            )
            difference = self.plus({}, *parts)
        return not difference

    def _direct_slot(self, app: Term, param: str) -> int | None:
        """The slot (from 1) that holds the parameter itself, if it occurs there and nowhere else."""
        if not isinstance(app, App):
            return None
        where = [k for k, slot in enumerate(app.slots) if slot.__class__ is Sym and slot.key == param]
        others = postorder(*(a for k, a in enumerate(app.args) if k not in where))
        names = {n.key for n in others if n.__class__ in (Sym, Indexed)}
        hidden = names.union(*map(self._hidden, names))
        averaged = "𝔼" in hidden or any(
            n.__class__ is CondExpect for n in others
        )  # depends on every parameter
        return where[0] + 1 if len(where) == 1 and param not in hidden and not averaged else None
