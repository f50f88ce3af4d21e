"""Errors that a user sees: where, what, and what to write instead.

Every error of the package derives from :class:`SurrogateError`, prints as one message without a
traceback at the command line, and ends the command with exit status 2.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "DeclarationError",
    "DeriveError",
    "EvaluationError",
    "ParseError",
    "Span",
    "SurrogateError",
    "TermError",
    "UndeclaredZeroError",
    "caret",
    "nearest",
]


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of characters ``[start, end)`` of a source text."""

    start: int
    end: int


class SurrogateError(Exception):
    """An input that cannot be worked with.

    Args:
        what: one sentence that says what is wrong.
        instead: what to write instead, or None.
        text: the source, where there is one.
        span: the offending characters of ``text``.
        file: the file that ``text`` came from, or None for text given directly.
    """

    def __init__(
        self,
        what: str,
        *,
        instead: str | None = None,
        text: str | None = None,
        span: Span | None = None,
        file: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.instead = instead
        self.text = text
        self.span = span
        self.file = file

    def located(self, text: str, span: Span, file: str | None = None) -> SurrogateError:
        """The same error, placed in a source; an error that has a place keeps it."""
        if self.text is None:
            self.text, self.span = text, span
        if self.file is None:
            self.file = file
        return self

    @property
    def line(self) -> int | None:
        """Line of the offence, from 1."""
        if self.text is None or self.span is None:
            return None
        return self.text.count("\n", 0, self.span.start) + 1

    @property
    def column(self) -> int | None:
        """Column of the offence in characters, from 1."""
        if self.text is None or self.span is None:
            return None
        return self.span.start - (self.text.rfind("\n", 0, self.span.start) + 1) + 1

    def __str__(self) -> str:
        """The whole message: place, what is wrong, the line with a caret, what to write instead."""
        parts = []
        if self.line is not None:
            place = f"line {self.line}, column {self.column}"
            parts.append(f"{self.file}: {place}: {self.what}" if self.file else f"{place}: {self.what}")
            assert self.text is not None and self.span is not None
            parts.append(caret(self.text, self.span))
        else:
            parts.append(f"{self.file}: {self.what}" if self.file else self.what)
        if self.instead:
            parts.append(f"  instead: {self.instead}")
        return "\n".join(parts)


class ParseError(SurrogateError):
    """Text that is not of the language, or means nothing in it."""


class TermError(SurrogateError):
    """A term that is not well-formed: a bare ⊥ under 𝔼, a product of two vectors."""


class DeclarationError(SurrogateError):
    """A declaration that contradicts another, or a use that contradicts its declaration."""


class DeriveError(SurrogateError):
    """A derivation that cannot be made: no such parameter, a derivative zero for lack of a declaration."""


class UndeclaredZeroError(DeriveError):
    """A derivative that is zero only because nothing says that a function depends on the parameter."""


class EvaluationError(SurrogateError):
    """Numbers at which an expression has no value: a division by zero, the log of a negative number."""


_WIDTH = 76


def caret(text: str, span: Span) -> str:
    """The offending line, cut to a screen's width, with carets under the span."""
    start = text.rfind("\n", 0, span.start) + 1
    end = text.find("\n", span.start)
    end = len(text) if end < 0 else end
    first = max(start, min(span.start - _WIDTH // 2, end - _WIDTH))
    last = min(end, first + _WIDTH)
    shown = _printable(text[first:last])
    before = ("… " if first > start else "") + _printable(text[first : span.start])
    width = max(1, _columns(_printable(text[span.start : min(span.end, last)])))
    line = ("… " if first > start else "") + shown + (" …" if last < end else "")
    return f"  {line}\n  {' ' * _columns(before)}{'^' * width}"


def _printable(text: str) -> str:
    """The text with tabs as blanks, and � for each character that a terminal would act upon or hide."""
    return "".join(
        " " if c == "\t" else "\ufffd" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in text
    )


def _columns(text: str) -> int:
    """Columns that a text takes on a terminal: wide letters two, combining marks none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )


def nearest(name: str, known: Iterable[str]) -> str:
    """What to write instead of a name that there is not: the nearest ones, or all where none is near."""
    from difflib import get_close_matches

    every = list(known)
    near = get_close_matches(name.lower(), every, n=2, cutoff=0.4)
    return " or ".join(near) if near else f"one of {', '.join(every)}"
