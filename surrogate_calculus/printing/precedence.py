"""The one table of precedence, and the sugar of sums and products that every printer undoes.

How a printer uses it.  A term has a :func:`level`, the looseness of its outermost operator as it
is written; a place in the output has a least level that may stand there bare.  A printer puts
parentheses around a term exactly where ``level(term) < place``:

======================================  ======================================================
place                                   least level
======================================  ======================================================
inside brackets, the whole text         ``Level.SUM``
first summand of a sum                  ``Level.NEGATIVE``
later summand (behind ``+`` or ``-``)   ``Level.PRODUCT``
factor (behind ``*`` or ``/``)          ``Level.PREFIX``
operand of a prefix (``∇θ``, ``log``)   ``Level.PREFIX``, and its text must not begin with ``(``
exponent                                ``Level.POWER`` (a leading minus may stand bare: ``2^-x``)
base of a power, body of an accent      ``Level.ATOM``
======================================  ======================================================

Call forms such as ``log(x)``, ``⊥(x)``, ``∇θ(x)`` or ``Σ[i=1..N](x)`` are atoms; a printer that
chooses a prefix form instead, ``log x``, writes something of ``Level.PREFIX``.

A summand or product is taken apart with :func:`signed`, which finds the minus sign, and then each
factor with :func:`denominator`, which finds what stands under a fraction bar.
"""

from __future__ import annotations

from enum import IntEnum

from ..language.terms import Add, Mul, Num, Pow, Term

__all__ = ["Level", "denominator", "level", "signed"]


class Level(IntEnum):
    """Looseness of an operator, loosest first."""

    SUM = 1  # a + b - c
    NEGATIVE = 2  # -a*b
    PRODUCT = 3  # a*b/c, 2/3
    PREFIX = 4  # ∇θ f(x), log x
    POWER = 5  # a^b
    ATOM = 6  # names, numbers, calls, brackets


def level(term: Term) -> Level:
    """Level at which the term is written, calls and gradients in their bracketed form."""
    if isinstance(term, Add):
        return Level.SUM
    if isinstance(term, Num):
        if term.value < 0:
            return Level.NEGATIVE
        return Level.ATOM if term.value.denominator == 1 else Level.PRODUCT
    if isinstance(term, Mul):
        head = term.args[0]
        return Level.NEGATIVE if isinstance(head, Num) and head.value < 0 else Level.PRODUCT
    if isinstance(term, Pow):
        return Level.POWER if denominator(term) is None else Level.PRODUCT
    return Level.ATOM


def signed(term: Term) -> tuple[bool, tuple[Term, ...]]:
    """(whether a minus sign leads, the factors behind it), inverse to the parser's unary minus.

    ``-x*y`` gives (True, (x, y)); ``-2*x`` gives (True, (2, x)); ``-(x*y)`` gives (True, (x*y,));
    what is no product is its own only factor.
    """
    if isinstance(term, Num):
        return (True, (Num(-term.value),)) if term.value < 0 else (False, (term,))
    if not isinstance(term, Mul):
        return False, (term,)
    head, rest = term.args[0], term.args[1:]
    if not isinstance(head, Num) or head.value >= 0:
        return False, term.args
    if head.value == -1 and not isinstance(rest[0], Num):
        return True, rest
    return True, (Num(-head.value), *rest)


def denominator(factor: Term) -> Term | None:
    """``b`` where the factor is ``1/b``: a power -1 of anything but a number, or the number 1/n."""
    if isinstance(factor, Pow):
        base, exponent = factor.args
        if isinstance(exponent, Num) and exponent.value == -1 and not isinstance(base, Num):
            return base
    elif isinstance(factor, Num) and factor.value.numerator == 1 and factor.value.denominator > 1:
        return Num(factor.value.denominator)
    return None
