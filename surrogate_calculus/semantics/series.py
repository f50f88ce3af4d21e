"""Truncated multivariate Taylor series with exact coefficients.

A series is a sparse dictionary from packed monomials to coefficients, zero coefficients absent.
Each differentiated parameter (or coordinate of one) is a *variable* number n = 0, 1, …; the
displacement δ of its live copy has its exponent in byte 2n of the monomial, the displacement ε of
its stopped copy in byte 2n + 1, so that the product of two monomials is the sum of two integers.

Which monomials are kept is a :class:`Demand`.  Demands are downward closed, so that what is dropped
never comes back and every kept coefficient is exact.

Coefficients are Fractions until a transcendental function is met at a generic point; from there on
they are mpmath reals of a private context.  A series may hold both: ``log E`` at a rational point has
an irrational value and rational derivatives.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import comb, factorial, isqrt
from typing import Any

from ..errors import EvaluationError

__all__ = ["Arithmetic", "Demand", "Demands", "Number", "Series", "UndefinedAt"]

#: A Fraction, or a real number of mpmath.
Number = Any
#: From packed monomials to non-zero coefficients.
Series = dict[int, Number]

#: No demand goes beyond this many nested derivatives in one parameter: exponents live in bytes.
MAX_DEGREE = 120

#: Exact powers longer than this become real numbers.
MAX_BITS = 10**6
#: Beyond this exp and the periodic functions would need more digits than there are.
MAX_ARGUMENT = 10**9

ZERO = Fraction(0)
ONE = Fraction(1)
HALF = Fraction(1, 2)


class UndefinedAt(EvaluationError):
    """A point at which an expression has a value but no meaning as a smooth function: a kink."""


class Demand:
    """Which monomials of a series are needed: a downward closed set.

    ``entries`` are tuples (variable, d, e, t): the exponents a of δ and b of ε of this variable with
    a ≤ d, b ≤ e and a + b ≤ t.  Demands are interned by their :class:`Demands` and compared by ``is``.

    Attributes:
        entries: one per variable, sorted; a variable that is absent has exponents 0.
        allowed: the packed monomials.
        degree: the largest total degree of these.
        names: bit set of the parameters that the variables belong to.
    """

    __slots__ = ("_restricted", "_table", "allowed", "degree", "entries", "names")

    def __init__(self, entries: tuple[tuple[int, int, int, int], ...], table: Demands) -> None:
        monomials = [0]
        names = degree = 0
        for variable, d, e, t in entries:
            low, high = 16 * variable, 16 * variable + 8
            monomials = [
                m + (a << low) + (b << high)
                for m in monomials
                for a in range(d + 1)
                for b in range(min(e, t - a) + 1)
            ]
            degree += t
            names |= 1 << table.owner[variable]
        self.entries = entries
        self.allowed = frozenset(monomials)
        self.degree = degree
        self.names = names
        self._table = table
        self._restricted: dict[int, Demand] = {}

    def restricted(self, names: int) -> Demand:
        """The demand on an expression in which only these parameters occur (a bit set)."""
        if not self.names & ~names:
            return self
        found = self._restricted.get(names)
        if found is None:
            owner = self._table.owner
            found = self._table.of(entry for entry in self.entries if names >> owner[entry[0]] & 1)
            self._restricted[names] = found
        return found

    def under_grad(self, variable: int) -> Demand:
        """The demand on E where this is the demand on ∇E."""
        found = next((entry for entry in self.entries if entry[0] == variable), (variable, 0, 0, 0))
        _, d, e, t = found
        if t >= MAX_DEGREE:
            raise EvaluationError(f"more than {MAX_DEGREE} nested derivatives in one parameter")
        others = (entry for entry in self.entries if entry[0] != variable)
        return self._table.of((*others, (variable, d + 1, e, t + 1)))

    def under_stop(self) -> Demand:
        """The demand on E where this is the demand on ⊥E: both copies become the stopped one."""
        return self._table.of((variable, e, e, e) for variable, _, e, _ in self.entries)

    def under_eval(self) -> Demand:
        """The demand on E where this is the demand on →E: both copies become the live one."""
        return self._table.of((variable, d, d, d) for variable, d, _, _ in self.entries)


class Demands:
    """The table that interns demands and numbers the variables.

    Args:
        names: the parameters that are differentiated.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.bits = {name: bit for bit, name in enumerate(sorted(names))}
        self.owner: list[int] = []
        self.variables: dict[tuple[str, int | None], int] = {}
        self._interned: dict[tuple[tuple[int, int, int, int], ...], Demand] = {}
        self.nothing = self.of(())

    def variable(self, name: str, coordinate: int | None) -> int:
        """The number of a parameter, or of a coordinate of one."""
        found = self.variables.setdefault((name, coordinate), len(self.owner))
        if found == len(self.owner):
            self.owner.append(self.bits[name])
        return found

    def of(self, entries: Iterable[tuple[int, int, int, int]]) -> Demand:
        """The one demand with these entries."""
        normal = []
        for variable, d, e, t in entries:
            d, e = min(d, t), min(e, t)
            if d or e:
                normal.append((variable, d, e, min(t, d + e)))
        key = tuple(sorted(normal))
        found = self._interned.get(key)
        if found is None:
            found = self._interned[key] = Demand(key, self)
        return found


