"""The random check of formulas over documents: right ones agree, wrong ones are caught at small counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from language.documents import BACKWARD, DPF, FIXED_LAG, LAG2, PF, REPARAMETERISED

import surrogate_calculus as sc
from surrogate_calculus.language.declarations import Document
from surrogate_calculus.language.document import parse_document
from surrogate_calculus.language.parser import parse
from surrogate_calculus.language.terms import Axis, Eval, Grad, Term
from surrogate_calculus.numeric.compare import check_derivation
from surrogate_calculus.numeric.document_scene import magnitude

P = "p(x̃[1:T,i], y[1:T]; θ)"
SCORE = f"Σ[i](v̄[T,i] * ∇θ log {P})"
HESSIAN = f"Σ[i](v̄[T,i] * (∇²θ log {P} + (∇θ log {P})^2)) - ({SCORE})^2"
#: The third cumulant: w₃ - 3 w₁ w₂ + 2 w₁³ with wₖ = Σ v̄ ∇ᵏp / p.
THIRD = f"Σ[i](v̄[T,i] * ∇[θ]∇²θ {P} / {P}) - 3 * Σ[i](v̄[T,i] * ∇²θ {P} / {P}) * {SCORE} + 2 * ({SCORE})^3"
LAGGED = "s(x[T,i], x[T-L,ã[T-L,T,i]]; θ)"
VECTOR = (
    DPF.replace("parameter θ, φ", "count K\nindex k = 1..K\nparameter θ[k], φ")
    .replace("derive →(∇θ log Z)", "")
)  # fmt: skip


@dataclass
class Claim:
    """What a derivation is to the check."""

    start: Term
    result: Term
    document: Document
    hypotheses: tuple[Any, ...] = ()


def claim(text: str, start: str | Term, result: str) -> Claim:
    document = parse_document(text)
    term = parse(start, document) if isinstance(start, str) else start
    return Claim(term, parse(result, document), document)


@pytest.mark.parametrize(
    ("start", "result"),
    [
        ("→(∇θ log Z)", SCORE),
        ("→(∇²θ log Z)", HESSIAN),
        ("→(∇[θ]∇²θ log Z)", THIRD),
        ("→(∇θ Z)", f"Z * {SCORE}"),
        (
            "→(∇θ Σ[i](v̄[T,i] * f(x̃[1:T,i]; θ)))",
            f"Σ[i](v̄[T,i] * ((f(x̃[1:T,i]; θ) - Σ[j](v̄[T,j] * f(x̃[1:T,j]; θ))) * ∇θ log {P} "
            "+ ∇θ f(x̃[1:T,i]; θ)))",
        ),
        ("→(∇θ log V[T])", f"{SCORE} - Σ[i](v̄[T-1,i] * ∇θ log p(x̃[1:T-1,i], y[1:T-1]; θ))"),
    ],
)
def test_a_right_formula_agrees(start: str, result: str) -> None:
    found = check_derivation(claim(DPF, start, result), points=3, seed=1)  # type: ignore[arg-type]
    assert found.agrees and found.difference < 1e-12, str(found)
    assert {"N", "T", "θ", "φ"} == set(found.points[0].numbers)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_every_component_of_a_vector(order: int) -> None:
    document = parse_document(VECTOR)
    start = parse("log Z", document)
    for number in range(1, order + 1):
        start = Grad("θ", start, Axis(number))
    outer = f"∇θ log {P} ⊗ ∇θ log {P}"
    second = f"Σ[i](v̄[T,i] * (∇²θ log {P} + {outer})) - {SCORE} ⊗ {SCORE}"
    result = {1: parse(SCORE, document), 2: parse(second, document)}
    # The third order of a term against itself, in both modes of differentiation.
    found = check_derivation(Claim(Eval(start), result.get(order, Eval(start)), document), points=2)
    assert found.agrees, str(found)


@pytest.mark.parametrize(
    ("text", "start", "result"),
    [
        (LAG2, "→(∇θ F[3])", "F[2] + θ*(F[1] + θ*(2*θ + 1) + y[2]) + y[3]*(2*θ + 1)"),
        (BACKWARD, "→(∇θ log Z)", "∇θ Z / Z"),
        (REPARAMETERISED, "→(∇θ log Z)", SCORE),
        (FIXED_LAG, f"→(∇θ Σ[i]({LAGGED}))", f"Σ[i](∇θ {LAGGED})"),
    ],
)
def test_other_recursions(text: str, start: str, result: str) -> None:
    found = check_derivation(claim(text, start, result), points=3)
    assert found.agrees and found.difference < 1e-12, str(found)


@pytest.mark.parametrize(
    ("start", "result", "smallest"),
    [
        ("→(∇θ log Z)", SCORE.replace("1:T", "2:T"), {"N": 1, "T": 1}),
        ("→(∇²θ log Z)", HESSIAN.replace("∇²θ", "1/2 * ∇²θ"), {"N": 1, "T": 1}),
        ("→(∇²θ log Z)", HESSIAN.split(" - ")[0], {"N": 1, "T": 1}),
        ("→(∇θ log Z)", SCORE.replace("v̄[T,i]", "1/N"), {"N": 2, "T": 1}),
        ("→(∇θ log Z)", "Σ[t](Σ[i](v̄[t,i] * ∇θ log p(x[t,i], y[t] | x[t-1,a[t,i]]; θ)))", {"N": 2, "T": 2}),
    ],
)
def test_a_wrong_formula_is_caught_at_the_smallest_counts(
    start: str, result: str, smallest: dict[str, int]
) -> None:
    found = check_derivation(claim(DPF, start, result))
    assert not found.agrees and found.failure is not None
    assert {name: found.failure.numbers[name] for name in smallest} == smallest


def test_a_filter_without_corrections_has_another_gradient() -> None:
    assert not check_derivation(claim(PF, "→(∇θ log Z)", SCORE.replace("v̄", "w̄")))


def test_a_derivation_of_the_design_agrees() -> None:
    document = parse_document(DPF)
    derivation = sc.derive(document.targets[0].term, given=document)
    found = check_derivation(derivation)
    assert found.agrees and len(found.points) == 5


def test_the_seed_decides_the_points() -> None:
    once, again, other = (
        check_derivation(claim(DPF, "→(∇θ log Z)", SCORE), points=2, seed=s) for s in (1, 1, 2)
    )
    assert once.points == again.points and once.points[0].numbers != other.points[0].numbers


def test_magnitudes_add_up_and_do_not_cancel() -> None:
    values = {"x": [1.0, -2.0], "y": -3.0}
    term = parse("→(Σ[i=1..2](x[i] - 2*y)*(y + 3)^2 - ⊥(x[1])*y)")
    assert sc.evaluate(magnitude(term), values) == (7 + 8) * 36 + 3
