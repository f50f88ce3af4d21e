"""Several equations as one claim, which the kernel replays once."""

from __future__ import annotations

import pytest

import surrogate_calculus as sc
from surrogate_calculus.derive.engine import prepared
from surrogate_calculus.derive.equate import equate
from surrogate_calculus.derive.prove import Shared, prove
from surrogate_calculus.derive.together import together
from surrogate_calculus.kernel import Relation, check


@pytest.mark.parametrize("relation", list(Relation))
def test_the_claim_says_each_equation_with_a_name_of_its_own(relation: Relation) -> None:
    proof = prepared(None)
    pairs = [("∇θ (θ^2)", "2*θ"), ("c1 + c1", "2*c1"), ("θ", "θ")]
    steps = [next(equate(proof, sc.parse(a), sc.parse(b), relation, None)) for a, b in pairs]
    verdict = check(proof.certificate(together(proof, steps)))
    assert verdict.status == "proved"
    assert verdict.claim is not None
    assert verdict.claim.relation is relation
    assert verdict.claim.lhs == sc.parse("c2 * ∇θ (θ^2) + c3 * (c1 + c1) + c4 * θ")
    assert verdict.claim.rhs == sc.parse("c2 * (2*θ) + c3 * (2*c1) + c4 * θ")


def test_claims_that_wait_are_settled_by_one_certificate_for_each_relation() -> None:
    shared = Shared()
    shared.wait()
    claims = ["∇θ (θ^2) = 2*θ", "x + x = 2*x", "→(⊥(x)) =→ x"]
    assert [prove(claim, shared=shared).status for claim in claims] == ["proved"] * 3
    assert prove("x = 2*x", shared=shared).status == "refuted"
    verdicts = shared.settled()
    assert [v.status for v in verdicts] == ["proved", "proved"]
    assert prove(claims[0], shared=shared).steps
    assert shared.settled() == []
