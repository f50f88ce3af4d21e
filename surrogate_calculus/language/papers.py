r"""Documents of a paper's equations: what is printed, how it is read, what it claims.

A document declares its names as any other does.  Its blocks are::

    notation
        \hat{Z}_{\text{DPF}} => \hat{Z}            what is printed, and what is read for it

    printed 62:
        \overrightarrow{\nabla_{\theta} \log \hat{Z}_{\text{DPF}}} = …, \quad (62)

    equation 61, 62 in value:                      or strictly
        by construction: →(∇θ Z)                   a member that is not printed: where the chain comes from
        →(∇θ Z)
        = →(Z) * …
        ≈ no claim: a limit                        a relation that claims nothing; a member without claim

    corrected 62:
        = Σ[i=1..N](w̄[T,i] * ∇θ log p(x̃[1:T,i], y[1:T]; θ))

``not read: why`` stands for a member that the language cannot say yet; its equation is undecided.
The members that are printed stand in the order of print; which number each belongs to is read off the
print.  Further lines of an ``equation``: ``condition:`` names what the paper says that the claim needs, and
``without:`` the claim without it, which is to fail; ``used in:`` is a claim that uses a definition, in
``corrected`` the same with the definition as it should be; ``by theorem: "unbiased.sc" name, name`` names
theorems of a proof document of which each says that two of the members are equal.  In ``corrected`` a
theorem is what should stand there, of a document with declarations of its own.  ``read as: 70, a_i is a_t^i``
says how an equation is read that leaves something to its reader.
``equation 17: a limit`` makes no claim, for the reason given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import ParseError, Span, SurrogateError
from .blocks import Block, Piece, split_blocks
from .declarations import Document
from .document import read_text
from .latex_readings import Notation, PrintedMember, printed_members
from .names import NAME, canonical_name
from .parser import parse
from .proof_reader import load_proofs
from .proofs import ProofDocument, Statement
from .sources import Sources
from .terms import Term

__all__ = ["Claim", "Correction", "EquationBlock", "Member", "PaperDocument", "Theorem", "load_paper",
           "read_paper"]

_HEADER = re.compile(
    r"(?P<numbers>[^:]*?)\s*(?:\bin\s+(?P<value>value)|(?P<strict>strictly))?\s*:\s*(?P<reason>.*)", re.DOTALL
)
_LINE = re.compile(
    r"(?P<by>by construction|by theorem|read as|condition|without|used in)\s*:\s*|(?P<sign>=→(?!\()|=|≈)\s*"
)
_COMMENT = re.compile(r"(?<!\\)#[^\n]*")
_THEOREMS = re.compile(rf'"([^"\n]+)"\s+({NAME}(?:\s*,\s*{NAME})*)')
_UNREAD = re.compile(r"(not read|no claim)\s*:\s*(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a chain.

    Attributes:
        relation: what stands before it: ``=``, ``≈``, or nothing for the first.
        term: what it says, or None where it is not read.
        text: the same as text; the reason where it is not read.
        span: where it stands in the document.
        printed: the same in print, or None for a construction.
        claims: whether it is a member that is not read, of a chain that claims something.
    """

    relation: str
    term: Term | None
    text: str
    span: Span
    printed: PrintedMember | None = None
    claims: bool = False

    @property
    def numbers(self) -> tuple[str, ...]:
        """The numbers that it belongs to."""
        return () if self.printed is None else self.printed.numbers


@dataclass(frozen=True, slots=True)
class Claim:
    """An equation of its own: ``left = right``, or ``left =→ right`` for values."""

    left: Term
    right: Term
    values: bool
    text: str


@dataclass(frozen=True, slots=True)
class Theorem:
    """A theorem or lemma of a proof document."""

    proofs: ProofDocument
    statement: Statement

    @property
    def sides(self) -> tuple[Term, Term]:
        """What it says to be equal."""
        return self.statement.lines[0].left, self.statement.lines[-1].right


@dataclass(frozen=True, slots=True)
class Correction:
    """What should stand in place of a wrong member.

    Attributes:
        numbers: the equations that it corrects.
        members: members of their chain.
        used_in: claims that use the right definition.
        theorems: equations that are proved in a proof document.
        text: the same as text.
    """

    numbers: tuple[str, ...]
    members: tuple[Term, ...]
    used_in: tuple[Claim, ...]
    theorems: tuple[Theorem, ...]
    text: str


