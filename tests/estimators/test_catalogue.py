"""The catalogue's files: what they say, and what the loader makes of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

import surrogate_calculus as sc
from surrogate_calculus.errors import DeclarationError, ParseError
from surrogate_calculus.estimators import (
    ESTIMATORS,
    claims_of,
    default_parameters,
    load_estimator,
    split_target,
)
from surrogate_calculus.language.declarations import Document
from surrogate_calculus.language.terms import HAS_BARE_STOP, HAS_STOP

DOCUMENT = """\
parameter θ
function f(x; θ)

{comments}derive →(∇θ f(x; θ))
"""


def read(comments: str) -> Document:
    return sc.parse_document(DOCUMENT.format(comments=comments))


@pytest.mark.parametrize("name", ESTIMATORS)
def test_an_entry_says_what_it_is(name: str) -> None:
    entry = load_estimator(name)
    assert entry.name == name
    assert entry.title.endswith((".", "weights.", "variance."))
    assert len(entry.claims) == len(entry.document.targets) > 0
    assert len({claim.name for claim in entry.claims}) == len(entry.claims)
    assert entry.document.file is not None and Path(entry.document.file).stem == name


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_claim_is_about_automatic_differentiation_and_free_of_it(name: str) -> None:
    for claim in load_estimator(name).claims:
        assert claim.order >= 1
        assert claim.surrogate == split_target(claim.target.term)[0]
        assert not claim.expected.flags & (HAS_STOP | HAS_BARE_STOP)
        assert "Eq." in claim.paper or "section" in claim.paper


@pytest.mark.parametrize("name", ESTIMATORS)
def test_the_engine_is_not_shown_the_claim(name: str) -> None:
    """A document without its comments derives the same: nothing is looked up."""
    entry = load_estimator(name)
    bare = "\n".join(line for line in entry.document.text.splitlines() if not line.startswith("#"))
    document = sc.parse_document(bare)
    assert claims_of(document) == ()
    assert [t.term for t in document.targets] == [t.term for t in entry.document.targets]
    assert document.definitions == entry.document.definitions


def test_names_are_given_with_or_without_the_sign() -> None:
    assert load_estimator("dpf") is load_estimator("@dpf") is load_estimator(" dpf ")


@pytest.mark.parametrize("name", ["", "@", "dpf.sc", "../dice", "DPFF", "x" * 500, "\0"])
def test_an_unknown_name_is_refused(name: str) -> None:
    with pytest.raises(ParseError) as caught:
        load_estimator(name)
    assert "instead" in str(caught.value)


def test_claims_of_a_document_of_ones_own() -> None:
    (claim,) = claims_of(
        read("#: slope\n#:   paper: none\n#:   estimator: ∇θ\n#:     f(x; θ)\n#:   note: a\n#:     b\n")
    )
    assert (claim.name, claim.paper, claim.note, claim.misprint) == ("slope", "none", "a b", "")
    assert claim.estimator == "∇θ f(x; θ)"
    assert (claim.wrt, claim.order) == (("θ",), 1)
    assert claim.derive().result == claim.expected
    assert claims_of(read("# a comment\n")) == ()


@pytest.mark.parametrize(
    ("comments", "says", "line"),
    [
        ("#: slope\n#:   paper: 1\n", "the estimator is missing", 4),
        ("#: slope\n", "the paper is missing", 4),
        ("#: slope\n#:   papper: 1\n", "'papper'", 5),
        ("#: slope\n#:   paper: 1\n#:   paper: 2\n", "'paper' is said twice", 6),
        ("#: slope\n#:     more\n", "belongs to nothing", 5),
    ],
)
def test_wrong_comments_are_refused_with_their_place(comments: str, says: str, line: int) -> None:
    with pytest.raises(DeclarationError) as caught:
        claims_of(read(comments))
    assert says in caught.value.what
    assert caught.value.line == line


def test_the_parameter_that_is_meant() -> None:
    assert default_parameters(load_estimator("dpf").document) == ("θ",)
    assert default_parameters(load_estimator("dpf_reparam").document) == ("φ",)
    assert default_parameters(sc.parse_document("parameter β\ndefine E = β^2\n")) == ("β",)
    assert default_parameters(sc.parse_document("parameter α, β\ndefine E = β^2\n")) == ()


def test_splitting_a_target() -> None:
    given = sc.parse_document("parameter θ, φ\nfunction f(x; θ, φ)\n")
    inner = sc.parse("f(x; θ, φ)", given)
    assert split_target(sc.parse("→(∇φ(∇θ f(x; θ, φ)))", given)) == (inner, ("θ", "φ"))
    other = sc.parse("∇θ f(x; θ, φ)", given)
    assert split_target(other) == (other, ())
