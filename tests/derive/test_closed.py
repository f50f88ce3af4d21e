"""Closed forms of recursions, and recursions where there is none: any filter, not only the catalogue's."""

from __future__ import annotations

import pytest
from derive.filters import FILTERS
from language.documents import DPF, DPF2, EVERY

import surrogate_calculus as sc
from surrogate_calculus.derive.closed import Closed
from surrogate_calculus.derive.engine import prepared
from surrogate_calculus.language.binding import instantiate
from surrogate_calculus.language.document import parse_document
from surrogate_calculus.language.terms import Sym
from surrogate_calculus.numeric.compare import check_derivation


def forms(text: str) -> dict[str, tuple[str, bool]]:
    """The forms of a document's families at t and i, and whether each holds without conditions."""
    document = parse_document(text)
    proof = prepared(document)
    closed = Closed(proof, document.parameters, document.names())
    out = {}
    for definition in list(proof.definitions.values()):
        step = closed.form(definition)
        if step is not None:
            term = proof.right(step)
            for name in ("i", "t") if definition.arity == 2 else ("t",):
                term = instantiate(term, Sym(name))
            out[definition.name] = (str(term), not proof.conclusion(step).where)
    return out


def test_the_closed_forms_of_the_stop_gradient_filter_are_those_of_the_paper() -> None:
    """Eq. 55-60: the weights are their stopped copies times L/⊥L of the lineage, and a factor of the time."""
    found = forms(DPF)
    ratio = (
        "(p(x̃[1:t,{0}], y[1:t]; θ) / ⊥(p(x̃[1:t,{0}], y[1:t]; θ))) / (q(x̃[1:t,{0}]; φ) / ⊥(q(x̃[1:t,{0}]; φ)))"
    )
    form, always = found["v̄"]
    own = ratio.format("i")
    assert form == f"⊥(v̄[t,i]) * ({own}) / Σ[i=1..N](⊥(v̄[t,i]) * ({own}))"
    assert always
    assert not found["v"][1]  # it holds from the first step on
    assert not found["V"][1]
    assert found["v"][0].startswith(f"⊥(v[t,i]) * (({own}) / Σ[i=1..N](⊥(v̄[t-1,i])")


def test_a_part_without_a_closed_form_is_a_family_of_its_own() -> None:
    found = forms(DPF2)
    assert found["v̄"] == ("⊥(v̄[t,i]) * ρ[t,i] / Σ[i=1..N](⊥(v̄[t,i]) * ρ[t,i])", True)


@pytest.mark.parametrize("name", FILTERS)
def test_any_filter_derives(name: str) -> None:
    text, surrogates = FILTERS[name]
    document = parse_document(text)
    for surrogate in surrogates:
        derivation = sc.derive(surrogate, "θ", given=document)
        assert sc.check(derivation.certificate)
        assert check_derivation(derivation, points=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", FILTERS)
def test_any_filter_derives_twice(name: str) -> None:
    text, surrogates = FILTERS[name]
    derivation = sc.derive(surrogates[0], "θ", 2, given=parse_document(text))
    assert sc.check(derivation.certificate)
    assert check_derivation(derivation, points=1)


@pytest.mark.parametrize("name", ["backward", "lag 2", "annealed", "from one", "DPF2"])
def test_other_recursions_derive(name: str) -> None:
    document = parse_document(EVERY[name])
    for target in document.targets:
        derivation = sc.derive(target.term, given=document)
        assert sc.check(derivation.certificate)
        assert check_derivation(derivation, points=2)


def test_the_marginal_filter_has_the_recursion_of_the_paper() -> None:
    """Eq. 24-25: the score is an average of α, which averages α and the score of one step."""
    derivation = sc.derive("log Z", "θ", given=parse_document(DPF2))
    assert str(derivation.result) == "Σ[i=1..N](v̄[T,i] * α[T,i])"
    (alpha,) = derivation.where
    assert alpha.name == "α"
    assert alpha.indices == ("t", "i")
    assert str(alpha.body).endswith("else: 0)")
    assert derivation.document is not None
    assert derivation.document.definition("α") == alpha


def test_an_additive_recursion_is_a_sum_along_the_lineage() -> None:
    text, surrogates = FILTERS["an additive functional by recursion"]
    derivation = sc.derive(surrogates[0], "θ", given=parse_document(text))
    assert derivation.where == ()
    assert "∇θ h(x[t,ã[t,T,i]]; θ)" in str(derivation.result)


def test_without_the_plain_weights_the_result_is_an_equality_of_values() -> None:
    assert sc.derive("log Z", "θ", given=parse_document(DPF)).relation.value == "=→"
    weights = (
        "define w[t,i] = 1/N * p(x[t,i], y[t] | x[t-1, a[t,i]]; θ) / q(x[t,i] | x[t-1, a[t,i]]; φ)\n"
        "define w̄[t,i] = w[t,i]/Σ[i=1..N] w[t,i]\n"
    )
    derivation = sc.derive("log Z", "θ", given=parse_document(DPF + weights))
    assert derivation.relation.value == "="
    assert str(derivation.result) == "Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))"


def test_the_surrogate_form_of_the_likelihood_is_proved() -> None:
    """Eq. 60, an equality of surrogates; with one ⊥ less it is refuted."""
    document = parse_document(DPF)
    weight = "(p(x̃[1:T,i], y[1:T]; θ) / q(x̃[1:T,i]; φ))"
    claim = f"Z = ⊥(Z) * Σ[i=1..N](⊥(v̄[T,i]) * {weight} / ⊥({weight}))"
    assert sc.prove(claim, given=document).status == "proved"
    assert sc.prove(claim.replace("⊥(v̄[T,i])", "v̄[T,i]"), given=document).status == "refuted"


def test_values_that_are_not_rational_are_told_apart_by_bounds() -> None:
    assert sc.prove("exp(x) = 1 + x").status == "refuted"
    assert sc.prove("log p(x;θ) * log q(x;θ) = log p(x;θ)").status == "refuted"
    verdict = sc.prove("→(∇θ(log p(x;θ) * log q(x;θ))) = log p(x;θ) * ∇θ log q(x;θ)")
    assert verdict.status == "refuted"
    assert "…" in verdict.reason
