"""The random check: right derivations agree, wrong ones are caught with a small case."""

from __future__ import annotations

import dataclasses

import pytest

import surrogate_calculus as sc
from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.compare import check_derivation, check_formula

FISHER = """
count N
parameter θ
index i, j = 1..N
observed x[i], y
density p(x[i], y; θ), q(x[i]; θ)
define v[i] = p(x[i], y; θ) / ⊥(q(x[i]; θ))
derive →(∇θ log(1/N * Σ[i](v[i])))
"""


@pytest.mark.parametrize("order", [1, 2, 3])
def test_dice_agrees(order: int) -> None:
    found = check_derivation(sc.derive("p(x;θ)/⊥(p(x;θ))*f(x;θ)", wrt="θ", order=order), points=3, seed=order)
    assert found.agrees and bool(found)
    assert found.difference < 1e-12 and len(found.points) == 3
    assert "prove nothing" in str(found)


def test_a_document_with_definitions_agrees() -> None:
    document = sc.parse_document(FISHER)
    found = check_derivation(sc.derive(document.targets[0].term, given=document))
    assert found.agrees and found.difference < 1e-12
    assert {"N", "θ", "y"} <= set(found.points[0].numbers)


def test_vectors_agree() -> None:
    derivation = sc.derive("p(x;θ)/⊥(p(x;θ))*f(x;θ)", wrt="θ", order=2, vector=["θ"])
    assert check_derivation(derivation).agrees


def test_a_wrong_formula_is_caught_and_its_case_is_small() -> None:
    derivation = sc.derive("p(x;θ)/⊥(p(x;θ))*f(x;θ)", wrt="θ")
    wrong = dataclasses.replace(derivation, result=sc.parse("f(x;θ) * ∇θ log p(x;θ)"))
    found = check_derivation(wrong)
    assert not found.agrees and not found
    assert found.failure is not None
    assert dict(found.failure.numbers) == {"x": 1.0, "θ": 1.0}
    assert "smallest failing case" in str(found)


def test_a_forgotten_detach_is_caught_at_small_counts() -> None:
    found = check_formula(
        sc.parse("→(∇θ log Σ[i=1..N](p(x[i];θ)/q(x[i];θ)))"),
        sc.parse("Σ[i=1..N](p(x[i];θ)/q(x[i];θ) * ∇θ log p(x[i];θ)) / Σ[i=1..N](p(x[i];θ)/q(x[i];θ))"),
    )
    assert found.failure is not None and found.failure.numbers["N"] == 1


def test_the_seed_decides_the_points() -> None:
    derivation = sc.derive("p(x;θ)/⊥(p(x;θ))*f(x;θ)", wrt="θ")
    first, again, other = (check_derivation(derivation, seed=s) for s in (1, 1, 2))
    assert first.points == again.points
    assert first.points[0].numbers != other.points[0].numbers


def test_points_outside_the_domain_are_drawn_anew() -> None:
    inside = sc.parse("→(∇θ log(θ - 1/2))"), sc.parse("1/(θ - 1/2)")
    assert check_formula(*inside, points=10).agrees
    with pytest.raises(EvaluationError, match="no point"):
        check_formula(sc.parse("→(∇θ log(-1*θ))"), sc.parse("1/θ"))
    with pytest.raises(EvaluationError, match="0 points"):
        check_formula(*inside, points=0)


def test_points_at_which_a_hypothesis_fails_are_drawn_anew() -> None:
    """Inside the clip both sides of PPO's min are one, for a whole range of points."""
    derivation = sc.derive("min(r(a;θ)*A, max(min(r(a;θ), 1+ε), 1-ε)*A)", wrt="θ")
    assert check_derivation(derivation, points=10).agrees
    formula = sc.parse("→(∇θ(θ*A))"), sc.parse("A")
    assert check_formula(*formula, hypotheses=[("positive", sc.parse("θ - 1"))]).agrees
    with pytest.raises(EvaluationError, match="the hypothesis fails that θ - θ is nonzero"):
        check_formula(*formula, hypotheses=[("nonzero", sc.parse("θ - θ"))])


def test_an_arrow_beyond_detach_is_noted() -> None:
    found = check_derivation(sc.derive("→(p(x;θ)/⊥(p(x;θ))*f(x;θ))", wrt="θ"))
    assert found.agrees
    assert any("detach" in note for note in found.notes)
