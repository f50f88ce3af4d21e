"""Concrete functions for opaque names: polynomials with rational coefficients, and densities made of them.

A polynomial's partial derivatives are formal, so they know nothing of the calculus's rules, and its
values at rational points are exact.  Being of degree 4 or more, its derivatives to the order 4 do not
vanish.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import product
from math import factorial, lcm, perm, prod
from typing import Any, Protocol

from ..errors import EvaluationError
from .series import Number

__all__ = ["FiniteDensity", "Function", "Polynomial", "random_density", "random_function"]


class Function(Protocol):
    """What stands for an opaque function or density in the model."""

    def derivatives(
        self, slots: Sequence[Number | tuple[Number, ...]], orders: Sequence[tuple[int, ...]]
    ) -> list[Number]:
        """Partial derivatives at a point.

        Args:
            slots: the values of the slots, in order; a tuple where a slot holds a vector.
            orders: for each derivative wanted, how often it is taken in each coordinate of each slot,
                the slots laid end to end.
        """
        ...


class Polynomial:
    """A polynomial in the coordinates of its slots, laid end to end.

    Args:
        layout: for each slot its number of coordinates, or None for a scalar.
        coefficients: from exponents (one per coordinate) to coefficients.
    """

    def __init__(
        self, layout: Sequence[int | None], coefficients: Mapping[tuple[int, ...], Fraction | int]
    ) -> None:
        self.layout = tuple(layout)
        self.coefficients = {m: Fraction(c) for m, c in coefficients.items() if c}
        width = sum(1 if size is None else size for size in self.layout)
        if any(len(m) != width for m in self.coefficients):
            raise ValueError(f"a monomial has {width} exponents")
        # What is evaluated: whole coefficients, over one divisor.
        self._divisor = lcm(*(c.denominator for c in self.coefficients.values()))
        self._whole = [(m, int(c * self._divisor)) for m, c in self.coefficients.items()]
        self._degrees = [max((m[i] for m in self.coefficients), default=0) for i in range(width)]

    def derivatives(
        self, slots: Sequence[Number | tuple[Number, ...]], orders: Sequence[tuple[int, ...]]
    ) -> list[Number]:
        """Partial derivatives at a point; see :meth:`Function.derivatives`.

        Raises:
            EvaluationError: slots that do not fit the layout.
        """
        flat = self._flat(slots)
        if all(x.__class__ is Fraction for x in flat):
            return self._exact(flat, orders)
        # Integers may meet a real of mpmath, Fractions may not.
        one: Any = 0 * flat[0] + 1
        powers: list[list[Any]] = []
        for x, degree in zip(flat, self._degrees, strict=True):
            row = [one]
            for _ in range(degree):
                row.append(row[-1] * x)
            powers.append(row)
        return [self._total(powers, order, one) / self._divisor for order in orders]

    def _exact(self, flat: Sequence[Any], orders: Sequence[tuple[int, ...]]) -> list[Number]:
        """At a rational point: x^k is p^k q^(n-k) over q^n, n the degree in x, so that all sums are whole."""
        powers: list[list[int]] = []
        divisor = self._divisor
        for x, degree in zip(flat, self._degrees, strict=True):
            p, q = x.numerator, x.denominator
            powers.append([p**k * q ** (degree - k) for k in range(degree + 1)])
            divisor *= q**degree
        return [Fraction(self._total(powers, order, 1), divisor) for order in orders]

    def _total(self, powers: list[list[Any]], order: tuple[int, ...], one: Any) -> Any:
        """A derivative times the divisor, from a row of powers for each coordinate."""
        total = 0 * one
        for exponents, c in self._whole:
            factor, value = c, one
            for row, m, k in zip(powers, exponents, order, strict=True):
                if k:
                    factor *= perm(m, k)
                    if not factor:
                        break
                value = value * row[m - k]
            if factor:
                total += value * factor
        return total

    def _flat(self, slots: Sequence[Number | tuple[Number, ...]]) -> list[Number]:
        sizes = tuple(len(x) if isinstance(x, tuple) else None for x in slots)
        if sizes != self.layout:
            raise EvaluationError(
                f"a function with slots of sizes {self.layout} is applied to slots of sizes {sizes} "
                "(None is a scalar)"
            )
        flat: list[Number] = []
        for x in slots:
            flat.extend(x if isinstance(x, tuple) else (x,))
        return flat

    def __call__(self, *slots: Any) -> Any:
        """The value on floats, tensors or whatever else has + and *; vectors have coordinates last."""
        flat: list[Any] = []
        for x, size in zip(slots, self.layout, strict=True):
            flat.extend([x] if size is None else (x[..., k] for k in range(size)))
        total: Any = 0.0
        for x in flat:
            total = total + 0.0 * x  # every slot takes part in the shape and in the graph
        for exponents, c in self.coefficients.items():
            term: Any = float(c)
            for x, m in zip(flat, exponents, strict=True):
                for _ in range(m):
                    term = term * x
            total = total + term
        return total

    def __repr__(self) -> str:
        return f"Polynomial({self.layout}, {self.coefficients})"

    def __str__(self) -> str:
        """As a formula in u1, u2, …: the coordinates of the slots, in their order."""
        out = ""
        for exponents, c in self.coefficients.items():
            powers = [f"u{i}" if m == 1 else f"u{i}^{m}" for i, m in enumerate(exponents, 1) if m]
            if abs(c) != 1 or not powers:
                powers.insert(0, str(abs(c)))
            sign = ("-" if c < 0 else "") if not out else (" - " if c < 0 else " + ")
            out += sign + "*".join(powers)
        return out or "0"


class FiniteDensity:
    """A density of finitely many values: a polynomial over its sum, ``P(x, z; θ) / Σ_x P(x, z; θ)``.

    The sum is over all values of all arguments, so that it sums to one in what stands left of ``|``
    for any condition and parameters.

    Args:
        weight: a polynomial, positive at every value; its first slots are the arguments, scalars.
        supports: for each argument the values that it may have.
    """

    def __init__(self, weight: Polynomial, supports: Sequence[Sequence[int | Fraction]]) -> None:
        if not supports or any(size is not None for size in weight.layout[: len(supports)]):
            raise ValueError("a density has one or more arguments, which are scalars")
        self.weight = weight
        self.supports = tuple(tuple(map(Fraction, support)) for support in supports)

    def derivatives(
        self, slots: Sequence[Number | tuple[Number, ...]], orders: Sequence[tuple[int, ...]]
    ) -> list[Number]:
        """Partial derivatives at a point; see :meth:`Function.derivatives`.

        Raises:
            EvaluationError: slots that do not fit, weights that sum to 0.
        """
        below = sorted({b for order in orders for b in product(*(range(k + 1) for k in order))})
        count = len(self.supports)
        quiet = [b for b in below if not any(b[:count])]  # the sum does not depend on the arguments
        above = dict(zip(below, self.weight.derivatives(slots, below), strict=True))
        total: dict[tuple[int, ...], Any] = {}
        one = 0 * slots[0] + 1  # type: ignore[operator]
        for values in product(*self.supports):
            at = [one * x.numerator / x.denominator for x in values]
            for b, d in zip(quiet, self.weight.derivatives([*at, *slots[count:]], quiet), strict=True):
                total[b] = total.get(b, 0) + d
        zero = (0,) * len(below[0]) if below else ()
        if below and not total[zero]:
            raise EvaluationError("the weights of a density sum to 0")
        # Taylor coefficients of the quotient q: those of q·Σ are those of P.
        found: dict[tuple[int, ...], Any] = {}
        for b in below:
            rest = above[b] / _factorials(b)
            for c in quiet:
                if c != zero and all(i <= j for i, j in zip(c, b, strict=True)):
                    less = tuple(j - i for i, j in zip(c, b, strict=True))
                    rest = rest - total[c] / _factorials(c) * found[less]
            found[b] = rest / total[zero]
        return [found[order] * _factorials(order) for order in orders]

    def __repr__(self) -> str:
        return f"FiniteDensity({self.weight!r}, {self.supports})"

    def __str__(self) -> str:
        """As its weight and the values that it sums over."""
        values = "; ".join(", ".join(map(str, support)) for support in self.supports)
        return f"{self.weight}, over its sum at {values}"


def _factorials(order: tuple[int, ...]) -> int:
    return prod(map(factorial, order))


def random_density(
    rng: random.Random, layout: Sequence[int | None], supports: Sequence[Sequence[int | Fraction]]
) -> FiniteDensity:
    """A random density with these values of its arguments, the first slots; positive everywhere."""
    return FiniteDensity(random_function(rng, layout, positive=True), supports)


def random_function(
    rng: random.Random, layout: Sequence[int | None], *, positive: bool = False
) -> Polynomial:
    """A random polynomial with small coefficients, of degree 4 or 5 in each coordinate.

    Args:
        rng: the source of randomness.
        layout: for each slot its number of coordinates, or None for a scalar.
        positive: at least 1/2 everywhere, as a density must be in a denominator or under a log.
    """
    width = sum(1 if size is None else size for size in layout)
    if not positive:
        return Polynomial(layout, _random_polynomial(rng, width, (1, 2, 3, 4, 5)))
    root = _random_polynomial(rng, width, (1, 2))
    out: dict[tuple[int, ...], Fraction] = {(0,) * width: Fraction(rng.randint(1, 4), 2)}
    for m, c in root.items():
        for n, d in root.items():
            k = tuple(a + b for a, b in zip(m, n, strict=True))
            out[k] = out.get(k, Fraction(0)) + c * d
    return Polynomial(layout, out)


def _random_polynomial(
    rng: random.Random, width: int, degrees: tuple[int, ...]
) -> dict[tuple[int, ...], Fraction]:
    out = {(0,) * width: Fraction(rng.randint(-3, 3), 2)}
    for i in range(width):
        for degree in degrees:
            if degree == degrees[-1] or rng.random() < 0.5:
                c = rng.choice((-2, -1, 1, 2))
                monomial = tuple(degree if j == i else 0 for j in range(width))
                out[monomial] = Fraction(c, 2 * degree)
    for _ in range(width if width > 1 else 0):
        monomial = tuple(
            rng.choice((0, 1, 1, 2)) if degrees[-1] > 2 else rng.choice((0, 1)) for _ in range(width)
        )
        out[monomial] = out.get(monomial, Fraction(0)) + Fraction(rng.choice((-1, 1)), 3)
    return out