@dataclass(frozen=True, slots=True)
class EquationBlock:
    """A chain of printed equations, or the reason why there is no claim.

    Attributes:
        numbers: the equations that it prints.
        values: the chain claims equality of values.
        members: the chain.
        reason: for a block without claim, why.
        condition: what the paper names as the condition of the claim.
        without: the claim without it, which is to fail.
        used_in: for a definition, claims that use it.
        theorems: what proves that members are equal, where that is not left to the strategies.
        readings: how an equation is read that leaves something to its reader, by its number.
    """

    numbers: tuple[str, ...]
    values: bool
    members: tuple[Member, ...]
    reason: str
    condition: str
    without: Claim | None
    used_in: tuple[Claim, ...]
    theorems: tuple[Theorem, ...] = ()
    readings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PaperDocument:
    """A document of a paper's equations, read.

    Attributes:
        title: its first line, a comment.
        document: the declarations.
        notation: what is read for what is printed.
        printed: the LaTeX of each equation.
        equations, corrections: the blocks.
    """

    title: str
    document: Document
    notation: Notation
    printed: dict[str, str]
    equations: tuple[EquationBlock, ...]
    corrections: tuple[Correction, ...]
    file: str | None = None


def load_paper(path: str | Path) -> PaperDocument:
    """Read the document in a file.

    Raises:
        SurrogateError: as :func:`read_paper`; or the file cannot be read.
    """
    return read_paper(read_text(path), str(path))


def read_paper(text: str, file: str | None = None) -> PaperDocument:
    """Read a document of equations.

    Raises:
        ParseError: a block that is not of its form, a chain that has not the members that are printed.
        SurrogateError: declarations or members that are not of the language.
    """
    return _Reader(text, file).read()


