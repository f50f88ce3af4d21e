"""Chains of equations in calc style, taken apart as text: sides, equality signs, hints.

::

    A
      = B        by product, stop
      =→ C       by using lemma with f(x; θ) := g(x; θ)^2

A side ends at the next equality sign outside of brackets, or at a ``by``, however the lines are broken.
What stands behind ``by`` is a list of hints, separated by commas.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..errors import ParseError, Span
from .blocks import Piece
from .names import NAME, canonical_name

__all__ = ["RawHint", "RawLine", "colon", "comparison", "items", "plain", "raw_chain"]

_COMMENT = re.compile(r"(?<!\\)#[^\n]*")
_BY = re.compile(r"(?<!\S)by(?!\S)")
_WORD = re.compile(r"\s+(?=(?:using|with)\s)")
_COMPARISON = re.compile(r"!=|≠|>=|≥|<=|≤|>|<|=")
_HINTS = {
    "using": re.compile(rf"using\s+({NAME})"),
    "with": re.compile(r"(?:with\s+)?((?:(?!:=).)+?)\s*:=(.*)", re.DOTALL),
    "induction": re.compile(rf"induction\s+on\s+({NAME})"),
    "draw": re.compile(rf"draw\s+of\s+({NAME})(?:\s*\[.*\])?", re.DOTALL),
    "definition": re.compile(rf"definition\s+(?:of\s+)?({NAME})(?:\s*\[.*\])?", re.DOTALL),
    "rule": re.compile(r"([A-Za-z][\w -]*)"),
}


@dataclass(frozen=True, slots=True)
class RawHint:
    """A hint as written.

    Attributes:
        kind: ``rule``, ``definition``, ``draw``, ``using``, ``with`` or ``induction``.
        name: what is named: a rule, a definition, a lemma, a count; with ``with`` what is put in for.
        value: with ``with``, what is put in.
        span: where the hint stands.
    """

    kind: str
    name: str
    value: Piece | None
    span: Span


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line of a chain: an equality sign, its right side, and its hints, None where there is no ``by``."""

    values: bool
    right: Piece
    hints: tuple[RawHint, ...] | None
    sign: Span


def plain(text: str) -> str:
    """A text of the same length without its comments."""
    return _COMMENT.sub(lambda found: " " * len(found.group()), text)


def _outside(text: str) -> Iterator[int]:
    """The positions outside of all brackets."""
    depth = 0
    for position, letter in enumerate(text):
        depth -= letter in ")]"
        if depth <= 0:
            yield position
        depth += letter in "(["


def colon(piece: Piece) -> int | None:
    """Where the first colon outside of brackets stands, one of ``:=`` aside."""
    text = piece.text
    return next((k for k in _outside(text) if text[k] == ":" and text[k + 1 : k + 2] != "="), None)


def items(piece: Piece) -> list[Piece]:
    """The parts between the commas outside of brackets."""
    cuts = [-1, *(k for k in _outside(piece.text) if piece.text[k] == ","), len(piece.text)]
    return [piece.part(a + 1, b) for a, b in itertools.pairwise(cuts)]


def comparison(piece: Piece) -> tuple[Piece, str, Piece] | None:
    """The first comparison or equality sign outside of brackets, and what stands around it."""
    outside = set(_outside(piece.text))
    for found in _COMPARISON.finditer(piece.text):
        if found.start() in outside:
            return piece.part(0, found.start()), found.group(), piece.part(found.end())
    return None


def raw_chain(piece: Piece, text: str, file: str | None) -> tuple[Piece, tuple[RawLine, ...]]:
    """The first side of a chain, and its lines.

    Args:
        piece: the chain, without comments.
        text: the source that it stands in.
        file: where that came from.

    Raises:
        ParseError: no equality sign, an empty side, a hint that is none.
    """
    body = piece.text

    def wrong(what: str, instead: str, span: Span) -> ParseError:
        return ParseError(what, instead=instead, text=text, span=span, file=file)

    outside = [*_outside(body)]
    signs = [k for k in outside if body[k] == "=" and body[k - 1 : k] not in tuple(":<>!")]
    if not signs:
        raise wrong("there is no equality sign here", "A = B, or A =→ B for equality of values", piece.span)
    ends = [*signs[1:], len(body)]
    known = set(outside)
    lines: list[RawLine] = []
    first = piece.part(0, signs[0])
    if not first.text:
        raise wrong("nothing stands before the first equality sign", "A = B", _at(piece, signs[0]))
    for start, end in zip(signs, ends, strict=True):
        after = re.match(r"(=->|=→(?!\())", body[start:])
        behind = start + (len(after.group()) if after else 1)
        sign = Span(piece.span.start + start, piece.span.start + behind)
        by = next((m for m in _BY.finditer(body, behind, end) if m.start() in known), None)
        right = piece.part(behind, by.start() if by else end)
        if not right.text:
            raise wrong("nothing stands behind this equality sign", "= B, or =→ B", sign)
        hints = None if by is None else tuple(_hints(piece.part(by.end(), end), wrong))
        if hints == ():
            assert by is not None
            place = Span(piece.span.start + by.start(), piece.span.start + by.end())
            raise wrong("nothing stands behind by", "by product, evaluate; or leave it away", place)
        lines.append(RawLine(after is not None, right, hints, sign))
    return first, tuple(lines)


def _at(piece: Piece, position: int) -> Span:
    return Span(piece.span.start + position, piece.span.start + position + 1)


def _hints(piece: Piece, wrong: Callable[[str, str, Span], ParseError]) -> Iterator[RawHint]:
    """The hints of a line.

    Raises:
        ParseError: one that is not of any form.
    """
    if not piece.text:
        return
    for item in items(piece):
        cuts = [0, *(m.end() for m in _WORD.finditer(item.text)), len(item.text)]
        for a, b in itertools.pairwise(cuts):
            part = item.part(a, b)
            kind = next(
                (k for k in ("using", "with", "induction", "definition", "draw") if _begins(k, part)), "rule"
            )
            found = _HINTS[kind].fullmatch(part.text)
            if found is None:
                raise wrong(
                    f"{part.text!r:.60} is no hint" if part.text else "a hint is missing",
                    "names of rules, using LEMMA, with f(x; θ) := …, induction on T, definition of v",
                    part.span if part.text else Span(part.span.start, part.span.start + 1),
                )
            name = found.group(1).strip()
            value = None
            if kind == "with":
                value = part.part(found.start(2))
                if not value.text:
                    raise wrong("nothing is put in here", "with f(x; θ) := g(x; θ)^2", part.span)
            elif kind == "rule":
                name = re.sub(r"[\s-]+", "_", name)
            yield RawHint(kind, name if kind in ("rule", "with") else canonical_name(name), value, part.span)


def _begins(kind: str, part: Piece) -> bool:
    return ":=" in part.text if kind == "with" else re.match(rf"{kind}\s", part.text) is not None
