"""Higher derivatives of every surrogate of the catalogue, claimed or not, against torch autograd."""

from __future__ import annotations

import pytest
from estimators.rows import difference

import surrogate_calculus as sc
from surrogate_calculus.estimators import ESTIMATORS, load_estimator

pytestmark = pytest.mark.slow

#: Each surrogate once, with the parameter that it is differentiated in.
SURROGATES = {
    f"{name}: {claim.surrogate} in {claim.wrt[0]}": (claim.surrogate, claim.wrt[0], claim.document)
    for name in ESTIMATORS
    for claim in load_estimator(name).claims
}


#: At order 3 a product with DiCE has thousands of terms.
CASES = [(name, 2) for name in SURROGATES] + [(name, 3) for name in SURROGATES if "D * " not in name]


@pytest.mark.parametrize(("name", "order"), CASES, ids=[f"{name} {order}" for name, order in CASES])
def test_higher_orders(name: str, order: int) -> None:
    surrogate, parameter, document = SURROGATES[name]
    derivation = sc.derive(surrogate, parameter, order, given=document)
    verdict = sc.check(derivation.certificate)
    assert verdict.status == "proved", verdict.reason
    # What has no closed form is a family with a recursion of its own, in the derivation's document.
    given = derivation.document
    assert given is not None
    found, size = difference(derivation.start, derivation.result, given, 1, N=3, T=3, K=2)
    assert found < 1e-9
    assert size > 0
