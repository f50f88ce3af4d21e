"""Whole-number terms of degree one: what is decided about indices and their ranges.

An index such as ``t - 1`` or ``2*k + 1`` is read as a linear form over names.  Whether one form is
at most another is decided for all values of the names at once: indices run between two forms, counts
are at least 1.  Nothing is decided about anything else, such as ``t^2``.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from fractions import Fraction

from .terms import Add, Mul, Num, Sym, Term, postorder

__all__ = ["Linear", "as_term", "constant_difference", "lowest", "read"]

#: Gives the value of a leaf that is neither a number nor a name, or None.
Leaf = Callable[[Term], "Linear | None"]


class Linear:
    """A constant and the coefficient of each variable."""

    __slots__ = ("constant", "parts")

    def __init__(
        self, constant: Fraction | int = 0, parts: Mapping[Hashable, Fraction] | None = None
    ) -> None:
        self.constant = Fraction(constant)
        self.parts = {k: v for k, v in (parts or {}).items() if v}

    @classmethod
    def variable(cls, name: Hashable) -> Linear:
        """The form that is this variable."""
        return cls(0, {name: Fraction(1)})

    def __add__(self, other: Linear) -> Linear:
        parts = dict(self.parts)
        for name, value in other.parts.items():
            parts[name] = parts.get(name, Fraction(0)) + value
        return Linear(self.constant + other.constant, parts)

    def __sub__(self, other: Linear) -> Linear:
        return self + other.times(-1)

    def times(self, by: Fraction | int) -> Linear:
        """The form times a number."""
        return Linear(self.constant * by, {k: v * by for k, v in self.parts.items()})

    def put(self, name: Hashable, value: Linear) -> Linear:
        """The form with a variable replaced."""
        parts = dict(self.parts)
        factor = parts.pop(name, Fraction(0))
        return Linear(self.constant, parts) + value.times(factor)

    @property
    def number(self) -> Fraction | None:
        """The value of a form without variables."""
        return None if self.parts else self.constant

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Linear) and (self.constant, self.parts) == (other.constant, other.parts)

    def __hash__(self) -> int:
        return hash((self.constant, frozenset(self.parts.items())))


def read(term: Term, leaf: Leaf | None = None) -> Linear | None:
    """The linear form of a term, or None where it is none.

    Args:
        term: the term; a name in it is a variable under its own name.
        leaf: what any other leaf or application means.
    """
    done: dict[int, Linear | None] = {}
    for node in postorder(term):
        value: Linear | None
        if isinstance(node, Num):
            value = Linear(node.value)
        elif isinstance(node, Sym):
            value = Linear.variable(node.name)
        elif isinstance(node, Add):
            value = _sum(done[id(a)] for a in node.args)
        elif isinstance(node, Mul):
            value = _product([done[id(a)] for a in node.args])
        else:
            value = leaf(node) if leaf is not None else None
        done[id(node)] = value
    return done[id(term)]


def _sum(values: Iterable[Linear | None]) -> Linear | None:
    total = Linear()
    for value in values:
        if value is None:
            return None
        total = total + value
    return total


def _product(values: list[Linear | None]) -> Linear | None:
    whole = Linear(1)
    for value in values:
        if value is None:
            return None
        if whole.number is not None:
            whole = value.times(whole.number)
        elif value.number is not None:
            whole = whole.times(value.number)
        else:
            return None
    return whole


def as_term(form: Linear) -> Term:
    """The form as a term: positive names, the constant, negative names, as ``T - 1 - t``."""
    positive = [_multiple(n, v) for n, v in form.parts.items() if v > 0]
    negative = [_multiple(n, v) for n, v in form.parts.items() if v < 0]
    middle: list[Term] = [Num(form.constant)] if form.constant or not (positive or negative) else []
    args = [*positive, *middle, *negative]
    return args[0] if len(args) == 1 else Add(*args)


def _multiple(name: Hashable, value: Fraction) -> Term:
    leaf = Sym(str(name))
    return leaf if value == 1 else Mul(Num(value), leaf)


def constant_difference(left: Term, right: Term) -> int | None:
    """``left - right`` where that is one whole number, whatever the names mean."""
    forms = read(left), read(right)
    if forms[0] is None or forms[1] is None:
        return None
    number = (forms[0] - forms[1]).number
    return int(number) if number is not None and number.denominator == 1 else None


def lowest(form: Linear, bounds: Mapping[Hashable, tuple[Linear, Linear]], order: list[Hashable]) -> Linear:
    """The least value of a form: indices at the end of their range where it is least.

    Args:
        form: the form.
        bounds: first and last value of each index.
        order: the indices, those whose range may name others first.
    """
    for name in order:
        factor = form.parts.get(name)
        if factor:
            lo, hi = bounds[name]
            form = form.put(name, lo if factor > 0 else hi)
    return form
