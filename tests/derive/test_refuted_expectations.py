"""Claims about expectations are refuted at laws of finitely many values, and true ones never are."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

import surrogate_calculus as sc
from surrogate_calculus.derive.outcomes import drawn
from surrogate_calculus.derive.prove import refutation
from surrogate_calculus.kernel import Equation, Relation
from surrogate_calculus.language.parser import parse

DECLARED = sc.parse_document(
    "parameter θ, φ\nvariable z\ndensity p(x; θ), q(x; φ), r(x | z; θ)\nfunction f(x; θ), g(x)\n"
)


def claim(text: str) -> Equation:
    left, right = (sc.parse(side, DECLARED) for side in text.split(" = "))
    return Equation(Relation.STRICT, left, right)


@pytest.mark.parametrize(
    "text",
    [
        "𝔼[x ~ p(·; θ)](g(x)^2) = 𝔼[x ~ p(·; θ)](g(x))^2",
        "𝔼[x ~ p(·; θ)](g(x)) = 𝔼[x ~ q(·; φ)](q(x; φ) / p(x; θ) * g(x))",
        "∇θ 𝔼[x ~ p(·; θ)](f(x; θ)) = 𝔼[x ~ p(·; θ)](∇θ f(x; θ))",
        "g(z) * 𝔼[x ~ p(·; θ)](g(x)) = 𝔼[z ~ p(·; θ)](g(z) * g(z))",
        "𝔼[x ~ p(·; θ)](1) = 2",
    ],
)
def test_a_false_claim_is_refuted_by_fractions(text: str) -> None:
    found = refutation(claim(text), DECLARED, quick=True)
    assert found is not None
    assert isinstance(found.left, Fraction) and found.left != found.right


def test_a_claim_with_logs_is_refuted_by_bounds() -> None:
    found = refutation(claim("log 𝔼[x ~ p(·; θ)](p(x; θ)) = 𝔼[x ~ p(·; θ)](log p(x; θ))"), DECLARED)
    assert found is not None
    assert found.left > found.right  # Jensen


@pytest.mark.parametrize(
    "text",
    [
        "𝔼[x ~ p(·; θ)](1) = 1",
        "∇θ 𝔼[x ~ p(·; θ)](f(x; θ)) = 𝔼[x ~ p(·; θ)](∇θ f(x; θ) + f(x; θ) * ∇θ log p(x; θ))",
        "𝔼[x ~ p(·; θ)](g(x)) = 𝔼[x ~ q(·; φ)](p(x; θ) / q(x; φ) * g(x))",
        "𝔼[x ~ r(· | z; θ)](∇θ log r(x | z; θ)) = 0",
        "𝔼[x ~ p(·; θ)](𝔼[y ~ r(· | x; θ)](g(x))) = 𝔼[x ~ p(·; θ)](g(x))",
    ],
)
def test_a_true_claim_is_not_refuted(text: str) -> None:
    assert refutation(claim(text), DECLARED) is None


FILTER = sc.load(Path(sc.__file__).parent / "estimators" / "dpf.sc")

PARENTS = "Σ[j=1..N](w̄[t-1,j] * f(x[t-1,j]; θ))"


def filtered(text: str) -> Equation:
    left, right = (parse(side, FILTER, indices=["t", "i"]) for side in text.split(" == "))
    return Equation(Relation.STRICT, left, right)


@pytest.mark.parametrize(
    "text",
    [
        f"𝔼[· | t-1](Σ[i=1..N](w̄[t-1,a[t,i]] * f(x[t-1,a[t,i]]; θ))) == {PARENTS}",
        "𝔼[· | t-1](f(x[t,i]; θ)) == f(x[t,i]; θ)",
        "𝔼[· | t-1](𝔼[· | t](f(x[T,i]; θ))) == 𝔼[· | t](f(x[T,i]; θ))",
        "𝔼[· | t-1](f(x[t,i]; θ)) == 𝔼[z ~ q(· | x[t-1,i]; φ)](f(z; θ))",
    ],
)
def test_a_false_claim_about_draws_is_refuted(text: str) -> None:
    found = refutation(filtered(text), FILTER)
    assert found is not None and found.left != found.right


@pytest.mark.parametrize(
    "text",
    [
        f"𝔼[· | t-1](1/N * Σ[i=1..N](f(x[t-1,a[t,i]]; θ))) == {PARENTS}",
        "𝔼[· | t](f(x[t,i]; θ)) == f(x[t,i]; θ)",
        "𝔼[· | t-1](𝔼[· | t](f(x[T,i]; θ))) == 𝔼[· | t-1](f(x[T,i]; θ))",
        "𝔼[· | t-1](f(x[t,i]; θ)) == 𝔼[· | t-1](𝔼[z ~ q(· | x[t-1,a[t,i]]; φ)](f(z; θ)))",
    ],
)
def test_a_true_claim_about_draws_is_not_refuted(text: str) -> None:
    assert refutation(filtered(text), FILTER) is None


def test_laws_that_cannot_be_written_out_refute_nothing() -> None:
    joint = sc.parse_document(
        "parameter θ\nobserved y\ndensity p(x, y; θ)\nfunction g(x)\nsample x ~ p(·, y; θ)\n"
    )
    assert drawn(joint, {}) is None
    assert drawn(FILTER, {"N": 3, "T": 3}) is None  # too many outcomes
    assert drawn(FILTER, {"N": 2, "T": 2}) is not None
    claim = Equation(Relation.STRICT, parse("𝔼[· | -1](g(x))", joint), parse("g(x)", joint))
    assert refutation(claim, joint) is None
