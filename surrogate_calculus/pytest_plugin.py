"""``pytest --surrogate``: every theorem of a proof document is a test item.

Without the option nothing is collected, and nothing of the package is imported but this module.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .derive.theorems import Book
    from .language.proofs import Statement

__all__ = ["ProofFile", "TheoremItem", "pytest_addoption", "pytest_collect_file"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option ``--surrogate``."""
    group = parser.getgroup("surrogate", "proof documents of surrogate-calculus")
    group.addoption(
        "--surrogate",
        action="store_true",
        default=False,
        help="collect the theorems of proof documents (*.sc); folders named rejected are left out",
    )


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> ProofFile | None:
    """A proof document, where they are asked for."""
    if file_path.suffix != ".sc" or not parent.config.getoption("--surrogate"):
        return None
    if "rejected" in file_path.parts[:-1]:
        return None
    from .language.blocks import has_theorems

    try:
        text = file_path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ProofFile.from_parent(parent, path=file_path)  # which says what is wrong with it
    return ProofFile.from_parent(parent, path=file_path) if has_theorems(text) else None


class ProofFile(pytest.File):
    """A proof document."""

    def collect(self) -> Iterator[TheoremItem]:
        """An item for each theorem, lemma and refutation.

        Raises:
            CollectError: the document cannot be read.
        """
        from .derive.theorems import Book
        from .errors import SurrogateError
        from .language.proof_reader import load_proofs

        try:
            book = Book(load_proofs(self.path))
        except SurrogateError as error:
            raise self.CollectError(str(error)) from None
        for statement in book.proofs.statements:
            yield TheoremItem.from_parent(self, name=statement.name, book=book, statement=statement)


class TheoremFails(Exception):
    """A statement that does not hold as stated; its text is the report."""


class TheoremItem(pytest.Item):
    """A theorem, a lemma, or a claim to be refuted."""

    def __init__(self, *, book: Book, statement: Statement, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.book, self.statement = book, statement

    def runtest(self) -> None:
        """Check the statement.

        Raises:
            TheoremFails: it does not hold as stated.
        """
        failure = self.book.verdict(self.statement).failure
        if failure is not None:
            raise TheoremFails(str(failure))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The report alone, without a traceback."""
        if isinstance(excinfo.value, TheoremFails):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the statement stands."""
        line = self.book.proofs.line_of(self.statement.span)
        return self.path, line - 1, f"{self.statement.kind} {self.name}"
