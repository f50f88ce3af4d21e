"""Reading proof documents, see :mod:`.proofs`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from ..errors import DeclarationError, ParseError, Span, SurrogateError
from .blocks import Block, Piece, SplitDocument, split_blocks
from .chains import RawHint, RawLine, colon, comparison, items, plain, raw_chain
from .declarations import Document
from .document import read_text
from .names import NAME, canonical_name, closest
from .parser import parse
from .proofs import (
    HYPOTHESIS,
    Assumption,
    Binding,
    Hint,
    Induction,
    Line,
    ProofDocument,
    Quantified,
    Statement,
)
from .sources import Sources
from .terms import ZERO, App, Sym, Term

__all__ = ["load_proofs", "read_proofs"]

_HEAD = re.compile(
    rf"({NAME}(?:[-.](?:{NAME}|\d+))*)?\s*(?:for\s+every\s+(.*?))?"
    rf"(?:\s*by\s+induction\s+on\s+({NAME})(?:\s+from\s+({NAME}))?)?",
    re.DOTALL,
)
_KINDS = ("theorem", "lemma", "refute")


def load_proofs(path: str | Path) -> ProofDocument:
    """Read the proof document in a file.

    Raises:
        SurrogateError: as :func:`read_proofs`; or the file cannot be read.
    """
    return read_proofs(read_text(path), file=str(path))


def read_proofs(text: str, file: str | None = None) -> ProofDocument:
    """Read a proof document.

    Raises:
        ParseError: text that is not of the language, with line, column, caret and advice.
        DeclarationError: a name that is given twice, or used before it is proved.
        TermError: an ill-formed term.
    """
    return _Reader(split_blocks(text, file)).read()


class _Reader:
    """Reads the blocks of one document, in their order."""

    def __init__(self, split: SplitDocument) -> None:
        self.split = split
        self.text, self.file = split.text, split.file
        self.bare = plain(split.text)
        self.sources = Sources(split)
        self.document = self.sources.document()
        self.assumptions: list[Assumption] = []
        self.statements: list[Statement] = []
        self.places: dict[str, Span] = {}  # where each named block of the document stands

    def wrong(
        self, what: str, instead: str, span: Span, cls: type[SurrogateError] = ParseError
    ) -> SurrogateError:
        return cls(what, instead=instead, text=self.text, span=span, file=self.file)

    def read(self) -> ProofDocument:
        heads = [
            (block, *self._head(block)) for block in self.split.blocks if block.keyword in (*_KINDS, "assume")
        ]
        for block, name, *_ in heads:
            if name is not None:
                self._take_name(name, block)
        for block, name, quantified, _, rest in heads:
            if block.keyword == "assume":
                self.assumptions.append(self._assumption(block, name, quantified, rest))
        for block, name, quantified, induction, rest in heads:
            if block.keyword != "assume":
                self.statements.append(self._statement(block, name, quantified, induction, rest))
        return ProofDocument(
            self.text, self.file, self.document, tuple(self.assumptions), tuple(self.statements), self.split
        )

    # Heads ------------------------------------------------------------------------------------

    def _head(
        self, block: Block
    ) -> tuple[str | None, tuple[Quantified, ...], Induction | None, Piece]:
        """The name of a block, what it is for every value of, its induction, and the rest.

        Raises:
            ParseError: a theorem without a name, or without a colon behind its head.
        """
        start = block.word.end
        whole = Piece(self.bare[start : block.span.end], Span(start, block.span.end)).part(0)
        at = colon(whole)
        found = None if at is None else _HEAD.fullmatch(whole.part(0, at).text)
        name, every, count, base = (None,) * 4 if found is None else found.groups()
        if block.keyword == "assume" and name is None and every is None:
            return None, (), None, whole
        mute = count is not None and block.keyword not in ("theorem", "lemma")
        if found is None or at is None or mute or (name is None and block.keyword != "assume"):
            what = f"a {block.keyword} has a name, and a colon behind its head"
            instead = f"{block.keyword} name:  or  {block.keyword} name for every f(x; θ):"
            raise self.wrong(what, instead, block.header.span)
        head = whole.part(0, at)
        quantified = () if every is None else self._quantified(head.part(found.start(2), found.end(2)))
        rest = whole.part(at + 1)
        if not rest.text:
            raise self.wrong(
                f"nothing is claimed by this {block.keyword}", "A = B in the lines below", block.header.span
            )
        induction = None
        if count is not None:
            place = head.part(found.start(3)).span
            named = None if base is None else canonical_name(base)
            induction = Induction(canonical_name(count), named, place)
        return name, quantified, induction, rest

    def _take_name(self, name: str, block: Block) -> None:
        if name in self.places or name == HYPOTHESIS:
            earlier = (
                f"in line {self.text.count(chr(10), 0, self.places[name].start) + 1}"
                if name in self.places
                else ""
            )
            what = f"the name {name} is given {earlier} already" if earlier else f"{name} is a word of proofs"
            raise self.wrong(what, "another name", block.header.span, DeclarationError)
        self.places[name] = block.span

    def _quantified(self, piece: Piece) -> tuple[Quantified, ...]:
        """What stands behind ``for every``.

        Raises:
            ParseError: what is neither a name nor a function at its arguments.
        """
        out = []
        for item in items(piece):
            found = comparison(item)
            what, sign, zero = found if found is not None else (item, "", None)
            name = re.match(NAME, what.text)
            shape = name is not None and (
                name.end() == len(what.text)
                or (what.text[name.end() :].lstrip()[:1], what.text[-1]) == ("(", ")")
            )
            function = name is not None and name.end() < len(what.text)
            bound = (sign, "" if zero is None else zero.text)
            whole = not function and bound in ((">=", "1"), ("≥", "1"))
            if name is None or not shape or (sign and bound != (">", "0") and not whole):
                raise self.wrong(
                    f"{item.text!r:.60} is nothing that a claim could hold for every value of",
                    "for every x, f(x; θ), n >= 1 for a whole number, or E(x; θ) > 0 for a positive function",
                    item.span if item.text else Span(item.span.start, item.span.start + 1),
                )
            named = canonical_name(name.group())
            out.append(Quantified(named, what.text, what.span, function, bool(sign) and not whole, whole))
        return tuple(out)

    def _scope(self, quantified: Iterable[Quantified]) -> Document:
        """The document with what is quantified declared."""
        functions = [q for q in quantified if q.function]
        more = [("function", q.text, q.span) for q in functions]
        document = self.sources.document(more) if more else self.document
        names = [q for q in quantified if not q.function and not document.declares(q.name)]
        if names:
            kinds = [("count" if q.whole else "variable", q.text, q.span) for q in names]
            document = self.sources.document([*more, *kinds])
        for q in quantified:
            if q.whole and q not in names:
                instead = "a name of its own, as n in  for every n >= 1"
                raise self.wrong(f"{q.name} is declared already", instead, q.span, DeclarationError)
        return document

    def _parse(self, piece: Piece, document: Document, quantified: Iterable[Quantified] = ()) -> Term:
        """The term of a piece of the source, in which indices may stand free that are quantified.

        Raises:
            SurrogateError: it is none; placed in the source.
        """
        free = [q.name for q in quantified if not q.function and q.name in document.indices]
        try:
            return parse(piece.text, document, file=self.file, indices=free)
        except SurrogateError as error:
            span = error.span if error.span is not None else Span(0, len(piece.text))
            error.span = Span(span.start + piece.span.start, span.end + piece.span.start)
            error.text, error.file = self.text, self.file
            raise

    # Blocks -----------------------------------------------------------------------------------

    def _assumption(
        self, block: Block, name: str | None, quantified: tuple[Quantified, ...], rest: Piece
    ) -> Assumption:
        document = self._scope(quantified)
        word = re.fullmatch(r"interchange|support", rest.text.strip())
        if word is not None:  # wherever it is asked for
            return Assumption(word.group(), name, quantified, document, (), False, block.span)
        word = re.match(r"(interchange|support)(?=\s)", rest.text)
        if word is not None:
            term = self._parse(rest.part(word.end()), document, quantified)
            return Assumption(word.group(), name, quantified, document, (term,), False, block.span)
        found = comparison(rest)
        if found is None or not found[0].text or not found[2].text:
            raise self.wrong(
                "this assumes nothing",
                "assume E != 0, assume E > 0, assume interchange E, or assume NAME: A = B",
                rest.span,
            )
        left, sign, right = found
        if sign == "=":
            if name is None:
                raise self.wrong(
                    "an equation that is assumed has a name", f"assume name: {rest.text:.60}", rest.span
                )
            first, lines = raw_chain(rest, self.text, self.file)
            if len(lines) != 1 or lines[0].hints is not None:
                raise self.wrong(
                    "an axiom is one equation, and is not proved", "assume name: A = B", rest.span
                )
            sides = tuple(self._parse(side, document, quantified) for side in (first, lines[0].right))
            return Assumption("equation", name, quantified, document, sides, lines[0].values, block.span)
        small, large = (self._parse(side, document, quantified) for side in (right, left))
        if sign in ("<", "<=", "≤"):
            small, large = large, small
        term = large if small == ZERO else large - small
        kind = {"!=": "nonzero", "≠": "nonzero", ">": "positive", "<": "positive"}.get(sign, "nonnegative")
        return Assumption(kind, name, quantified, document, (term,), False, block.span)

    def _statement(
        self,
        block: Block,
        name: str | None,
        quantified: tuple[Quantified, ...],
        induction: Induction | None,
        rest: Piece,
    ) -> Statement:
        assert name is not None
        whole = next((q for q in quantified if q.whole), None)
        if whole is not None:
            what = f"a {block.keyword} is about the counts and indices of its document"
            raise self.wrong(what, f"count {whole.name}, in the document", whole.span)
        document = self._scope(quantified)
        if induction is not None:
            self._check_induction(induction, document)
        first, raw = raw_chain(rest, self.text, self.file)
        if block.keyword == "refute" and (len(raw) > 1 or raw[0].hints is not None):
            raise self.wrong(
                "a claim to be refuted is one equation without hints", "refute name: A = B", rest.span
            )
        left = self._parse(first, document, quantified)
        lines = []
        for line in raw:
            right = self._parse(line.right, document, quantified)
            span = Span(line.sign.start, line.right.span.end)
            hints = self._hints(line, name, document, quantified, induction is not None)
            lines.append(Line(line.values, left, right, hints, span))
            left = right
        place = Span(block.span.start, self.text.index(name, block.word.end) + len(name))
        return Statement(block.keyword, name, quantified, document, tuple(lines), place, induction)

    def _check_induction(self, induction: Induction, document: Document) -> None:
        """See that there is such a count and, before this, such a lemma.

        Raises:
            DeclarationError: there is none.
        """
        lemmas = [s.name for s in self.statements if s.kind != "refute"]
        for name, names, what in (
            (induction.count, list(document.counts), "is no count here"),
            (induction.base, [None, *lemmas], "is no lemma above this"),
        ):
            if name not in names:
                near = closest(str(name), [n for n in names if n is not None])
                instead = f"write {near}" if near else "induction on a count, from a lemma that is its base"
                raise self.wrong(f"{name} {what}", instead, induction.span, DeclarationError)

    # Hints ------------------------------------------------------------------------------------

    def _hints(
        self,
        line: RawLine,
        name: str,
        document: Document,
        quantified: tuple[Quantified, ...],
        whole: bool,
    ) -> tuple[Hint, ...] | None:
        """The hints of a line, what is put in joined to the lemma that it is put into.

        Raises:
            DeclarationError: a lemma that is not there, or not proved before.
        """
        if line.hints is None:
            return None
        inductive = whole or any(h.kind == "induction" for h in line.hints)
        out: list[Hint] = []
        for raw in line.hints:
            if raw.kind == "with":
                if not out or out[-1].kind != "using" or (out[-1].name == HYPOTHESIS and not whole):
                    raise self.wrong(
                        "there is nothing before it to put this into", "using LEMMA with …", raw.span
                    )
                before = out.pop()
                binding = self._binding(raw, before, document, quantified)
                out.append(Hint(before.kind, before.name, (*before.bindings, binding), before.span))
                continue
            if raw.kind == "using":
                self._check_use(raw, name, inductive)
            named = {
                "definition": [d.name for d in document.definitions],
                "draw": [sample.name for sample in document.samples],
                "induction": list(document.counts),
            }.get(raw.kind)
            if named is not None and raw.name not in named:
                near = closest(raw.name, named)
                done = {"definition": "defined", "draw": "drawn", "induction": "a count"}[raw.kind]
                raise self.wrong(
                    f"{raw.name} is not {done} here",
                    near or (f"one of: {', '.join(named)}" if named else "nothing is, in this document"),
                    raw.span,
                    DeclarationError,
                )
            out.append(Hint(raw.kind, raw.name, (), raw.span))
        return tuple(out)

    def _check_use(self, raw: RawHint, name: str, inductive: bool) -> None:
        """A lemma is proved before it is used.

        Raises:
            DeclarationError: it is not.
        """
        known: Mapping[str, object] = {
            **{a.name: a for a in self.assumptions if a.name is not None and a.kind == "equation"},
            **{s.name: s for s in self.statements if s.kind != "refute"},
        }
        if raw.name in known or (raw.name == HYPOTHESIS and inductive):
            return
        if raw.name == name:
            what, instead = f"{name} uses itself", "a lemma that stands before it; or induction on T"
        elif raw.name == HYPOTHESIS:
            what, instead = (
                "there is a hypothesis in an induction only",
                "by induction on T, using hypothesis",
            )
        elif any(s.name == raw.name for s in self.statements):
            what, instead = f"{raw.name} is a claim that is refuted", "a lemma, a theorem, or an axiom"
        elif raw.name in self.places:
            what, instead = f"{raw.name} is proved later", f"{raw.name} above {name}"
        else:
            near = closest(raw.name, list(known))
            what = f"there is no lemma {raw.name}"
            instead = (
                f"using {near}" if near else "a lemma, a theorem, or an assumed equation of this document"
            )
        raise self.wrong(what, instead, raw.span, DeclarationError)

    def _binding(
        self, raw: RawHint, hint: Hint, document: Document, quantified: tuple[Quantified, ...]
    ) -> Binding:
        """What is put in for a function or a name of a lemma.

        Raises:
            DeclarationError: the lemma does not hold for every such thing.
        """
        assert raw.value is not None
        if hint.name == HYPOTHESIS:
            scope, asked = document, quantified
        else:
            blocks: list[Statement | Assumption] = [*self.statements, *self.assumptions]
            lemma = next(b for b in blocks if b.name == hint.name)
            scope, asked = lemma.document, lemma.quantified
        found = re.match(NAME, raw.name)
        name = canonical_name(found.group()) if found else raw.name
        if name not in [q.name for q in asked]:
            every = ", ".join(q.text for q in asked)
            raise self.wrong(
                f"{hint.name} does not say that it holds for every {name}",
                f"one of: {every}" if every else f"using {hint.name} without with",
                raw.span,
                DeclarationError,
            )
        start = raw.span.start + self.text[raw.span.start : raw.span.end].index(raw.name)
        place = Span(start, start + len(raw.name))
        left = self._parse(Piece(raw.name, place), scope, asked)
        arguments = left.args if isinstance(left, App) else ()
        if not isinstance(left, App | Sym) or not all(isinstance(a, Sym) for a in arguments):
            raise self.wrong("the arguments here are names", "with f(x; θ) := g(x; θ)^2", raw.span)
        unknown = [a.key for a in arguments if not document.declares(a.key)]
        document = replace(document, variables={**document.variables, **dict.fromkeys(unknown)})
        return Binding(left, self._parse(raw.value, document, quantified), raw.span)
