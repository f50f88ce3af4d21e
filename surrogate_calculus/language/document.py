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
``define w[i] = …``                          a name for a term; may use earlier definitions
``derive →(∇θ …)``                           what is to be worked out
===========================================  ====================================================

A name in a slot of a density or function is thereby declared a variable, plain or of any indices,
unless a statement declares it otherwise; the names behind ``;`` must be declared parameters.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ..errors import DeclarationError, ParseError, Span
from .arithmetic import Node
from .builder import Builder
from .declarations import Definition, Document, Range, Signature, Target, Uses
from .names import closest, is_name
from .parser import run
from .scanner import KEYWORDS, Token, check_brackets, classify, scan, statements
from .terms import FUNCTIONS, Indexed, Num, Sym, Term

__all__ = ["load", "parse_document"]

#: Statements that the language will have, but has not yet.
_LATER = ("sample", "resampling", "lineage", "theorem", "assume", "proof", "axiom", "import", "use")


def load(path: str | Path) -> Document:
    """Read the document in a file.

    Raises:
        ParseError: the file cannot be read, is not UTF-8, or is not of the language.
        DeclarationError: statements that contradict each other.
    """
    name = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise ParseError(
            f"the file cannot be read: {error.strerror}", instead="check its name", file=name
        ) from None
    except UnicodeDecodeError as error:
        raise ParseError(
            f"the file is not UTF-8 at byte {error.start}", instead="save it as UTF-8", file=name
        ) from None
    return parse_document(text, file=name)


def parse_document(text: str, file: str | None = None) -> Document:
    """Read a document.

    Raises:
        ParseError: text that is not of the language, with line, column, caret and advice.
        DeclarationError: statements that contradict each other, or a name used against its declaration.
        TermError: an ill-formed term.
    """
    check_brackets(text, file)
    document = Document(text=text, file=file)
    for tokens in statements(scan(text, file), text):
        if tokens:
            document = _statement(tokens, document)
    return document


def _statement(tokens: list[Token], document: Document) -> Document:
    """The document after one more statement."""
    head = tokens[0]
    kind = KEYWORDS.get(head.value) if head.type == "NAME" else None
    if kind is None:
        raise _no_statement(tokens, document)
    head.type = kind
    classified = classify(tokens)
    builder = _StatementBuilder(document, kind)
    result: Document = run("statement", classified, builder)
    builder.finish()
    return result


def _no_statement(tokens: list[Token], document: Document) -> ParseError:
    head = tokens[0]
    word = head.value
    later = word in _LATER
    if later:
        what = f"{word} statements are not in this version"
        advice = "this version reads " + ", ".join(KEYWORDS)
    else:
        what = f"{document.text[head.start : head.end]!r} begins no statement"
        near = closest(word, list(KEYWORDS))
        if len(tokens) > 1 and any(t.type == "EQ" for t in tokens[1:]) and near is None:
            advice = f"for a definition write  define {word} = …"
        elif near:
            advice = f"write {near}"
        else:
            advice = f"begin with one of: {', '.join(KEYWORDS)}"
    return ParseError(
        what, instead=advice, text=document.text, span=Span(head.start, head.end), file=document.file
    )


