"""Derived estimators of random surrogates against the exact two-copy model."""

from __future__ import annotations

import json
import os
import random
from fractions import Fraction

import pytest
from exactness import derived, same
from hypothesis import given, settings
from surrogates import Surrogate, random_surrogate, surrogates

import surrogate_calculus as sc
from surrogate_calculus.language.terms import HAS_EVAL, HAS_STOP

#: Ten thousand surrogates; a run of the whole suite draws the first third of them.
BLOCKS = 20 if os.environ.get("SURROGATE_ALL") else 7
SURROGATES_PER_BLOCK = 500

small_run = settings(max_examples=max(100, settings().max_examples))


def verify(surrogate: Surrogate, *, replay: bool) -> None:
    """The derived estimator has the value of →∇ᵏ of the surrogate, and its certificate replays."""
    derivation = derived(surrogate)
    if derivation is None:
        return
    assert derivation.start == surrogate.goal()
    assert not derivation.result.flags & (HAS_STOP | HAS_EVAL)
    model = surrogate.model()
    for axes in surrogate.axes():
        expected = model.value(surrogate.goal(), axes)
        found = model.value(derivation.result, axes)
        assert same(model, expected, found), f"at {axes}: {expected}, derived {found}: {derivation}"
    if replay:
        verdict = sc.check(json.loads(json.dumps(derivation.certificate)))
        assert verdict.status == "proved", verdict.reason
        assert (verdict.claim.lhs, verdict.claim.rhs) == (derivation.start, derivation.result)


@given(surrogates())
@small_run
def test_estimators_have_the_value_of_their_surrogate(surrogate: Surrogate) -> None:
    verify(surrogate, replay=True)


@given(surrogates(vector=True))
@small_run
def test_estimators_of_vectors_have_the_value_of_their_surrogate(surrogate: Surrogate) -> None:
    verify(surrogate, replay=True)


@given(surrogates(rational_only=True))
@small_run
def test_rational_estimators_are_exact(surrogate: Surrogate) -> None:
    derivation = derived(surrogate)
    if derivation is not None:
        model = surrogate.model()
        for axes in surrogate.axes():
            found = model.value(derivation.result, axes)
            assert isinstance(found, Fraction)
            assert found == model.value(surrogate.goal(), axes)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(BLOCKS))
def test_ten_thousand_surrogates(block: int, rng: random.Random) -> None:
    for number in range(SURROGATES_PER_BLOCK):
        surrogate = random_surrogate(rng, vector=number % 4 == 0, rational_only=number % 3 == 0)
        try:
            verify(surrogate, replay=number % 10 == 0)
        except Exception:
            print(f"block {block}, surrogate {number}:\n{surrogate!r}")
            raise


def test_hypotheses_hold_where_the_surrogate_is_defined(rng: random.Random) -> None:
    """A derivation does not rest on what is false: every surrogate drawn is defined at its point."""
    hypotheses = 0
    for number in range(100):
        surrogate = random_surrogate(rng, vector=number % 4 == 0)
        derivation = derived(surrogate)
        for hypothesis in derivation.hypotheses if derivation is not None else ():
            if not hypothesis.term.loose:
                value = surrogate.model(30).value(hypothesis.term, surrogate.axes()[0])
                assert value > 0 if hypothesis.kind == "positive" else value != 0, (hypothesis, surrogate)
                hypotheses += 1
    assert hypotheses > 50
