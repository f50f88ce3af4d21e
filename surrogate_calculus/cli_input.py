"""What the command is given: expressions, documents in files, entries of the catalogue."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ParseError, Span, SurrogateError

if TYPE_CHECKING:
    from .language.declarations import Document
    from .language.terms import Term

__all__ = [
    "Source",
    "at_end",
    "is_document",
    "is_file",
    "placed",
    "read_file",
    "read_source",
    "standard_input",
]


@dataclass(frozen=True)
class Source:
    """What to derive: terms with the text they came from, and the document that declares their names.

    Attributes:
        terms: what to derive.
        spans: where each stands in the text; None for an expression, which is all of it.
        text: the text.
        file: where it came from.
        document: the declarations.
        wrt: the parameters meant where none is named.
    """

    terms: list[Term]
    spans: list[Span | None]
    text: str
    file: str | None
    document: Document | None
    wrt: tuple[str, ...] = ()

    def where(self, span: Span | None) -> tuple[str, str | None]:
        """The text at which an error without a place is shown."""
        if span is None:
            return self.text, self.file
        # Blank what stands before, so that line and column stay right.
        before = "".join(c if c == "\n" else " " for c in self.text[: span.start])
        return before + self.text[span.start : span.end], self.file


@contextmanager
def placed(text: str | None = None, file: str | None = None) -> Iterator[None]:
    """Place an error that has no place of its own at the whole first line of a text."""
    try:
        yield
    except SurrogateError as error:
        if text is not None and text.strip():
            first = len(text) - len(text.lstrip())
            last = text.find("\n", first)
            error.located(text, Span(first, len(text.rstrip()) if last < 0 else last), file)
        raise


def at_end(text: str) -> Span:
    """The place behind a text."""
    return Span(len(text), len(text) + 1)


def is_file(argument: str) -> bool:
    """Whether an argument names a file rather than being an expression."""
    if argument.endswith(".sc"):
        return True
    try:
        return Path(argument).is_file()
    except (OSError, ValueError):  # too long for a file name, or a NUL in it: an expression
        return False


def is_document(argument: str) -> bool:
    """Whether an argument of ``check`` names a proof document, or a folder of them."""
    return argument.endswith(".sc") or Path(argument).is_dir()


def read_file(path: str) -> str:
    """The text of a file.

    Raises:
        ParseError: it cannot be read, or is not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        why = f"cannot be read: {error.strerror}"
        raise ParseError(why, instead="the path of a file", file=path) from None
    except UnicodeDecodeError as error:
        raise ParseError(
            f"not UTF-8 at byte {error.start}", instead="the same text saved as UTF-8", file=path
        ) from None


def standard_input() -> str:
    """All of standard input.

    Raises:
        ParseError: it is not UTF-8.
    """
    try:
        return sys.stdin.read()
    except UnicodeDecodeError as error:
        raise ParseError(f"standard input is not UTF-8 at byte {error.start}", instead="UTF-8 text") from None


def _document(path: str | None) -> Document | None:
    """The document in a file, or of an entry ``@name`` of the catalogue."""
    if path is None:
        return None
    if path.startswith("@"):
        from .estimators import load_estimator

        return load_estimator(path).document
    from .language.document import parse_document

    text = read_file(path)
    with placed(text, path):
        return parse_document(text, file=path)


def read_source(
    argument: str, *, what: str | None, given: str | None, latex: bool, vector: Sequence[str]
) -> Source:
    """Read what is to be derived.

    Args:
        argument: a document's file or ``@name``; ``-`` for an expression on standard input; an expression.
        what: an expression over the document's names, in place of its ``derive`` statements.
        given: the file or ``@name`` of a document that declares an expression's names.
        latex: expressions are LaTeX.
        vector: names of an expression's vector parameters.

    Raises:
        SurrogateError: anything wrong with them, placed.
    """
    if argument.startswith("@") or (is_file(argument) and not (latex and what is None)):
        return _from_document(argument, what, given, latex)
    if what is not None:
        raise ParseError(
            "--what is an expression over a document, and there is none",
            instead="a file or an @name before it: surrogate derive @dpf --what 'log Z'",
            text=argument or " ",
            span=Span(0, max(1, len(argument))),
        )
    text, file = argument, None
    if argument == "-":
        text, file = standard_input(), "standard input"
    elif latex and is_file(argument):
        text, file = read_file(argument), argument
    document = _document(given)
    return Source([_expression(text, file, document, latex, vector)], [None], text, file, document)


def _from_document(argument: str, what: str | None, given: str | None, latex: bool) -> Source:
    """What a document derives, or an expression over it."""
    if given is not None:
        raise ParseError(
            f"{argument} is a document already, and --given names another",
            instead="an expression with --given; or one document",
            text=argument,
            span=Span(0, len(argument)),
        )
    document = _document(argument)
    assert document is not None
    text, file = document.text, document.file or argument
    if what is not None:
        from .estimators import default_parameters
        from .language.terms import HAS_EVAL, HAS_GRAD

        term = _expression(what, "--what", document, latex, ())
        # An expression with ∇ or → of its own says itself what is to be done.
        plain = not term.flags & (HAS_GRAD | HAS_EVAL)
        wrt = default_parameters(document) if plain else ()
        return Source([term], [None], what, "--what", document, wrt)
    if not document.targets:
        raise ParseError(
            "this document derives nothing",
            instead="a line such as  derive →(∇θ log Z), or --what EXPR",
            text=text or " ",
            span=at_end(text.rstrip() or " "),
            file=file,
        )
    targets = document.targets
    return Source([t.term for t in targets], [t.span for t in targets], text, file, document)


def _expression(
    text: str, file: str | None, document: Document | None, latex: bool, vector: Sequence[str]
) -> Term:
    if latex:
        from .language.latex import parse_latex

        with placed(text, file):
            return parse_latex(text, document)
    from .language.parser import parse

    with placed(text, file):
        return parse(text, document, vector=vector, file=file)
