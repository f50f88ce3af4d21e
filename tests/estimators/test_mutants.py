"""Wrong versions of every document derive something else, and the engine refutes that they do not."""

from __future__ import annotations

from functools import cache

import pytest
from estimators.edits import names_in, shape
from estimators.mutants import Mutant, mutants

import surrogate_calculus as sc
from surrogate_calculus.errors import DeriveError
from surrogate_calculus.estimators import ESTIMATORS, load_estimator, split_target

pytestmark = pytest.mark.slow

#: How many wrong versions of each document, and how many of them at least; how many of these are derived.
TRIED, LEAST, SPARSE = 12, 10, 3


@cache
def wrong(name: str) -> list[Mutant]:
    """Wrong versions of an entry, made once."""
    return mutants(load_estimator(name), TRIED)


def depends(mutant: Mutant) -> bool:
    """Whether what a mutant differentiates mentions the parameter, through its definitions."""
    bodies = {d.name: names_in(d.body) for d in mutant.document.definitions}
    surrogate, wrt = split_target(mutant.target)
    todo, seen = list(names_in(surrogate)), set()
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += bodies.get(name, ())
    return set(wrt) <= seen


@pytest.mark.parametrize("name", ESTIMATORS)
def test_wrong_versions_are_refuted(name: str) -> None:
    found = wrong(name)
    assert len(found) >= LEAST
    assert len({m.kind for m in found}) >= 3
    missed = [f"{mutant}\n   {why}" for mutant in found if (why := not_refuted(mutant))]
    assert not missed, "\n".join(missed)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_wrong_versions_derive_something_else(name: str) -> None:
    for mutant in wrong(name)[::SPARSE]:
        if not depends(mutant):
            with pytest.raises(DeriveError, match="the derivative is zero only"):
                sc.derive(mutant.target, given=mutant.document)
            continue
        derivation = sc.derive(mutant.target, given=mutant.document)
        assert shape(derivation.result) != shape(mutant.claim.expected), mutant
        assert sc.check(derivation.certificate), mutant


def not_refuted(mutant: Mutant) -> str:
    """What is wrong with the engine's answer on a mutant, or ""."""
    verdict = sc.prove((mutant.target, mutant.claim.expected), given=mutant.document)
    if verdict.status != "refuted":
        return f"{verdict.status}: {verdict.reason}"
    return "" if verdict.counterexample is not None else "no counterexample"
