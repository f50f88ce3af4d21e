"""What stands for the opaque functions, as it is printed."""

from __future__ import annotations

from fractions import Fraction
from math import perm

import mpmath
import sympy
from hypothesis import given
from hypothesis import strategies as st

from surrogate_calculus.semantics.instances import FiniteDensity, Polynomial

FRACTIONS = st.fractions(-3, 3, max_denominator=5)
POLYNOMIALS = st.dictionaries(st.tuples(*[st.integers(0, 3)] * 3), FRACTIONS, max_size=5)


@given(POLYNOMIALS, st.tuples(*[FRACTIONS] * 3))
def test_a_polynomial_is_printed_as_the_formula_that_it_is(
    coefficients: dict[tuple[int, ...], Fraction], at: tuple[Fraction, Fraction, Fraction]
) -> None:
    polynomial = Polynomial((None, 2), coefficients)  # a scalar slot and one of two coordinates
    printed = sympy.sympify(str(polynomial).replace("^", "**"), rational=True)
    there = printed.subs({f"u{i}": sympy.Rational(x.numerator, x.denominator) for i, x in enumerate(at, 1)})
    (value,) = polynomial.derivatives([at[0], at[1:]], [(0, 0, 0)])
    assert Fraction(int(there.p), int(there.q)) == value


@given(POLYNOMIALS, st.tuples(*[FRACTIONS] * 3), st.tuples(*[st.integers(0, 3)] * 3))
def test_derivatives_of_a_polynomial_are_exact(
    coefficients: dict[tuple[int, ...], Fraction], at: tuple[Fraction, ...], order: tuple[int, ...]
) -> None:
    polynomial = Polynomial((None, 2), coefficients)
    expected = Fraction(0)
    for exponents, c in coefficients.items():
        for m, k, x in zip(exponents, order, at, strict=True):
            c *= perm(m, k) * x ** (m - k) if m >= k else 0
        expected += c
    (value,) = polynomial.derivatives([at[0], at[1:]], [order])
    assert isinstance(value, Fraction) and value == expected
    real = [mpmath.mpf(x.numerator) / x.denominator for x in at]
    (rounded,) = polynomial.derivatives([real[0], tuple(real[1:])], [order])
    assert mpmath.almosteq(rounded, mpmath.mpf(expected.numerator) / expected.denominator, 1e-10, 1e-10)


def test_a_finite_density_is_printed_with_its_values() -> None:
    weight = Polynomial((None, None), {(0, 0): 2, (1, 1): Fraction(-1, 3)})
    assert str(FiniteDensity(weight, [[0, Fraction(1, 2)]])) == "2 - 1/3*u1*u2, over its sum at 0, 1/2"
