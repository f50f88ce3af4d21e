"""Documents: declarations, definitions, and what is to be derived.

A document is a list of statements, each on a line of its own or separated by ``;``.  A line that is
indented, or that begins inside a bracket, continues the one before.  ``#`` begins a comment.

===========================================  ====================================================
``count N, T``                               positive whole numbers
``parameter θ, φ``, ``parameter β[k]``       scalars; a vector over the range of its index
``index i, j = 1..N``                        names of indices and their range
``observed y``, ``observed y[t]``            data
``variable x[i]``                            any other variable or family; only needed for a name that
                                             stands in no density's slots, or to fix its indices
``density p(x, y | z; θ)``                   positive, integrates to one in what stands left of ``|``
``function f(x; θ)``                         smooth, of any sign
``resampling R``                             draws ancestors, unbiased for the weights it is given
``sample x[t,i] ~ q(· | x[t-1,i]; φ)``       how a family is drawn; a law may be a mixture, or stopped
``sample a[t,·] ~ R(w[t-1,·])``              an ancestor map, drawn a row at a time
``lineage x̃ of x by a``                      the path ``x̃[lo:hi,i]`` of particle i of time hi; its map ``ã``
``define w[i] = …``                          a name for a term
``define w[0,i] = …``, ``define w[t,i] = …``   a family by recursion: base case and general case
``derive →(∇θ …)``                           what is to be worked out
===========================================  ====================================================

Definitions may stand in any order, and before what they use.  Recursions go forward or backward in one
index, from base cases at one end of its range.

A name in a slot of a density or function is thereby declared a variable, plain or of any indices,
unless a statement declares it otherwise; the names behind ``;`` must be declared parameters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import DeclarationError, ParseError, Span
from .arithmetic import Node
from .blocks import BLOCKS
from .checks import Role, check_indices, is_index_like, walk
from .declarations import ROW, Definition, Document, Family, Lineage, Range, Sample, Target
from .heads import Head, Layout, layout
from .linear import read
from .names import canonical_name, closest
from .parser import run
from .recursion import Body, Use, grouped, total, uses_of
from .scanner import KEYWORDS, Token, check_brackets, classify, scan, statements
from .statements import StatementBuilder
from .terms import ZERO, Add, Fn, Indexed, Mul, Num, Sym, postorder

__all__ = ["load", "parse_document", "read_text"]



def load(path: str | Path) -> Document:
    """Read the document in a file.

    Raises:
        ParseError: the file cannot be read, is not UTF-8, or is not of the language.
        DeclarationError: statements that contradict each other.
    """
    return parse_document(read_text(path), file=str(path))


def read_text(path: str | Path) -> str:
    """The text of a file.

    Raises:
        ParseError: it cannot be read, or is not UTF-8.
    """
    name = str(path)
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        if isinstance(error, UnicodeDecodeError):
            raise ParseError(
                f"the file is not UTF-8 at byte {error.start}", instead="save it as UTF-8", file=name
            ) from None
        reason = getattr(error, "strerror", None) or "no such file"  # a NUL in its name
        raise ParseError(f"the file cannot be read: {reason}", instead="check its name", file=name) from None


def parse_document(text: str, file: str | None = None) -> Document:
    """Read a document.

    Raises:
        ParseError: text that is not of the language, with line, column, caret and advice.
        DeclarationError: statements that contradict each other, a name used against its declaration, a
            recursion without a base case or order, an index out of its range.
        TermError: an ill-formed term.
    """
    check_brackets(text, file)
    reader = _Reader(Document(text=text, file=file))
    for tokens in statements(scan(text, file), text):
        if tokens:
            reader.announce(tokens)
    return reader.document_of_all()


class _Reader:
    """Reads declarations and heads first, so that what they hold may use any of them, then the rest."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.heads: dict[str, list[Head]] = {}
        self.waiting: list[list[Token]] = []
        self.layouts: dict[str, Layout] = {}
        self.bodies: dict[str, list[Body]] = {}
        self.targets: list[tuple[Target, Node]] = []
        self.lines: list[tuple[Token, Token, Token]] = []
        self.slots: list[Node] = []

    # Declarations and heads -------------------------------------------------------------------

    def announce(self, tokens: list[Token]) -> None:
        """Read a declaration, or the head of anything else."""
        word = tokens[0]
        kind = KEYWORDS.get(word.value) if word.type == "NAME" else None
        if kind is None:
            raise _no_statement(tokens, self.document)
        word.type = kind
        if kind == "LINEAGE":
            for token, role in zip(tokens[1:], ("NAME", "OF", "NAME", "BY", "NAME"), strict=False):
                if token.type == "NAME" and role == token.value.upper():
                    token.type = role
        end = next((k for k, t in enumerate(tokens) if t.type == ("EQ" if kind == "DEFINE" else "TILDE")), 0)
        if kind in ("DEFINE", "SAMPLE") and end:
            head = StatementBuilder(self.document, kind).heading_of(_copied(tokens[:end]))
            self.heads.setdefault(head.name, []).append(head)
            self._family(head.name, Family(head.role, (None,) * len(head.indices)))
            self.waiting.append(tokens)
        elif kind == "DERIVE":
            self.waiting.append(tokens)
        else:
            found = self._read(tokens)
            if kind == "LINEAGE":
                StatementBuilder(self.document, kind)._declare(found[0], self.document)
                self.lines.append(found)
                self._family(found[0].value, Family("a lineage", (None, None)))
            else:
                self.document = found

    def _read(self, tokens: list[Token]) -> Any:
        """What a whole statement says."""
        builder = StatementBuilder(self.document, tokens[0].type)
        result = run("statement", classify(tokens), builder)
        builder.finish()
        self.slots += builder.slots_read
        return result

    def _family(self, name: str, family: Family) -> None:
        document = self.document
        variables = {n: s for n, s in document.variables.items() if n != name}
        self.document = replace(document, families={**document.families, name: family}, variables=variables)

    def _wrong(self, what: str, instead: str, token: Token) -> DeclarationError:
        where = Span(token.start, token.end)
        return DeclarationError(
            what, instead=instead, text=self.document.text, span=where, file=self.document.file
        )

    # All of it --------------------------------------------------------------------------------

    def document_of_all(self) -> Document:
        """The document, when every statement has been announced."""
        for slot in self.slots:
            self._check_slot(slot)
        for name, heads in self.heads.items():
            self.layouts[name] = layout(heads, self.document)
            self._family(name, Family(heads[0].role, self.layouts[name].shape))
        for line in self.lines:
            self._lineage(*line)
        for tokens in self.waiting:
            found = self._read(tokens)
            if isinstance(found, Body):
                self.bodies.setdefault(found.head.name, []).append(found)
            else:
                self.targets.append(found)
        for name, layout_ in self.layouts.items():
            if self.document.families[name].role == "an ancestor map":
                self._family(name, Family("an ancestor map", self._with_row(layout_)))
        self.document = replace(
            self.document,
            definitions=tuple(self._maps()),
            samples=self._samples(),
            targets=tuple(t for t, _ in self.targets),
        )
        self.document = replace(self.document, index_valued=self._index_valued())
        self.document = replace(self.document, definitions=self._definitions()).settled()
        self._check()
        return self.document

    def _check_slot(self, slot: Node) -> None:
        """The indices of a slot are declared names, numbers, and whole steps from them."""
        for index, place in zip(slot.term.args, slot.kids, strict=False):
            form = read(index)
            known = (*self.document.indices, *self.document.counts)
            if form is None or any(name not in known for name in form.parts):
                shown = self.document.text[place.start : place.end]
                declare = f", or declare  index {shown} = 1..N" if isinstance(index, Sym) else ""
                raise self._wrong(
                    f"{shown} is no index of a slot",
                    f"write a declared index, as in {slot.term.key}[t-1]{declare}",
                    Token("", "", place.start, place.end),
                )

    def _lineage(self, name: Token, of: Token, by: Token) -> None:
        """One lineage, and the name of its map."""
        document = self.document
        family, ancestors = document.families.get(of.value), document.families.get(by.value)
        if family is None or family.role not in ("sampled", "defined") or len(family.shape) != 2:
            raise self._wrong(
                f"{of.value} is no family over time and particles",
                f"draw or define {of.value}[t,i], the first index its time",
                of,
            )
        if ancestors is None or ancestors.role == "sampled" or len(ancestors.shape) != 2:
            raise self._wrong(
                f"{by.value} is no ancestor map over time and particles",
                f"write  sample {by.value}[t,·] ~ R(w[t-1,·]), or define it by such a map",
                by,
            )
        mark = canonical_name(re.sub(r"^[^\W\d_]+[\u0300-\u036f]*", "\\g<0>\u0303", by.value))
        while document.declares(mark):
            mark += "'"
        line = Lineage(name.value, of.value, by.value, mark)
        self._family(name.value, Family("a lineage", family.shape))
        times, particles = family.shape
        self._family(mark, Family("defined", (times, times, particles)))
        self.document = replace(self.document, lineages={**self.document.lineages, name.value: line})

    def _with_row(self, family: Layout) -> tuple[Range | None, ...]:
        """The shape of a map: its row is as long as that of its weights.

        Raises:
            DeclarationError: weights of different lengths.
        """
        ranges: dict[Range, Body] = {}
        for body in self.bodies[family.name]:
            for node in postorder(body.node.term):
                shape = (
                    self.document.shape(node.key) if isinstance(node, Indexed) and ROW in node.args else None
                )
                if shape is not None:
                    bounds = shape[node.args.index(ROW)]
                    if bounds is not None:
                        ranges.setdefault(bounds, body)
        if len(ranges) > 1:
            shown = " and ".join(f"{lo}..{hi}" for lo, hi in ranges)
            raise list(ranges.values())[-1].head.at(
                self.document, f"the weights of {family.name} have rows over {shown}", "draw from one row"
            )
        row = next(iter(ranges), None)
        model = family.heads[0].indices
        return tuple(row if i == ROW else r for i, r in zip(model, family.shape, strict=True))

    def _maps(self) -> Iterator[Definition]:
        """The defined maps of the lineages."""
        for line in self.document.lineages.values():
            family = self.layouts[line.by]
            time, particle = (n or "" for n in family.indices)
            time, particle = time or "t", particle if particle not in ("", ROW.key) else ""
            names = [time]
            particle = particle or next(n for n in "ijk" if n not in names)
            start = next(n for n in ("s", "r", "u", "s'") if n not in (time, particle))
            s, t, i = Sym(start), Sym(time), Sym(particle)
            before = Add(t, Num(-1))
            measure = Add(t, Mul(Num(-1), s))
            earlier = Indexed(line.map, s, before, Indexed(line.by, t, i))
            body = Fn("cases", Fn("gt", measure, ZERO), earlier, i)
            yield Definition(line.map, (start, time, particle), body, measure)

    def _samples(self) -> tuple[Sample, ...]:
        bodies = [b for own in self.bodies.values() for b in own if b.head.sampled]
        bodies.sort(key=lambda b: b.head.span.start)
        return tuple(Sample(b.head.name, b.head.indices, b.node.term, b.head.span) for b in bodies)

    def _index_valued(self) -> frozenset[str]:
        """Maps, and what is defined by them or used as an index."""
        document = self.document
        maps = {n for n, f in document.families.items() if f.role == "an ancestor map"}
        maps |= {line.map for line in document.lineages.values()}
        nodes = [b.node for bodies in self.bodies.values() for b in bodies] + [n for _, n in self.targets]
        as_index = {
            v.node.term.key
            for n in nodes
            for v in walk(n)
            if v.role is Role.INDEX and isinstance(v.node.term, Indexed)
        }
        while True:
            before = len(maps)
            for name, bodies in self.bodies.items():
                if name in maps or bodies[0].head.sampled:
                    continue
                kinds = [
                    is_index_like(b.node.term, [*document.counts, *map(str, b.head.indices)], maps)
                    for b in bodies
                ]
                if all(kinds) and (2 in kinds or name in as_index):
                    maps.add(name)
            if len(maps) == before:
                return frozenset(maps)

    def _definitions(self) -> tuple[Definition, ...]:
        """Every definition, total and sorted."""
        document = self.document
        uses = {n: [u for b in bodies for u in uses_of(b, document)] for n, bodies in self.bodies.items()}
        maps = {d.name: d for d in document.definitions}
        for line in document.lineages.values():
            now = tuple(read(Sym(n)) for n in maps[line.map].indices[1:])
            place = next(Span(t.start, t.end) for t, *_ in self.lines if t.value == line.name)
            uses[line.map] = [
                Use(line.map, None, line.by, now, place), Use(line.map, None, line.map, (None, *now), place)
            ]  # fmt: skip
        grouped([*self.layouts, *maps], self.layouts, uses, document, strict=False)
        defined = [n for n in self.layouts if document.families[n].role == "defined"]
        out: list[Definition] = []
        for number, group in enumerate(grouped([*defined, *maps], self.layouts, uses, document, strict=True)):
            if group.names[0] in maps:
                out.append(replace(maps[group.names[0]], group=number))
            else:
                out.extend(total(group, self.layouts, self.bodies, number))
        return tuple(out)

    def _check(self) -> None:
        """The indices of every statement."""
        document = self.document
        for line in self.lines:
            by = line[2]
            if by.value not in document.index_valued:
                raise self._wrong(
                    f"{by.value} is no ancestor map",
                    f"write  sample {by.value}[t,·] ~ R(w[t-1,·]), or define it by such a map",
                    by,
                )
            of = line[1]
            particles, drawn = (document.families[n.value].shape[-1] for n in (of, by))
            if None not in (particles, drawn) and particles != drawn:
                raise self._wrong(
                    f"{by.value} gives no particles of {of.value}",
                    f"the last index of both runs over the particles: {by.value}[t,·], {of.value}[t,i]",
                    by,
                )
        for name, bodies in self.bodies.items():
            role = Role.INDEX if name in document.index_valued and not bodies[0].head.sampled else Role.VALUE
            for body in bodies:
                check_indices(body.node, document, self.layouts[name].ranges(body.head), role)
        for _, node in self.targets:
            check_indices(node, document, {})


def _copied(tokens: list[Token]) -> list[Token]:
    return [Token(t.type, t.value, t.start, t.end) for t in tokens]


def _no_statement(tokens: list[Token], document: Document) -> ParseError:
    head = tokens[0]
    word = head.value
    if word in BLOCKS:
        what = f"{word} belongs to a proof document, and this is read for its declarations only"
        advice = "sc.check_document, or  surrogate check FILE.sc"
    else:
        what = f"{document.text[head.start : head.end]!r} begins no statement"
        near = closest(word, [*KEYWORDS, *BLOCKS])
        if len(tokens) > 1 and any(t.type == "EQ" for t in tokens[1:]) and near is None:
            advice = f"for a definition write  define {word} = …"
        elif near:
            advice = f"write {near}"
        else:
            advice = f"begin with one of: {', '.join(KEYWORDS)}"
    return ParseError(
        what, instead=advice, text=document.text, span=Span(head.start, head.end), file=document.file
    )
