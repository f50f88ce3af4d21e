"""Blocks of a proof document: what stands in it besides declarations, as raw text with its place.

A block is an unindented line that begins with a word of :data:`BLOCKS`, and the indented lines below it::

    theorem dice for every f(x; θ):
      →(∇θ (p(x; θ) / ⊥(p(x; θ)) * f(x; θ)))        # a comment
        = f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)      by product, evaluate

Blank lines and lines of comment may stand anywhere.  ``#`` begins a comment, but not behind a backslash
and not in a ``printed`` block, whose lines are LaTeX and kept as they are.  Everything else is left to the
reader of declarations, in a text of the same length, so that places stay what they are.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import ParseError, Span

__all__ = ["BLOCKS", "Block", "BlockForm", "Piece", "SplitDocument", "has_theorems", "split_blocks"]


@dataclass(frozen=True, slots=True)
class BlockForm:
    """What a kind of block consists of.

    Attributes:
        example: how one is written, for messages.
        header: whether something must stand behind the word.
        body: whether indented lines may follow.
        verbatim: whether its lines are kept as they are, ``#`` included.
    """

    example: str
    header: bool = True
    body: bool = True
    verbatim: bool = False


#: The words that begin a block.
BLOCKS: dict[str, BlockForm] = {
    "use": BlockForm('use "dpf.sc"', body=False),
    "assume": BlockForm("assume p(x; θ) != 0"),
    "theorem": BlockForm("theorem name:  with the chain  A = B  in indented lines below"),
    "lemma": BlockForm("lemma name:  with the chain  A = B  in indented lines below"),
    "refute": BlockForm("refute name: A = B"),
    "equation": BlockForm("equation 22:  with indented lines below"),
    "corrected": BlockForm("corrected:  with indented lines below", header=False),
    "notation": BlockForm("notation w = w̄, or indented lines below", header=False),
    "printed": BlockForm("printed:  with the LaTeX in indented lines below", header=False, verbatim=True),
}

_THEOREM = re.compile(r"^(?:theorem|lemma|refute)(?=[\s:])", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]+")
_COMMENT = re.compile(r"(?<!\\)#")
_BRACKETS = re.compile(r"[()\[\]]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text that keeps its place: ``source[span.start:span.end]`` is ``text``."""

    text: str
    span: Span

    def part(self, start: int, end: int | None = None) -> Piece:
        """The characters from ``start`` to ``end`` of this piece, without the blanks around them."""
        inner = self.text[start:end]
        first = self.span.start + start + len(inner) - len(inner.lstrip())
        inner = inner.strip()
        return Piece(inner, Span(first, first + len(inner)))


@dataclass(frozen=True, slots=True)
class Block:
    """A block of a document.

    Attributes:
        keyword: its first word, of :data:`BLOCKS`.
        header: the rest of the first line, without its comment.
        body: the indented lines, without comments and the blanks around them; empty lines are left out.
        span: from the keyword to the end of the last line that is not empty.
        word: where the keyword stands.
    """

    keyword: str
    header: Piece
    body: tuple[Piece, ...]
    span: Span
    word: Span


@dataclass(frozen=True, slots=True)
class SplitDocument:
    """A text taken apart.

    Attributes:
        text: all of it.
        declarations: the same with every block blanked out: of the same length, with the same line ends.
        blocks: the blocks in their order.
        file: where the text came from, or None.
    """

    text: str
    declarations: str
    blocks: tuple[Block, ...]
    file: str | None = None


def split_blocks(text: str, file: str | None = None) -> SplitDocument:
    """Take a document apart into declarations and blocks; nothing inside of either is looked at.

    Raises:
        ParseError: a block without what must stand behind its word or below it, or with what must not.
    """
    lines = _lines(text)
    blocks: list[Block] = []
    blanked: list[str] = []
    position = depth = 0
    while position < len(lines):
        line = lines[position]
        found = _WORD.match(line.text) if depth == 0 else None
        if found is None or found.group() not in BLOCKS or not _ends_word(line.text, found.end()):
            bare = _COMMENT.split(line.text)[0]
            depth = max(0, depth + sum(1 if b in "([" else -1 for b in _BRACKETS.findall(bare)))
            blanked.append(line.text)
            position += 1
            continue
        last = position + 1
        while last < len(lines) and (lines[last].text[:1].isspace() or _is_empty(lines[last].text)):
            last += 1
        while _is_empty(lines[last - 1].text):  # what follows the last line belongs to nobody
            last -= 1
        blocks.append(_block(found.group(), lines[position:last], text, file))
        blanked += [" " * len(part.text) for part in lines[position:last]]
        position = last
    return SplitDocument(text, "\n".join(blanked), tuple(blocks), file)


def has_theorems(text: str) -> bool:
    """Whether a text looks like a document with something to be proved or refuted."""
    return _THEOREM.search(text) is not None


def _lines(text: str) -> list[Piece]:
    out, start = [], 0
    for line in text.split("\n"):
        out.append(Piece(line, Span(start, start + len(line))))
        start += len(line) + 1
    return out


def _is_empty(line: str) -> bool:
    stripped = line.strip()
    return not stripped or stripped.startswith("#")


def _ends_word(line: str, end: int) -> bool:
    """Whether the word ends there: behind it comes a blank, a colon, a comment, or nothing."""
    return end == len(line) or line[end].isspace() or line[end] in ':#"'


def _block(word: str, lines: Sequence[Piece], text: str, file: str | None) -> Block:
    """The block of these lines.

    Raises:
        ParseError: a part of it is missing, or one too many.
    """
    form = BLOCKS[word]
    first, *rest = (line if form.verbatim else line.part(0, _comment(line.text)) for line in lines)
    header = first.part(len(word))
    body = tuple(line for line in (line.part(0) for line in rest) if line.text)
    start = lines[0].span.start
    place = Span(start, start + len(word))

    def wrong(what: str, at: Span) -> ParseError:
        return ParseError(what, instead=f"write  {form.example}", text=text, span=at, file=file)

    if form.header and not header.text.strip(":"):
        raise wrong(f"nothing stands behind {word}", place)
    if body and not form.body:
        raise wrong(f"{word} takes no indented lines", body[0].span)
    if not header.text.strip(":") and not body:
        raise wrong(f"this {word} is empty", place)
    return Block(word, header, body, Span(start, lines[-1].span.end), place)


def _comment(line: str) -> int:
    found = _COMMENT.search(line)
    return len(line) if found is None else found.start()
