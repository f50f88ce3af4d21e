"""Random surrogates as torch losses: the right program passes, one with a forgotten detach fails."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from programs import loss_of, without
from surrogates import Surrogate, random_surrogate

from surrogate_calculus.errors import DeriveError, EvaluationError
from surrogate_calculus.language.terms import HAS_EVAL, HAS_GRAD, App, Stop, Term, postorder
from surrogate_calculus.testing import EstimatorDisagrees, assert_estimator


def drawn(rng: random.Random) -> Surrogate:
    """A surrogate without derivatives inside and with a ⊥."""
    while True:
        found = random_surrogate(rng, depth=5, size=16, order=2, parameters=1, torch_expressible=True)
        nodes = postorder(found.term)
        # The functions of the generator are exact, and slow in torch: the published losses have opaque ones.
        opaque = any(isinstance(n, App) for n in nodes)
        stops = any(isinstance(n, Stop) for n in nodes)
        if stops and not opaque and not found.term.flags & (HAS_EVAL | HAS_GRAD):
            return found


def check(surrogate: Surrogate, program: Term) -> None:
    values = {**surrogate.torch_values(), "N": int(surrogate.point.get("N", 1))}
    used = {name for name in values if name in {str(n.key) for n in postorder(surrogate.term)}}
    used |= set(surrogate.functions) | {"θ"}
    assert_estimator(
        loss_of(program, surrogate.functions),
        surrogate=surrogate.term,
        wrt="θ",
        bindings={name: value for name, value in values.items() if name in used},
        nearby=1,
    )


def differ(surrogate: Surrogate, program: Term) -> bool:
    """Whether a derivative really differs, by the exact model."""
    other = replace(surrogate, term=program)
    for order in (1, 2):
        a = float(surrogate.model().value(surrogate.goal(order), {}))
        b = float(other.model().value(other.goal(order), {}))
        if abs(a - b) > 1e-4 * max(abs(a), abs(b)):
            return True
    return False


def test_the_right_loss_passes_and_a_forgotten_detach_fails(rng: random.Random) -> None:
    passed = failed = 0
    for _ in range(16):
        surrogate = drawn(rng)
        try:
            check(surrogate, surrogate.term)
        except DeriveError:
            continue
        passed += 1
        for stop in [n for n in postorder(surrogate.term) if isinstance(n, Stop)][:2]:
            wrong = without(surrogate.term, stop)
            try:
                if not differ(surrogate, wrong):
                    continue
            except EvaluationError:
                continue
            with pytest.raises(EstimatorDisagrees):
                check(surrogate, wrong)
            failed += 1
    assert passed > 8 and failed > 4