class _StatementBuilder(Builder):
    """The callbacks of one statement; the last one gives the document with the statement in it."""

    def __init__(self, document: Document, kind: str) -> None:
        signature = kind in ("DENSITY", "FUNCTION")
        super().__init__(
            document.text,
            document.file,
            Uses(document, signature=signature, ranges=kind == "INDEX"),
            () if signature else document.vector_names,
        )
        self.document = document
        self.declaring = kind in ("PARAMETER", "OBSERVED", "VARIABLE")

    def _declare(self, token: Token, document: Document) -> str:
        """The name of a new declaration.

        Raises:
            DeclarationError: it has a meaning already.
        """
        name: str = token.value
        place = Span(token.start, token.end)
        where = {"text": self.text, "span": place, "file": self.file}
        if not is_name(name) or name in FUNCTIONS:
            raise DeclarationError(
                f"{name} is a word of the language", instead="choose another name", **where  # type: ignore[arg-type]
            )
        kind = document.kind(name)
        if kind is not None:
            raise DeclarationError(
                f"{name} is declared twice: it is {kind} already",
                instead="give one of the two another name",
                **where,  # type: ignore[arg-type]
            )
        return name

    def _wrong(self, what: str, instead: str, start: int, end: int) -> DeclarationError:
        return DeclarationError(what, instead=instead, text=self.text, span=Span(start, end), file=self.file)

    # Declarations -----------------------------------------------------------------------------

    def count(self, c: list[Any]) -> Document:
        """``count N, T``."""
        document = self.document
        for token in c[1]:
            document = replace(document, counts=(*document.counts, self._declare(token, document)))
        return document

    def declaration(self, c: list[Any]) -> tuple[Token, list[Node] | None]:
        """A name, with its indices."""
        if len(c) == 1:
            return c[0], None
        self._no_dots(c[2])
        return c[0], c[2]

    def name(self, c: list[Any]) -> Node:
        """A name; an index may stand free in a declaration."""
        token = c[0]
        if self.declaring and token.value in self.document.indices:
            return Node(Sym(token.value), token.start, token.end)
        return super().name(c)

    def _ranges(self, items: list[Node]) -> tuple[Range | None, ...]:
        """The ranges of declared indices."""
        out: list[Range | None] = []
        for item in items:
            term = item.term
            found = self.document.indices.get(term.key) if isinstance(term, Sym) else None
            if found is None:
                raise self._wrong(
                    "the indices of a declaration are declared index names",
                    "declare  index k = 1..K  first, then write [k]",
                    item.start,
                    item.end,
                )
            out.append(found)
        return tuple(out)

    def parameter(self, c: list[Any]) -> Document:
        """``parameter θ, β[k]``."""
        document = self.document
        for token, items in c[1]:
            name = self._declare(token, document)
            bounds: Range | None = None
            if items is not None:
                ranges = self._ranges(items)
                if len(ranges) != 1:
                    raise self._wrong(
                        f"the parameter {name} has {len(ranges)} indices; a vector has one",
                        f"declare its rows or columns as parameters of their own: {name}[k]",
                        token.start,
                        items[-1].end,
                    )
                bounds = ranges[0]
            document = replace(document, parameters={**document.parameters, name: bounds})
        return document

    def observed(self, c: list[Any]) -> Document:
        """``observed y[t]``."""
        document = self.document
        for token, items in c[1]:
            shape = self._ranges(items) if items is not None else ()
            name = self._declare(token, document)
            document = replace(document, observed={**document.observed, name: shape})
        return document

    def variable(self, c: list[Any]) -> Document:
        """``variable x[i]``."""
        document = self.document
        for token, items in c[1]:
            shape = self._ranges(items) if items is not None else ()
            known = document.variables
            if known.get(token.value, ()) is not None:  # a slot's name may get its indices afterwards
                self._declare(token, document)
            document = replace(document, variables={**known, token.value: shape})
        return document

    def index(self, c: list[Any]) -> Document:
        """``index i, j = 1..N``."""
        _, names, _, lo, _, hi = c
        document = self.document
        for bound in (lo, hi):
            if isinstance(bound.term, Num) and bound.term.value.denominator != 1:
                raise self._wrong(
                    "an index runs over whole numbers", "write index i, j = 1..N", bound.start, bound.end
                )
        for token in names:
            name = self._declare(token, document)
            document = replace(document, indices={**document.indices, name: (lo.term, hi.term)})
        return document

    def signature(self, c: list[Any]) -> tuple[Token, tuple[list[Node], list[Node], list[Node]]]:
        """``p(x, y | z; θ)``."""
        for part in c[2]:
            self._no_dots(part)
            for slot in part:
                if not isinstance(slot.term, (Sym, Indexed)):
                    raise self._wrong(
                        "a slot of a declaration is a name",
                        f"write {c[0].value}(x, y | z; θ)",
                        slot.start,
                        slot.end,
                    )
        return c[0], c[2]

    def _signatures(self, declared: list[Any], dense: bool) -> Document:
        document = self.document
        for token, slots in declared:
            name = self._declare(token, document)
            if dense and not slots[0]:
                raise self._wrong(
                    f"{name} is a density of nothing", f"write {name}(x; θ)", token.start, token.end
                )
            self._check_different(slots)
            for param in slots[2]:
                self._check_parameter(param, document)
            variables = dict(document.variables)
            for slot in (*slots[0], *slots[1]):
                key = slot.term.key
                if key == name:
                    raise self._wrong(f"{name} is its own argument", f"write {name}(x)", slot.start, slot.end)
                kind = document.kind(key)
                if kind is None:
                    if not is_name(key) or key in FUNCTIONS:
                        raise self._wrong(
                            f"{key} is a word of the language", "choose another name", slot.start, slot.end
                        )
                    variables[key] = None
                elif kind in ("a density", "a function"):
                    raise self._wrong(
                        f"{key} is {kind}, and stands in a slot without arguments",
                        "write a name for what is put in, such as x",
                        slot.start,
                        slot.end,
                    )
            terms: list[tuple[Term, ...]] = [tuple(s.term for s in part) for part in slots]
            signature = Signature(name, terms[0], terms[1], terms[2])
            if dense:
                document = replace(document, densities={**document.densities, name: signature})
            else:
                document = replace(document, functions={**document.functions, name: signature})
            document = replace(document, variables=variables)
        return document

    def _check_different(self, slots: tuple[list[Node], list[Node], list[Node]]) -> None:
        """Refuse a name that stands in two slots: ``p(x | x)`` would be a law given its own value."""
        seen: set[Term] = set()
        for slot in (*slots[0], *slots[1], *slots[2]):
            if slot.term in seen:
                raise self._wrong(
                    f"{self.text[slot.start : slot.end]} stands in two slots",
                    "write a name of its own in each",
                    slot.start,
                    slot.end,
                )
            seen.add(slot.term)

    def _check_parameter(self, param: Node, document: Document) -> None:
        key = param.term.key
        kind = document.kind(key)
        if kind == "a parameter":
            return
        parameters = list(document.parameters)
        near = closest(key, parameters)
        what = f"{key} is {kind or 'not declared'}, and stands behind ; as a parameter"
        if near:
            advice = f"write {near}"
        elif kind is None:
            advice = f"declare it first:  parameter {key}"
        else:
            advice = "behind ; write parameters only; put it left of ;"
        raise self._wrong(what, advice, param.start, param.end)

    def density(self, c: list[Any]) -> Document:
        """``density p(x; θ), q(x)``."""
        return self._signatures(c[1], True)

    def function(self, c: list[Any]) -> Document:
        """``function f(x; θ)``."""
        return self._signatures(c[1], False)

    # Definitions and targets ------------------------------------------------------------------

    def define_head(self, c: list[Any]) -> tuple[str, tuple[str, ...]]:
        """``define w[i]``: its indices are in scope from here on."""
        token = c[1]
        name = self._declare(token, self.document)
        indices: list[str] = []
        for index in c[3] if len(c) > 2 else ():
            if index.value not in self.document.indices:
                raise self._wrong(
                    f"{index.value} is not declared as an index",
                    f"declare  index {index.value} = 1..N  first",
                    index.start,
                    index.end,
                )
            if index.value in indices:
                raise self._wrong(
                    f"the index {index.value} stands twice", "write different indices", index.start, index.end
                )
            indices.append(index.value)
        self.scope = Uses(self.document, indices, name)
        return name, tuple(indices)

    def define(self, c: list[Any]) -> Document:
        """``define w[i] = …``."""
        (name, indices), _, body = c
        document = self.document
        return replace(
            document, definitions=(*document.definitions, Definition(name, indices, body.term))
        )

    def derive(self, c: list[Any]) -> Document:
        """``derive →(∇θ log Z)``."""
        node = c[1]
        document = self.document
        target = Target(node.term, self.text[node.start : node.end], Span(node.start, node.end))
        return replace(document, targets=(*document.targets, target))
