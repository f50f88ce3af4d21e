"""What to say about a token that cannot stand where it does, and what to write instead."""

from __future__ import annotations

from ..errors import ParseError, Span
from .scanner import Token

__all__ = ["unexpected"]


def unexpected(
    tokens: list[Token], position: int, expected: set[str], text: str, file: str | None
) -> ParseError:
    """The error for ``tokens[position]``, or for the end of the text where it is behind the last."""
    if position < len(tokens):
        token = tokens[position]
        span = Span(token.start, token.end)
        what = f"unexpected {text[token.start : token.end]}"
    else:
        end = tokens[-1].end if tokens else 0
        span = Span(max(0, end - 1), max(1, end))
        what = "the expression ends too early" if tokens else "there is no expression"
    return ParseError(what, instead="…", text=text, span=span, file=file)