class _Reader:
    def __init__(self, text: str, file: str | None) -> None:
        self.text, self.file = text, file
        self.split = split_blocks(text, file)
        self.document = Sources(self.split).document()

    def wrong(self, what: str, instead: str, span: Span) -> ParseError:
        return ParseError(what, instead=instead, text=self.text, span=span, file=self.file)

    def read(self) -> PaperDocument:
        title = self.text.lstrip().split("\n", 1)[0].lstrip("# ").rstrip()
        blocks = self.split.blocks
        pairs = [pair for b in blocks if b.keyword == "notation" for pair in self.pairs(b)]
        printed: dict[str, str] = {}
        for block in blocks:
            if block.keyword == "printed":
                number = block.header.text.rstrip(": ")
                if not number or number in printed:
                    advice = "printed 62:  and the LaTeX in indented lines below"
                    raise self.wrong("a printed equation has a number of its own", advice, block.word)
                printed[number] = "\n".join(line.text for line in block.body)
        equations = tuple(self.equation(b, printed) for b in blocks if b.keyword == "equation")
        corrections = tuple(self.correction(b) for b in blocks if b.keyword == "corrected")
        notation = Notation(pairs)
        return PaperDocument(
            title, self.document, notation, printed, equations, corrections, self.file
        )

    def pairs(self, block: Block) -> Iterator[tuple[str, str]]:
        for line in block.body:
            printed, sign, read = line.text.partition("=>")
            if not sign:
                raise self.wrong("a notation without =>", r"\hat{Z}_{\text{PF}} => \hat{Z}", line.span)
            yield printed.strip(), read.strip()

    # Equations --------------------------------------------------------------------------------

    def equation(self, block: Block, printed: dict[str, str]) -> EquationBlock:
        head = self.header(block)
        numbers = self.numbers(head.group("numbers"), block)
        displays = [(number, printed[number]) for number in numbers if number in printed]
        reason = " ".join(head.group("reason").split())
        if reason or not block.body:
            reason = reason or "a definition"
            return EquationBlock(numbers, True, (), reason, "", None, ())
        members: list[Member] = []
        condition, without, used = "", None, []
        theorems: list[Theorem] = []
        ways: dict[str, str] = {}
        for kind, piece in self.lines(block.body):
            if kind == "read as":
                number, _, way = piece.text.partition(",")
                if number.strip() not in numbers or not way.strip():
                    raise self.wrong("a reading of none of the equations", "read as: 70, …", piece.span)
                ways[number.strip()] = " ".join(way.split())
            elif kind == "condition":
                condition = " ".join(piece.text.split())
            elif kind == "without":
                without = self.claim(piece)
            elif kind == "used in":
                used.append(self.claim(piece))
            elif kind == "by theorem":
                theorems += self.theorems(piece, same=True)
            else:
                members.append(self.member(kind, piece))
        aligned = self.aligned(members, displays, block) if displays and members else tuple(members)
        values = head.group("strict") is None
        return EquationBlock(
            numbers, values, aligned, "", condition, without, tuple(used), tuple(theorems), ways
        )

    def theorems(self, piece: Piece, same: bool) -> Iterator[Theorem]:
        """The theorems that a line names; ``same``, of a document with the declarations of this one.

        Raises:
            ParseError: it names none, or such with other declarations.
            SurrogateError: the proof document cannot be read.
        """
        found = _THEOREMS.fullmatch(piece.text.strip())
        if found is None:
            raise self.wrong("no theorem is named", 'by theorem: "unbiased.sc" theorem_1', piece.span)
        proofs = load_proofs(Path(self.file or "").parent / found.group(1))
        for name in found.group(2).split(","):
            statement = proofs.statement(canonical_name(name.strip()))
            if statement is None or statement.kind == "refute":
                known = ", ".join(s.name for s in proofs.statements if s.kind == "theorem")
                raise self.wrong(f"there is no theorem {name.strip()}", f"one of {known}", piece.span)
            if same and _declared(statement.document) != _declared(self.document):
                advice = f'use "{found.group(1)}", and no declarations besides'
                raise self.wrong(f"{statement.name} is about other declarations", advice, piece.span)
            yield Theorem(proofs, statement)

    def header(self, block: Block) -> re.Match[str]:
        head = _HEADER.fullmatch(block.header.text)
        if head is None:
            advice = "equation 61, 62 in value:  or  equation 17: a limit"
            raise self.wrong("an equation without its number and a colon", advice, block.word)
        return head

    def numbers(self, text: str, block: Block) -> tuple[str, ...]:
        numbers = tuple(n.strip() for n in text.split(",") if n.strip())
        if not numbers:
            raise self.wrong("an equation without its number", "equation 61, 62 in value:", block.word)
        return numbers

    def lines(self, body: Sequence[Piece]) -> Iterator[tuple[str, Piece]]:
        """The members and other lines of a block: what each begins with, and the rest of it."""
        starts = [(piece, _LINE.match(piece.text)) for piece in body]
        kind, first, last = "", None, None
        for piece, found in starts:
            if found is None and first is not None:
                last = piece
                continue
            if first is not None and last is not None:
                yield kind, self.between(first, last)
            kind = "" if found is None else found.group("by") or found.group("sign")
            first = piece if found is None else piece.part(found.end())
            last = first
        if first is not None and last is not None:
            yield kind, self.between(first, last)

    def between(self, first: Piece, last: Piece) -> Piece:
        span = Span(first.span.start, last.span.end)
        text = self.text[span.start : span.end]
        return Piece(_COMMENT.sub(lambda found: " " * len(found.group()), text).rstrip(), span)

    def member(self, kind: str, piece: Piece) -> Member:
        relation = kind if kind in ("≈", "by construction") else "=" if kind else ""
        unread = _UNREAD.match(piece.text)
        if unread is not None:
            text = " ".join(unread.group(2).split())
            return Member(relation, None, text, piece.span, claims=unread.group(1) == "not read")
        return Member(relation, self.term(piece), " ".join(piece.text.split()), piece.span)

    def term(self, piece: Piece) -> Term:
        try:
            return parse(piece.text, self.document, indices=tuple(self.document.indices))
        except SurrogateError as error:
            if error.span is not None:
                error.span = Span(error.span.start + piece.span.start, error.span.end + piece.span.start)
            error.text, error.file = self.text, self.file
            raise

    def claim(self, piece: Piece) -> Claim:
        from .chains import raw_chain

        first, lines = raw_chain(piece, self.text, self.file)
        if len(lines) != 1:
            raise self.wrong("a claim with more than one equality sign", "A = B, or A =→ B", piece.span)
        (line,) = lines
        return Claim(self.term(first), self.term(line.right), line.values, " ".join(piece.text.split()))

    def aligned(
        self, members: Iterable[Member], displays: Sequence[tuple[str, str]], block: Block
    ) -> tuple[Member, ...]:
        """Each member with what is printed of it.

        Raises:
            ParseError: the print has other members, or other relations between them.
        """
        members = list(members)
        shown = printed_members(displays)
        written = [m for m in members if m.relation != "by construction"]
        if len(shown) != len(written):
            what = f"{len(written)} members are written, and {len(shown)} printed"
            raise self.wrong(what, "a line for each printed member", block.word)
        out: list[Member] = []
        waiting = iter(shown)
        for member in members:
            if member.relation == "by construction":
                out.append(member)
                continue
            print_ = next(waiting)
            if print_.relation and member.relation and print_.relation != member.relation:
                what = f"{member.relation} is written and {print_.relation} printed"
                raise self.wrong(what, f"write {print_.relation}", member.span)
            out.append(replace(member, printed=print_))
        return tuple(out)

    def correction(self, block: Block) -> Correction:
        numbers = self.numbers(block.header.text.rstrip(": "), block)
        members: list[Term] = []
        used: list[Claim] = []
        theorems: list[Theorem] = []
        shown: list[str] = []
        for kind, piece in self.lines(block.body):
            if kind == "by theorem":
                for theorem in self.theorems(piece, same=False):
                    theorems.append(theorem)
                    shown += map(str, theorem.sides)
                continue
            if kind == "used in":
                used.append(self.claim(piece))
            else:
                members.append(self.term(piece))
            shown.append(" ".join(piece.text.split()))
        return Correction(numbers, tuple(members), tuple(used), tuple(theorems), " = ".join(shown))


def _declared(document: Document) -> Document:
    """A document for comparison: what it declares, wherever that is written."""
    return replace(document, text="", file=None)
