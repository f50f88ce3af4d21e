"""The grammar rules of statements: declarations, heads, sampling laws, targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NoReturn

from ..errors import DeclarationError, Span
from .arithmetic import Dot, Node
from .binding import free_names
from .builder import Builder
from .declarations import ROW, Document, Range, Signature, Target
from .heads import Head
from .names import closest, is_name
from .parser import run
from .recursion import Body
from .scanner import Token, classify
from .terms import FUNCTIONS, Add, App, Fn, Indexed, Mul, Num, Stop, Sum, Sym, Term, postorder
from .uses import Uses

__all__ = ["StatementBuilder"]


class StatementBuilder(Builder):
    """The callbacks of one statement; the last one gives what the statement says.

    A declaration gives the document with the statement in it, a ``define``, ``sample`` or ``derive``
    what it holds: its head or target, and the node that was read.
    """

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
        self.heading = kind in ("DEFINE", "SAMPLE")
        self.sampled: Term | None = None  # in a law, what stands for the placeholder
        self.densities: list[Term] = []  # of the law that is read
        self.slots_read: list[Node] = []  # of the signatures that are read

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
                f"{name} is a word of the language",
                instead="choose another name",
                **where,  # type: ignore[arg-type]
            )
        kind = document.kind(name)
        if kind is not None and not (kind == "a variable" and document.variables[name] is None):
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
        if self.heading or (self.declaring and token.value in self.document.indices):
            return Node(Sym(token.value), token.start, token.end)
        if self.sampled is not None and not self.laws:
            density = self.document.densities.get(token.value)
            if density is not None and not self.levels.get(token.value):
                return self._bare_law(token, density)
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

    def family(self, c: list[Any]) -> Node:
        """A family at its indices; in the head of a statement it is an index that cannot stand there."""
        if self.heading:
            return Node(Indexed(c[0].value, *[i.term for i in c[2]]), c[0].start, c[-1].end)
        return super().family(c)

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
            name = self._declare(token, document)
            document = replace(document, variables={**document.variables, name: shape})
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
            for name in sorted(free_names(bound.term)):
                if document.kind(name) not in (None, "a count", "a variable"):
                    raise self._wrong(
                        f"{name} is {document.kind(name)}, and ends the range of an index",
                        "write a number or a count: index i, j = 1..N",
                        bound.start,
                        bound.end,
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
            self.slots_read += part
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

    def resampling(self, c: list[Any]) -> Document:
        """``resampling R``."""
        document = self.document
        for token in c[1]:
            document = replace(document, resampling=(*document.resampling, self._declare(token, document)))
        return document

    # Definitions, samples and targets ---------------------------------------------------------

    def head(self, c: list[Any]) -> Head:
        """``define w[t,i]`` or ``sample x[0,i]``: its indices are in scope from here on."""
        word, token = c[:2]
        items = c[3] if len(c) > 2 else []
        sampled = word.type == "SAMPLE"
        for item in items:
            if isinstance(item, Dot) and not sampled:
                raise self._wrong(
                    "a row is defined at every index", f"write {token.value}[t,i]", item.start, item.end
                )
        indices = tuple(ROW if isinstance(item, Dot) else item.term for item in items)
        places = tuple(Span(item.start, item.end) for item in items)
        head = Head(token.value, indices, places, Span(token.start, token.end), sampled)
        self.heading = False
        local = [i.key for i in indices if isinstance(i, Sym) and i.key in self.document.indices]
        self.scope = Uses(self.document, local, law=sampled)
        if sampled:
            row = ROW in indices
            self.sampled = ROW if row else Indexed(head.name, *indices) if indices else Sym(head.name)
        return head

    def heading_of(self, tokens: list[Token]) -> Head:
        """The head of a statement, whose name may be given further values by other statements.

        Raises:
            DeclarationError: the name has another meaning already.
        """
        head: Head = run("heading", classify(tokens), self)
        found = self.document.families.get(head.name)
        if found is None or found.role != head.role:
            self._declare(tokens[1], self.document)
        return head

    def define(self, c: list[Any]) -> Body:
        """``define w[i] = …``."""
        return Body(c[0], c[2])

    def sample(self, c: list[Any]) -> Body:
        """``sample x[t,i] ~ q(· | x[t-1,i]; φ)``."""
        head, _, law = c
        if self.sampled == ROW:
            self._check_map(law)
        else:
            self._check_law(head, law)
        return Body(head, law)

    def lineage(self, c: list[Any]) -> tuple[Token, Token, Token]:
        """``lineage x̃ of x by a``."""
        return c[1], c[3], c[5]

    def derive(self, c: list[Any]) -> tuple[Target, Node]:
        """``derive →(∇θ log Z)``."""
        node = c[1]
        return Target(node.term, self.text[node.start : node.end], Span(node.start, node.end)), node

    # Laws -------------------------------------------------------------------------------------

    def placeholder(self, c: list[Any]) -> Node:
        """``·``: in the law of a sampling statement it stands for what is drawn."""
        if self.sampled is None or self.laws:
            return super().placeholder(c)
        return Dot(self.sampled, c[0].start, c[0].end)

    def _no_dots(self, items: Sequence[Node]) -> None:
        """A row may stand as an index where a map is drawn."""
        if self.heading or (self.sampled == ROW and not self.laws):
            return
        super()._no_dots(items)

    def _law_of(self, term: Term) -> bool:
        if self.sampled is None or self.laws:
            return super()._law_of(term)
        if isinstance(term, App) and term.name in self.document.densities:
            self.densities.append(term)
        return self.sampled != ROW

    def _stray(self, dot: Node) -> NoReturn:
        """Refuse a placeholder; in a sampling statement with what is written there."""
        if self.sampled is None or self.laws:
            super()._stray(dot)
        self.fail(
            "the placeholder · stands for what is drawn, or for a row of weights",
            "write  sample x[t,i] ~ q(· | x[t-1,i]; φ)  or  sample a[t,·] ~ R(w[t-1,·])",
            dot.start,
            dot.end,
        )

    def _bare_law(self, token: Token, density: Signature) -> Node:
        """``p0``: the density at what is drawn."""
        if self.sampled == ROW:
            raise self._no_map(token.start, token.end)
        if density.counts[:2] != (1, 0):
            raise self._wrong(
                f"{density} is no law of one variable by itself",
                f"write {token.value}(· | …), with the conditions",
                token.start,
                token.end,
            )
        assert self.sampled is not None
        term = App(token.value, [self.sampled], (), density.params)
        self.densities.append(term)
        return Node(term, token.start, token.end)

    def _check_map(self, law: Node) -> None:
        """The law of a map is a resampling law at a row of weights."""
        term = law.term.args[0] if isinstance(law.term, Stop) else law.term
        if not isinstance(term, App) or term.name not in self.document.resampling:
            raise self._no_map(law.start, law.end)
        if not any(isinstance(n, Indexed) and ROW in n.args for n in postorder(term.args[0])):
            raise self._wrong(
                f"the weights of {term.name} are a whole row",
                f"write {term.name}(w[t-1,·])",
                law.start,
                law.end,
            )

    def _no_map(self, start: int, end: int) -> DeclarationError:
        names = self.document.resampling
        advice = f"write {names[0]}(w[t-1,·])" if names else "declare  resampling R  and write R(w[t-1,·])"
        return self._wrong("a whole row is drawn by a resampling law", advice, start, end)

    def _check_law(self, head: Head, law: Node) -> None:
        """A law is a density at the placeholder, stopped or not, or a mixture of such."""
        for node in postorder(law.term):
            if isinstance(node, App) and node.name in self.document.resampling:
                shown = ",".join(map(str, head.indices[:-1]))
                raise self._wrong(
                    f"{node.name} is a resampling law, and draws a whole row",
                    f"write  sample {head.name}[{shown},·] ~ …",
                    law.start,
                    law.end,
                )
        found = {id(term) for term in self.densities}
        if not _is_law(law.term, found):
            raise self._wrong(
                f"the law of {head.name} is no density with the placeholder · in it, nor a mixture of such",
                "write q(· | …; φ), a bare name p0, or Σ[j](w[j] * q(· | x[j]; φ))",
                law.start,
                law.end,
            )


def _is_law(term: Term, found: set[int]) -> bool:
    """Whether a term is a density, stopped or not, or a sum or choice of densities with weights."""
    todo = [term]
    while todo:
        node = todo.pop()
        if id(node) in found:
            continue
        if isinstance(node, (Stop, Sum)):
            todo.append(node.args[-1])
        elif isinstance(node, Add):
            todo.extend(node.args)
        elif isinstance(node, Fn) and node.op == "cases":
            todo.extend(node.args[1:])
        elif isinstance(node, Mul):
            laws = [a for a in node.args if any(id(n) in found for n in postorder(a))]
            if len(laws) != 1:
                return False
            todo.append(laws[0])
        else:
            return False
    return True
