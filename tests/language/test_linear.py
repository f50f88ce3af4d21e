"""Linear forms: read, put into one another, compared at the ends of ranges."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_calculus.language.linear import Linear, as_term, constant_difference, lowest, read
from surrogate_calculus.language.parser import parse
from surrogate_calculus.language.terms import Num, Sym


def form(text: str) -> Linear:
    """The form of a text that has one."""
    found = read(parse(text))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "parts", "constant"),
    [
        ("t - 1", {"t": 1}, -1),
        ("T - t", {"T": 1, "t": -1}, 0),
        ("2*(k + 1) - k", {"k": 1}, 2),
        ("i - i", {}, 0),
        ("1/2*k", {"k": Fraction(1, 2)}, 0),
        ("7", {}, 7),
    ],
)
def test_linear_terms(text: str, parts: dict[str, Fraction], constant: int) -> None:
    assert form(text) == Linear(constant, {k: Fraction(v) for k, v in parts.items()})


@pytest.mark.parametrize("text", ["t^2", "t*k", "f(t)", "a[t]", "1/t", "log t"])
def test_other_terms(text: str) -> None:
    assert read(parse(text)) is None
    assert constant_difference(parse(text), Num(0)) is None


def test_differences_and_terms() -> None:
    assert constant_difference(parse("t + 1"), parse("t - 1")) == 2
    assert constant_difference(parse("t/2"), parse("t/2 - 1/2")) is None
    assert constant_difference(Sym("t"), Sym("s")) is None
    assert as_term(form("T - t")) == parse("T - t")
    assert as_term(form("T - 1 - t")) == parse("T - 1 - t")
    assert as_term(form("t - t")) == Num(0)


@settings(max_examples=200, deadline=None)
@given(*[st.integers(-3, 3)] * 4, st.integers(1, 5), st.integers(1, 5))
def test_the_lowest_value_is_the_lowest(a: int, b: int, c: int, d: int, n: int, m: int) -> None:
    """Against every value: i from 1 to n, k from i to i + m."""
    whole = Linear(d, {"i": Fraction(a), "k": Fraction(b), "n": Fraction(c)})
    bounds = {
        "i": (Linear(1), Linear.variable("n")),
        "k": (Linear.variable("i"), Linear.variable("i") + Linear(m)),
    }
    least = lowest(whole, bounds, ["k", "i"]).put("n", Linear(n)).number
    values = [a * i + b * k + c * n + d for i in range(1, n + 1) for k in range(i, i + m + 1)]
    assert least == min(values)
