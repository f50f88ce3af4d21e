"""Open axes: which a term has, the type rule, and moving them."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies_terms import terms

from surrogate_calculus.errors import TermError
from surrogate_calculus.language.terms import (
    Add,
    Axis,
    Expect,
    Fn,
    Grad,
    Mul,
    Pow,
    Stop,
    Sym,
    Term,
    postorder,
)
from surrogate_calculus.language.vectors import Axes, shift_axes

x = Sym("x")
quick = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@quick
@given(terms(3), st.integers(0, 3))
def test_moved_axes_are_the_axes_moved(term: Term, by: int) -> None:
    axes = Axes()
    assert axes.of(term) == {n.key for n in postorder(term) if isinstance(n, Axis)}
    moved = shift_axes(term, by)
    assert axes.of(moved) == {a + by for a in axes.of(term)}
    assert shift_axes(moved, -by) == term
    assert axes.highest(moved) == max(axes.of(moved), default=0)


@quick
@given(terms(3))
def test_generated_terms_are_well_typed(term: Term) -> None:
    axes = Axes()
    for node in postorder(term):
        axes.check(node)


@pytest.mark.parametrize(
    "term",
    [
        Add(x, Grad("β", x, Axis(1))),
        Add(Grad("β", x, Axis(2)), Grad("β", x, Axis(1))),
        Mul(Grad("β", x, Axis(1)), x, Grad("β", x, Axis(1))),
        Pow(Grad("β", x, Axis(1)), x),
        Fn("exp", Grad("β", x, Axis(1))),
        Expect(Grad("β", x, Axis(1)), x),
        Fn("cases", Grad("β", x, Axis(1)), x, x),
    ],
)
def test_the_type_rule(term: Term) -> None:
    with pytest.raises(TermError) as caught:
        Axes().check(term)
    assert caught.value.instead


def test_deep_terms() -> None:
    term: Term = Grad("β", x, Axis(1))
    for _ in range(20_000):
        term = Stop(term)
    assert Axes().of(term) == {1}
    assert Axes().of(shift_axes(term, 1)) == {2}
