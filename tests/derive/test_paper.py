"""The paper replayed: what is printed, how it is read, what becomes of it, and torch's word on it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import torch

import surrogate_calculus as sc
from surrogate_calculus.cli_paper import fates_of, markdown
from surrogate_calculus.derive.paper import FATES, Fate, paper_documents
from surrogate_calculus.errors import ParseError
from surrogate_calculus.language.binding import instantiate
from surrogate_calculus.language.latex_readings import Notation, printed_members, readings
from surrogate_calculus.language.papers import Member, PaperDocument, read_paper
from surrogate_calculus.language.terms import Add, Expect, Grad, Mul, Num, Term, postorder, rebuild
from surrogate_calculus.semantics.instances import FiniteDensity, Polynomial

FOLDER = Path(__file__).resolve().parents[2] / "proofs" / "paper"
DOCUMENTS = paper_documents(FOLDER)
NUMBERED = [str(n) for n in range(1, 149)]
#: Members whose formal statement is not held against the print, by the numbers on their line.
NOT_READ = {"17", "18", "20", "22", "63", "64", "71", "75", "79"}


@pytest.fixture(scope="module")
def fates() -> list[Fate]:
    return fates_of(DOCUMENTS, None)


# ------------------------------------------------------------------------------------------- the print
def test_every_equation_occurs_once() -> None:
    printed = [n for d in DOCUMENTS for n in d.printed]
    stated = [n for d in DOCUMENTS for b in d.equations for n in b.numbers]
    assert sorted(printed) == sorted(stated) == sorted([*NUMBERED, "Algorithm 1", "Algorithm 2"])


def test_the_print_is_that_of_the_paper() -> None:
    """Each equation against a digest of the paper's LaTeX, taken without its blanks."""
    known = json.loads((Path(__file__).parent / "paper_print.json").read_text())
    found = {
        n: hashlib.sha256("".join(latex.split()).encode()).hexdigest()[:16]
        for d in DOCUMENTS
        for n, latex in d.printed.items()
        if n in known
    }
    assert found == known


def read_members() -> Iterator[tuple[PaperDocument, Member]]:
    for document in DOCUMENTS:
        for block in document.equations:
            for member in block.members:
                if member.printed is not None and member.term is not None:
                    yield document, member


@pytest.mark.parametrize(
    ("document", "member"),
    [pytest.param(d, m, id=f"{'-'.join(m.numbers)}:{m.text[:30]}") for d, m in read_members()],
)
def test_a_member_is_what_is_printed(document: PaperDocument, member: Member) -> None:
    """Under the abbreviations of its document, and one of the readings of the reach of a prefix."""
    assert member.printed is not None and member.term is not None
    latex = document.notation.apply(member.printed.latex)
    indices = tuple(document.document.indices)
    assert member.term in list(readings(latex, document.document, indices=indices))