# The two copies.


def partial(series: Series, variable: int) -> Series:
    """∂/∂δ of the variable."""
    shift = 16 * variable
    unit = 1 << shift
    return {m - unit: c * (m >> shift & 255) for m, c in series.items() if m >> shift & 255}


def merge_copies(series: Series, variables: int, stopped: bool, arithmetic: Arithmetic) -> Series:
    """Both copies of every variable become the stopped one (δ → ε), or both the live one (ε → δ)."""
    out: Series = {}
    for monomial, c in series.items():
        target = 0
        for shift in range(0, 16 * variables, 16):
            both = (monomial >> shift & 255) + (monomial >> shift + 8 & 255)
            target += both << (shift + 8 if stopped else shift)
        arithmetic.accumulate(out, target, c)
    return out


@lru_cache(maxsize=8)
def _context(digits: int) -> Any:
    import mpmath

    context = mpmath.mp.clone()
    context.dps = digits
    return context


class Arithmetic:
    """Numbers and series over them, at a working precision of ``digits`` decimals."""

    def __init__(self, digits: int = 50) -> None:
        self.digits = digits

    @property
    def context(self) -> Any:
        """The mpmath context of the inexact numbers; made when first needed."""
        return _context(self.digits)

    def real(self, x: Number) -> Any:
        """A number as a real of mpmath."""
        if x.__class__ is Fraction:
            return self.context.mpf(x.numerator) / x.denominator
        return self.context.mpf(x)

    def plus(self, x: Number, y: Number) -> Number:
        """x + y; never through a float."""
        return x + y if x.__class__ is y.__class__ else self.real(x) + self.real(y)

    def times(self, x: Number, y: Number) -> Number:
        """x · y; never through a float, and exactly 0 where a factor is the exact 0."""
        if x.__class__ is y.__class__:
            return x * y
        if (x.__class__ is Fraction and not x) or (y.__class__ is Fraction and not y):
            return ZERO
        return self.real(x) * self.real(y)

    def compare(self, x: Number, y: Number) -> int:
        """-1, 0 or 1; reals that agree to all but the last 12 digits count as equal."""
        if x.__class__ is Fraction and y.__class__ is Fraction:
            return (x > y) - (x < y)
        x, y = self.real(x), self.real(y)
        if abs(x - y) <= self.context.mpf(10) ** (12 - self.digits) * max(abs(x), abs(y)):
            return 0
        return 1 if x > y else -1

    def accumulate(self, out: Series, monomial: int, c: Number) -> None:
        """Add a coefficient to one of a series."""
        old = out.get(monomial)
        if old is not None:
            c = self.plus(old, c)
        if c:
            out[monomial] = c
        elif old is not None:
            del out[monomial]

    # Series.

    def constant(self, c: Number) -> Series:
        """The constant series."""
        return {0: c} if c else {}

    def add(self, terms: Iterable[Series]) -> Series:
        """The sum of any number of series."""
        out: Series = {}
        for term in terms:
            if out:
                for monomial, c in term.items():
                    self.accumulate(out, monomial, c)
            else:
                out = dict(term)
        return out

    def scale(self, c: Number, series: Series) -> Series:
        """A multiple of a series."""
        return {m: self.times(c, x) for m, x in series.items()} if c else {}

    def multiply(self, a: Series, b: Series, allowed: frozenset[int]) -> Series:
        """The product, truncated."""
        if len(a) > len(b):
            a, b = b, a
        out: Series = {}
        terms = b.items()
        for m, x in a.items():
            for n, y in terms:
                k = m + n
                if k in allowed:
                    z = x * y if x.__class__ is y.__class__ else self.real(x) * self.real(y)
                    old = out.get(k)
                    out[k] = z if old is None else self.plus(old, z)
        return {k: z for k, z in out.items() if z}

    def compose(self, taylor: Sequence[Number], series: Series, allowed: frozenset[int]) -> Series:
        """Σₖ taylor[k] sᵏ, where s is the series without its constant term."""
        displaced = {m: c for m, c in series.items() if m}
        out = self.constant(taylor[0])
        power = displaced
        for k in range(1, len(taylor)):
            if not power:
                break
            for m, c in power.items():
                self.accumulate(out, m, self.times(taylor[k], c))
            if k + 1 < len(taylor):
                power = self.multiply(power, displaced, allowed)
        return out

    # Taylor coefficients f⁽ᵏ⁾(a)/k!, k = 0 … n.

    def power(self, a: Number, exponent: Fraction, n: int) -> list[Number]:
        """Those of x^exponent at a.

        Raises:
            EvaluationError: a negative power of 0, a fractional power of what is not positive.
        """
        if exponent.denominator == 1:
            whole = exponent.numerator
            if a.__class__ is Fraction and abs(whole) * (a.numerator * a.denominator).bit_length() > MAX_BITS:
                a = self.real(a)
            if whole >= 0:
                return [comb(whole, k) * a ** (whole - k) for k in range(min(n, whole) + 1)]
            if not a:
                raise EvaluationError("a division by zero")
            first = a**whole
        else:
            if a <= 0:
                raise EvaluationError(f"the power {exponent} of {_show(a)}, which is not positive")
            first = self._root(a, exponent)
        out = [first]
        for k in range(n):
            out.append(self.times(out[-1], self.times((exponent - k) / (k + 1), 1 / a)))
        return out

    def _root(self, a: Number, exponent: Fraction) -> Number:
        if a.__class__ is Fraction and exponent.denominator == 2:
            top, bottom = isqrt(a.numerator), isqrt(a.denominator)
            if top * top == a.numerator and bottom * bottom == a.denominator:
                return Fraction(top, bottom) ** exponent.numerator
        return self.real(a) ** self.real(exponent)

    def function(self, op: str, a: Number, n: int) -> list[Number]:
        """Those of a smooth built-in function at a.

        Raises:
            EvaluationError: a point outside the function's domain.
        """
        if op == "sqrt":
            return self.power(a, HALF, n)
        if op == "log":
            if a <= 0:
                raise EvaluationError(f"the log of {_show(a)}, which is not positive")
            steps = [Fraction((-1) ** (k - 1), k) for k in range(1, n + 1)]
            first = ZERO if a == 1 else self.context.log(self.real(a))
            return [first, *(self.times(c, 1 / a**k) for k, c in enumerate(steps, 1))]
        if op != "tanh" and abs(a) > MAX_ARGUMENT:
            raise EvaluationError(f"{op} of {_show(a)}, which is too large")
        if op == "exp":
            first = self.context.exp(self.real(a)) if a else ONE
            return [first / factorial(k) for k in range(n + 1)]
        if op in ("sin", "cos"):
            x = self.real(a)
            sine, cosine = (self.context.sin(x), self.context.cos(x)) if a else (ZERO, ONE)
            cycle = (sine, cosine, -sine, -cosine) if op == "sin" else (cosine, -sine, -cosine, sine)
            return [cycle[k % 4] / factorial(k) for k in range(n + 1)]
        if op == "softplus":
            x = self.real(a)
            first = max(x, self.context.mpf(0)) + self.context.log1p(self.context.exp(-abs(x)))
            slope = self.function("sigmoid", a, n)
            return [first, *(slope[k] / (k + 1) for k in range(n))]
        # The rest solve y' = c0 + c1 y + c2 y²; the equation gives their coefficients one by one.
        if op == "tan":
            first, equation = (self.context.tan(self.real(a)) if a else ZERO), (1, 0, 1)
        elif op == "tanh":
            first, equation = (self.context.tanh(self.real(a)) if a else ZERO), (1, 0, -1)
        else:
            first = 1 / (1 + self.context.exp(-self.real(a))) if a else HALF
            equation = (0, 1, -1)
        out = [first]
        for k in range(n):
            square = sum((out[j] * out[k - j] for j in range(k + 1)), start=0 * first)
            out.append((equation[0] * (k == 0) + equation[1] * out[k] + equation[2] * square) / (k + 1))
        return out


@lru_cache(maxsize=8)
def _interval_context(digits: int) -> Any:
    import mpmath

    context = mpmath.ctx_iv.MPIntervalContext()
    context.dps = digits
    return context


class Enclosing(Arithmetic):
    """The same with intervals: what is no rational is enclosed between bounds, rounded outwards."""

    @property
    def context(self) -> Any:
        """The interval context of mpmath."""
        return _interval_context(self.digits)

    def real(self, x: Number) -> Any:
        """An interval that holds the number."""
        if x.__class__ is Fraction:
            return self.context.mpf(x.numerator) / self.context.mpf(x.denominator)
        return self.context.mpf(x)

    def compare(self, x: Number, y: Number) -> int:
        """-1 or 1 where the intervals do not meet; for rationals as they are.

        Raises:
            EvaluationError: the intervals meet.
        """
        if x.__class__ is Fraction and y.__class__ is Fraction:
            return (x > y) - (x < y)
        x, y = self.real(x), self.real(y)
        if x.a > y.b:
            return 1
        if x.b < y.a:
            return -1
        raise EvaluationError("the bounds do not tell which of two numbers is larger")


def _show(a: Number) -> str:
    text = str(a)
    return text if len(text) <= 24 else f"{text[:24]}…"
