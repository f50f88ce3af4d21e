"""Every row of the catalogue: derived, replayed by the kernel, as claimed, and right in numbers."""

from __future__ import annotations

import re

import pytest
from estimators.edits import shape
from estimators.rows import ROWS, SIZES, derived, difference, row

import surrogate_calculus as sc
from surrogate_calculus.language.terms import HAS_BARE_STOP, HAS_EVAL, HAS_STOP

#: What the paper has and must be in the catalogue: equations, and the orders of differentiation there.
PAPER = [
    ("dice", "6", 1),
    ("fisher", "10–12", 1),
    ("iwae_dice", "9", 1),
    ("pf_dice", "14–16", 1),
    ("dpf", "13", 1),
    ("dpf", "18", 1),
    ("pf", "64–68", 1),
    ("pf_dice", "19", 1),
    ("dpf", "20–21", 1),
    ("pf_dice", "22", 1),
    ("dpf_reparam", "23", 1),
    ("dpf_shared", "23", 1),
    ("dpf2", "24–25", 1),
    ("dpf_vector", "26", 2),
    ("dpf", "section 4.3", 3),
    ("dpf", "section 4.3", 2),
    ("dpf_adaptive", "13", 1),
    ("dpf_initial", "13", 1),
    ("dpf_proposal", "61–62", 1),
]


@pytest.mark.parametrize(("name", "equation", "order"), PAPER, ids=[f"{n} {e} {o}" for n, e, o in PAPER])
def test_the_paper_is_in_the_catalogue(name: str, equation: str, order: int) -> None:
    found = [row(r) for r in ROWS if r.startswith(f"{name}: ")]
    assert any(re.search(rf"(?<!\d){equation}(?!\d)", c.paper) and c.order == order for c in found)


@pytest.mark.parametrize("name", ROWS)
def test_derived_and_replayed(name: str) -> None:
    derivation = derived(name)
    verdict = sc.check(derivation.certificate)
    assert verdict.status == "proved", verdict.reason
    assert not derivation.result.flags & (HAS_STOP | HAS_BARE_STOP | HAS_EVAL), str(derivation.result)
    assert derivation.hypotheses == derivation.notes == ()


@pytest.mark.parametrize("name", ROWS)
def test_as_the_paper_writes_it(name: str) -> None:
    """Term by term: what is derived differs from what is claimed in the order of summands and factors."""
    derivation, claim = derived(name), row(name)
    assert shape(derivation.result) == shape(claim.expected), f"{derivation}\n{claim.estimator}"


@pytest.mark.parametrize("name", ROWS)
def test_proved_to_be_as_claimed(name: str) -> None:
    derivation, claim = derived(name), row(name)
    if derivation.result != claim.expected:
        verdict = sc.prove((derivation.result, claim.expected), given=claim.document)
        assert verdict.status == "proved", f"{derivation}\n{verdict.status}: {verdict.reason}"


@pytest.mark.slow
@pytest.mark.parametrize("name", ROWS)
def test_right_in_numbers(name: str) -> None:
    """Against torch autograd of the compiled document."""
    derivation, document = derived(name), row(name).document
    for seed, (particles, steps) in enumerate(SIZES):
        counts = {"N": particles, "T": steps, "K": 2}
        found, size = difference(derivation.start, derivation.result, document, seed, **counts)
        assert found < 1e-9, (particles, steps)
        assert size > 0


@pytest.mark.parametrize("name", ROWS)
def test_a_claim_is_right_in_numbers(name: str) -> None:
    """Whatever the engine makes of it."""
    claim = row(name)
    found, _ = difference(claim.target.term, claim.expected, claim.document, 1, N=3, T=3, K=2)
    assert found < 1e-9


def test_a_wrong_formula_is_seen_in_numbers() -> None:
    """The test of the test."""
    claim = row("dpf: score")
    wrong = sc.parse("Σ[i=1..N](1/N * ∇θ log p(x̃[1:T,i], y[1:T]; θ))", claim.document)
    found, _ = difference(claim.target.term, wrong, claim.document, 1, N=3, T=2)
    assert found > 1e-4
