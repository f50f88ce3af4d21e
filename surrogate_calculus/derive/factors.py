"""Products as factors with exponents: what they share, what is left of them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd, lcm

from ..language.binding import uses_index
from ..language.terms import HAS_AXIS, App, Axis, Bound, Fn, Grad, Indexed, Sym, Term, postorder

__all__ = [
    "Factors",
    "common_number",
    "content",
    "dependent",
    "derivative_order",
    "divided",
    "first_axis",
    "joined",
    "kind_of",
    "shared",
    "without",
]

#: A product: factors with whole exponents.
Factors = dict[Term, int]


def without(factors: Factors, one: Term) -> Factors:
    """A product without one of its factors."""
    return {f: e for f, e in factors.items() if f is not one}


def shared(products: Sequence[Factors]) -> Factors:
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


def divided(factors: Factors, by: Factors) -> Factors:
    """A quotient of products."""
    return {f: e - by.get(f, 0) for f, e in factors.items() if e != by.get(f, 0)}


def joined(a: Factors, b: Factors) -> Factors:
    """The product of two products."""
    out = dict(a)
    for f, e in b.items():
        out[f] = out.get(f, 0) + e
    return out


def dependent(factors: Factors, depth: int) -> Factors:
    """The factors that use one of the innermost ``depth`` indices."""
    return {f: e for f, e in factors.items() if any(uses_index(f, k) for k in range(depth))}


def common_number(numbers: Sequence[Fraction]) -> Fraction:
    """What is taken out of a sum: negative where all its terms are."""
    return abs(content(numbers)) * (1 if any(n > 0 for n in numbers) else -1)


def content(numbers: Sequence[Fraction]) -> Fraction:
    """What leaves whole numbers without a common divisor, the first of them positive."""
    top = gcd(*(n.numerator for n in numbers))
    bottom = lcm(*(n.denominator for n in numbers))
    return Fraction(top, bottom) * (-1 if numbers[0] < 0 else 1)


def derivative_order(term: Term) -> tuple[bool, int]:
    """Whether a derivative is that of a log, and of which order."""
    order, core = 0, term
    while core.__class__ is Grad:
        order += 1
        core = core.args[0]
    if isinstance(core, App):
        order += len(core.key[4])
    return order > 0 and core.__class__ is Fn and core.key == "log", order


def first_axis(term: Term) -> int:
    """The first open axis of a term; 0 without any."""
    if not term.flags & HAS_AXIS:
        return 0
    return min(n.key for n in postorder(term) if n.__class__ is Axis)


def kind_of(term: Term) -> int:
    """Names, then families, then functions, then the rest."""
    places = {Sym: 1, Bound: 1, Indexed: 2, App: 3, Fn: 4}
    inner = term.args[0] if term.tag == "eval" else term
    return places.get(inner.__class__, 5)
