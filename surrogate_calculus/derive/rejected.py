"""Documents that must fail, in folders named ``rejected``, each with the reason in its first line.

::

    # must fail: refuted, line 12: after ∇θ
    #
    # Why the step of line 12 is unsound, for readers.

The kind is that of the :class:`~.failures.Failure`, or for a document that cannot be read ``parse``,
``declaration`` or ``term``; the line is the one that the report names; the phrase stands in the report, where
that says what is wrong.  Such a document passes when exactly one thing in it fails, for that reason: a
document that is rejected by accident, or along with a true lemma, does not.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path

from ..errors import DeclarationError, ParseError, Span, SurrogateError, TermError
from ..language.document import read_text
from ..language.proof_reader import read_proofs
from .failures import Failure
from .theorems import Book

__all__ = ["FOLDER", "KINDS", "Found", "Reason", "Rejected", "check_rejected", "must_fail", "stated_reason"]

#: Folders of this name hold documents that must fail.
FOLDER = "rejected"

_ERRORS: dict[str, type[SurrogateError]] = {
    "parse": ParseError,
    "declaration": DeclarationError,
    "term": TermError,
}
#: Why a document may have to fail.
KINDS = ("refuted", "hint", "condition", "lemma", "proved", "undecided", *_ERRORS)

_FIRST = re.compile(r"# must fail: +([a-z]+), +line +([1-9][0-9]*): +(\S.*?) *(?:\n|$)")


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a document must fail.

    Attributes:
        kind: one of :data:`KINDS`.
        line: the number of the line that the report names.
        phrase: what occurs in the report.
    """

    kind: str
    line: int
    phrase: str

    def __str__(self) -> str:
        return f"{self.kind}, line {self.line}: {self.phrase}"


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that fails in a document.

    Attributes:
        kind: one of :data:`KINDS`.
        line: where, None for an error without a place.
        says: what is wrong, and with what to do about it or the counterexample.
        report: the whole message.
    """

    kind: str
    line: int | None
    says: str
    report: str

    def __str__(self) -> str:
        return f"{self.kind}, line {self.line}: {self.says}"


@dataclass(frozen=True, slots=True)
class Rejected:
    """What was found of a document that must fail.

    Attributes:
        path: the document.
        reason: why it must; None where it does not say.
        found: all that fails in it.
        statements: how many statements were checked.
        failure: why it is not rejected for its reason, and only for that; None where it is.
        seconds: how long it took.
    """

    path: Path
    reason: Reason | None
    found: tuple[Found, ...]
    statements: int
    failure: str | None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether it fails for its reason, and for no other."""
        return self.failure is None


def must_fail(path: Path) -> bool:
    """Whether a document is there to fail: whether the folder that it is in is named ``rejected``."""
    return path.resolve().parent.name == FOLDER


def stated_reason(text: str, file: str | None = None) -> Reason:
    """The reason in the first line of a document.

    Raises:
        ParseError: there is none, or it is of no kind.
    """
    found = _FIRST.match(text)
    end = text.find("\n")
    if found is None or found.group(1) not in KINDS:
        raise ParseError(
            "this document must fail, and does not say why",
            instead=f"# must fail: KIND, line 9: a phrase of the report; KIND is one of {', '.join(KINDS)}",
            text=text or " ",
            span=Span(0, max(1, len(text) if end < 0 else end)),
            file=file,
        )
    kind, line, phrase = found.groups()
    return Reason(kind, int(line), phrase)


def check_rejected(path: str | Path) -> Rejected:
    """Check that a document fails for the reason that it states, and for no other.

    Raises:
        ParseError: the file cannot be read.
    """
    start = time.perf_counter()
    path = Path(path)
    text = read_text(path)
    found, statements = _failures(text, str(path))
    try:
        reason = stated_reason(text, str(path))
    except ParseError as error:
        return Rejected(path, None, found, statements, str(error), time.perf_counter() - start)
    wrong = _not_as_stated(reason, found)
    return Rejected(path, reason, found, statements, wrong, time.perf_counter() - start)


def _failures(text: str, file: str) -> tuple[tuple[Found, ...], int]:
    """All that fails in a document, and how many statements it has."""
    try:
        book = Book(read_proofs(text, file))
    except SurrogateError as error:
        kind = next((k for k, cls in _ERRORS.items() if isinstance(error, cls)), type(error).__name__)
        says = "; ".join(part for part in (error.what, error.instead) if part)
        return (Found(kind, error.line, says, str(error)),), 0
    failures = [book.verdict(s).failure for s in book.proofs.statements]
    return tuple(_found(f) for f in failures if f is not None), len(failures)


def _found(failure: Failure) -> Found:
    parts = (failure.reason, failure.instead, failure.counterexample)
    return Found(failure.kind, failure.line, "; ".join(str(p) for p in parts if p), str(failure))


def _not_as_stated(reason: Reason, found: tuple[Found, ...]) -> str | None:
    """Why a document is not rejected for its reason and only for that; None where it is."""
    if not found:
        return f"nothing fails here; it must fail: {reason}"
    if len(found) > 1:
        several = "\n  ".join(map(str, found))
        return f"more fails than one statement; it must fail: {reason}\n  {several}"
    (only,) = found
    if (only.kind, only.line) == (reason.kind, reason.line) and reason.phrase in only.says:
        return None
    return f"it fails, and not for its reason; it must fail: {reason}\n  {only}"
