"""Comparing terms by the exact model."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from surrogates import Surrogate

import surrogate_calculus as sc
from surrogate_calculus.derive import Derivation
from surrogate_calculus.errors import DeriveError
from surrogate_calculus.language.terms import Term
from surrogate_calculus.semantics import Model

#: Digits to which values agree that are not rational; the model works with twenty more.
DIGITS = 30


def same(model: Model, x: Any, y: Any) -> bool:
    """Whether two values are equal: exactly where both are rational, else to DIGITS digits."""
    if isinstance(x, Fraction) and isinstance(y, Fraction):
        return x == y
    context = model.arithmetic.context
    x, y = (context.mpf(v.numerator) / v.denominator if isinstance(v, Fraction) else v for v in (x, y))
    return bool(abs(x - y) <= (1 + abs(x)) * context.mpf(10) ** -DIGITS)


def same_value(model: Model, left: Term, right: Term, axes: Mapping[int, int] | None = None) -> bool:
    """Whether two terms have the same value in the model."""
    return same(model, model.value(left, axes), model.value(right, axes))


def same_series(model: Model, left: Mapping[Any, Any], right: Mapping[Any, Any]) -> bool:
    """Whether two Taylor series in the live and the stopped copies are the same."""
    return all(
        same(model, left.get(m, Fraction(0)), right.get(m, Fraction(0))) for m in left.keys() | right.keys()
    )


def derived(surrogate: Surrogate) -> Derivation | None:
    """The derivation of a surrogate; None where it is refused as zero for want of a declaration.

    Raises:
        AssertionError: it is refused and the model's value is not zero.
        SurrogateError: any other refusal.
    """
    refusal: DeriveError
    try:
        return sc.derive(surrogate.term, surrogate.wrt, vector=surrogate.vector)
    except DeriveError as error:
        if "zero only because" not in error.what:
            raise
        refusal = error
    model = surrogate.model()
    assert not any(model.value(surrogate.goal(), axes) for axes in surrogate.axes()), refusal
    return None
