"""The declarations of a document together with those of the documents that it uses, as one text.

Places in that text are led back to the file that they come from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import ParseError, Span, SurrogateError
from .blocks import Block, SplitDocument, split_blocks
from .declarations import Document
from .document import parse_document, read_text

__all__ = ["Sources"]

_QUOTED = re.compile(r"\"([^\"\n]+)\"|'([^'\n]+)'|(@[\w-]+)")
#: Where the documents of the catalogue are, for ``use "@dpf"``.
_CATALOGUE = Path(__file__).resolve().parents[1] / "estimators"


@dataclass(frozen=True, slots=True)
class _Segment:
    """A part of the joined text: the declarations of a whole source, or a piece of one."""

    declarations: str
    source: str
    offset: int
    file: str | None


@dataclass
class Sources:
    """A document's declarations with those that it uses, behind one another.

    Attributes:
        split: the document, taken apart.
    """

    split: SplitDocument
    _segments: list[_Segment] = field(default_factory=list)

    def __post_init__(self) -> None:
        path = None if self.split.file is None else Path(self.split.file).resolve()
        self._take(self.split, path, [] if path is None else [path], set())

    def _take(self, split: SplitDocument, path: Path | None, chain: list[Path], taken: set[Path]) -> None:
        """Take up what a document uses, then its own declarations.

        Raises:
            ParseError: a use that names no document, or leads back to itself.
        """
        for block in split.blocks:
            if block.keyword != "use":
                continue
            used = _used(block, split, path)
            if used in chain:
                where = " uses ".join(p.name for p in (*chain[chain.index(used) :], used))
                raise _wrong(f"this use leads back to itself: {where}", "leave it away", block, split)
            if used in taken:
                continue
            taken.add(used)
            try:
                text = read_text(used)
            except ParseError as error:
                raise _wrong(error.what, "the path of a document, seen from here", block, split) from None
            self._take(split_blocks(text, str(used)), used, [*chain, used], taken)
        self._segments.append(_Segment(split.declarations, split.text, 0, split.file))

    def document(self, more: Sequence[tuple[str, str, Span]] = ()) -> Document:
        """The document, with further declarations of its own.

        Args:
            more: a keyword, and what it declares, as it stands in the source at a place.

        Raises:
            SurrogateError: as :func:`~.document.parse_document` does, placed in the file it comes from.
        """
        segments = list(self._segments)
        for keyword, text, span in more:
            offset = span.start - len(keyword) - 1
            segments.append(_Segment(f"{keyword} {text}", self.split.text, offset, self.split.file))
        joined = "\n".join(s.declarations for s in segments)
        with _relocated(segments):
            return parse_document(joined, file=self.split.file)


@contextmanager
def _relocated(segments: Sequence[_Segment]) -> Iterator[None]:
    """Lead the place of an error in the joined text back to the source."""
    try:
        yield
    except SurrogateError as error:
        if error.span is None:
            raise
        start = error.span.start
        for number, segment in enumerate(segments):
            if start <= len(segment.declarations) or number == len(segments) - 1:
                moved = start + segment.offset
                error.span = Span(moved, moved + error.span.end - error.span.start)
                error.text, error.file = segment.source, segment.file
                break
            start -= len(segment.declarations) + 1
        raise


def _used(block: Block, split: SplitDocument, path: Path | None) -> Path:
    """The file that a use names.

    Raises:
        ParseError: it names none.
    """
    found = _QUOTED.fullmatch(block.header.text)
    if found is None:
        raise _wrong("use takes one file in quotes", 'use "dpf.sc", or use "@dpf"', block, split)
    name = next(g for g in found.groups() if g is not None)
    if name.startswith("@"):
        inner = _CATALOGUE / f"{name[1:]}.sc"
        if not re.fullmatch(r"@\w+", name) or not inner.is_file():
            known = ", ".join(f"@{p.stem}" for p in sorted(_CATALOGUE.glob("*.sc")))
            raise _wrong(f"the catalogue has no {name}", f"one of {known}", block, split)
        return inner
    return ((Path.cwd() if path is None else path.parent) / name).resolve()


def _wrong(what: str, instead: str, block: Block, split: SplitDocument) -> ParseError:
    return ParseError(what, instead=instead, text=split.text, span=block.header.span, file=split.file)
