"""Wrong versions of every document derive something else, and the engine refutes that they do not."""

from __future__ import annotations

import pytest
from estimators.mutants import Mutant, mutants

import surrogate_calculus as sc
from surrogate_calculus.estimators import ESTIMATORS, load_estimator

pytestmark = pytest.mark.slow

#: How many wrong versions of each document; how many of them at least.
TRIED, LEAST = 12, 10


@pytest.mark.parametrize("name", ESTIMATORS)
def test_wrong_versions_are_refuted(name: str) -> None:
    found = mutants(load_estimator(name), TRIED)
    assert len(found) >= LEAST
    assert len({m.kind for m in found}) >= 3
    missed = [f"{mutant}\n   {why}" for mutant in found if (why := not_refuted(mutant))]
    assert not missed, "\n".join(missed)


def not_refuted(mutant: Mutant) -> str:
    """What is wrong with the engine's answer on a mutant, or ""."""
    verdict = sc.prove((mutant.target, mutant.claim.expected), given=mutant.document)
    if verdict.status != "refuted":
        return f"{verdict.status}: {verdict.reason}"
    return "" if verdict.counterexample is not None else "no counterexample"
