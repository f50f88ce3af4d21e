"""Nothing is keyed to a name, an order or a document: what is derived changes in names only."""

from __future__ import annotations

import random

import pytest
from estimators.edits import (
    names_in,
    new_names,
    permuted,
    rename,
    rename_text,
    shape,
    statements_of,
    with_unused,
)
from estimators.rows import ROWS, derived, row

import surrogate_calculus as sc
from surrogate_calculus.derive import Derivation
from surrogate_calculus.language.declarations import Document

pytestmark = pytest.mark.slow

#: A row of each document.
FIRST = list({name.partition(": ")[0]: name for name in reversed(ROWS)}.values())


def again(name: str, text: str, position: int) -> tuple[Document, Derivation]:
    """What a row's edited document derives in place of the row."""
    document = sc.parse_document(text)
    return document, sc.derive(document.targets[position].term, given=document)


def position(name: str) -> int:
    """Which of its document's statements a row is."""
    claim = row(name)
    return claim.document.targets.index(claim.target)


def same(first: Derivation, second: Derivation, names: dict[str, str] | None = None) -> None:
    """The two derivations are the same but for the names."""
    result, other = rename(first.result, names or {}), second.result
    assert second.document is not None
    declared = {*second.document.names(), *(d.name for d in second.document.definitions)}
    # What a derivation introduces has a name that depends on those that are taken.
    result, other = (rename(t, dict.fromkeys(names_in(t) - declared, "new")) for t in (result, other))
    assert shape(result) == shape(other), f"{first}\n{second}"
    assert len(first.hypotheses) == len(second.hypotheses)
    assert sc.check(second.certificate)


@pytest.mark.parametrize("name", ROWS)
def test_other_names(name: str) -> None:
    claim = row(name)
    names = new_names(claim.document)
    text = rename_text("\n".join(statements_of(claim.document.text)), names)
    document, other = again(name, text, position(name))
    for before, after in zip(claim.document.lineages.values(), document.lineages.values(), strict=True):
        names[before.map] = after.map
    assert not {"θ", "w̄", "v̄", "x"} & set(document.names())
    same(derived(name), other, names)


@pytest.mark.parametrize("name", FIRST)
def test_another_order(name: str, rng: random.Random) -> None:
    text = permuted(row(name).document.text, rng)
    same(derived(name), again(name, text, position(name))[1])


@pytest.mark.parametrize("name", FIRST)
def test_something_unused(name: str) -> None:
    text = with_unused(row(name).document)
    same(derived(name), again(name, text, position(name))[1])
