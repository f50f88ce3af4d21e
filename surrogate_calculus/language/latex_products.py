r"""Products in LaTeX, which are juxtaposed: rows of factors, fractions, brackets, ``A B^\top``."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ParseError, Span, TermError
from .arithmetic import MINUS_ONE, Node
from .builder import Builder
from .terms import ONE, Eval, Fn, Num, Pow, Sym

if TYPE_CHECKING:
    from .declarations import Document

__all__ = ["AmbiguousError", "Item", "LatexProducts", "Row", "kind_of"]


class AmbiguousError(ParseError):
    """A formula that the language refuses because readers may take it in more ways than one.

    A prefix before a juxtaposed product may reach over its first factor or over all of it; a family before
    a parenthesis looks like an application and is a factor.

    Attributes:
        readings: the whole text under each reading, the narrowest reach first.
    """

    readings: tuple[str, ...]


#: What ends a product, outside of brackets.
_PRODUCT_END = re.compile(r"\\[A-Za-z]+|\\.|[-+−=,;&|()\[\]{}]", re.DOTALL)



class Item(Node):
    """A factor: how it is written, what it contributes to the product it stands in."""

    __slots__ = ("items", "kind", "parts")

    def __init__(self, node: Node, kind: str, parts: list[Node] | None = None) -> None:
        super().__init__(node.term, node.start, node.end, node.kids)
        self.kind = kind
        #: The factors it gives: several for a fraction, which is spliced into its product.
        self.parts: list[Node] = [self] if parts is None else parts
        #: For a whole product, its items as written; empty behind a minus.
        self.items: list[Node] = []


class Row(list[Node]):
    """Factors of a product that is being read, and the items they came from."""

    def __init__(self, parts: Sequence[Node], items: list[Node]) -> None:
        super().__init__(parts)
        self.items = items


def kind_of(node: Node) -> str:
    """How a node was written; ``closed`` where that is of no importance."""
    return node.kind if isinstance(node, Item) else "closed"


def parts_of(node: Node) -> list[Node]:
    """The factors that a node gives to the product it stands in."""
    return node.parts if isinstance(node, Item) else [node]


class LatexProducts(Builder):
    """The callbacks of products, fractions, brackets, in a parse of LaTeX.

    Args:
        text: the source, for error messages.
        given: declarations that uses are checked against, or None for a bare expression.
        vector: names of the vector parameters.
        indices: the indices of the document that stand free.
    """

    def __init__(
        self, text: str, given: Document | None, vector: Collection[str], indices: Sequence[str] = ()
    ) -> None:
        super().__init__(text, None, None if given is None else given.scope(indices), vector)
        self.given = given

    def shown(self, start: int, end: int) -> str:
        """A piece of the source, cut to a length that fits a message."""
        piece = " ".join(self.text[start:end].split())
        return piece if len(piece) <= 40 else piece[:38] + " …"

    # ---- products ----

    def started(self, c: list[Any]) -> Row:
        """The first factor."""
        item = c[0]
        if kind_of(item) == "transposed":
            self.fail(
                "⊤ without a vector to its left",
                r"⊤ turns the second vector of an outer product: A B^\top",
                item.start,
                item.end,
            )
        return Row(parts_of(item), [item])

    def juxtaposed(self, c: list[Any]) -> Row:
        """One more factor right behind; refused where it could be read in two ways."""
        row, item = c
        before = row.items[-1]
        kind = kind_of(before)
        if kind == "prefix":
            operand = before.kids[0]
            head = self.shown(before.start, operand.start)
            inner, behind = self.shown(operand.start, operand.end), self.shown(item.start, item.end)
            left, right = ("\\left(", "\\right)") if "\\frac" in inner else ("(", ")")
            error = AmbiguousError(
                f"{head} {inner} followed by a factor has two readings",
                instead=f"write {left}{head} {inner}{right} {behind}, or {head}{left}{inner} {behind}{right}",
                text=self.text,
                span=Span(before.start, item.end),
            )
            error.readings = self._reaches(before.start, operand)
            raise error
        if kind_of(item) == "number":
            self.fail(
                "a number right behind a factor",
                rf"write x_2, x^2 or x \cdot 2 for {self.shown(before.start, item.end)}",
                item.start,
                item.end,
            )
        if kind_of(item) == "square" and kind in ("name", "power"):
            self.fail(
                "square brackets behind a name",
                r"write w_{t} for an index, x \cdot (…) for a product",
                item.start,
                item.end,
            )
        return self._joined(row, item)

    def _reaches(self, start: int, operand: Node) -> tuple[str, str]:
        """The text with the prefix at ``start`` reaching over its operand, and over all of its product."""
        text, depth, end = self.text, 0, len(self.text)
        for found in _PRODUCT_END.finditer(text, operand.end):
            sign = found.group()
            if depth == 0 and sign not in "([{" and not sign.startswith("\\"):
                end = found.start()
                break
            depth += (sign in ("(", "[", "{")) - (sign in (")", "]", "}"))
        narrow = f"{text[:start]}({text[start : operand.end]}){text[operand.end :]}"
        wide = f"{text[: operand.start]}({text[operand.start : end]}){text[end:]}"
        return narrow, wide

    def times(self, c: list[Any]) -> Row:  # type: ignore[override]
        r"""One more factor behind ``\cdot``."""
        return self._joined(c[0], c[2])

    def _joined(self, row: Row, item: Node) -> Row:
        if kind_of(item) == "transposed":
            left, own = self._axes_of(row), self.axes.of(item.term)
            if len(left) != 1 or len(own) != 1:
                error = TermError(
                    "⊤ turns the second of two vectors in an outer product",
                    instead=r"write A B^\top with vectors A and B; \otimes for other shapes",
                )
                raise self.placed(error, item.start, item.end)
            row.append(self.moved(item, 1 if max(own) == 1 else 0))
        else:
            row.extend(parts_of(item))
        row.items.append(item)
        return row

    def outer(self, c: list[Any]) -> Row:
        r"""One more factor behind ``\otimes``: its axes move behind those to the left."""
        row, _, item = c
        count = len(self._axes_of(row))
        row.extend(self.moved(part, count) for part in parts_of(item))
        row.items.append(item)
        return row  # type: ignore[no-any-return]

    def _axes_of(self, row: Row) -> frozenset[int]:
        return frozenset[int]().union(*(self.axes.of(part.term) for part in row))

    def finished(self, c: list[Any]) -> Item:
        """A product without a sign."""
        row: Row = c[0]
        if len(row.items) > 1:
            self._seen(row.items)
        item = Item(self._product(list(row)), "row", list(row))
        item.items = row.items
        return item

    def negated(self, c: list[Any]) -> Item:
        """A product behind a minus."""
        minus, row = c
        self._seen(row.items)
        head = row[0]
        if isinstance(head.term, Num):
            parts = [Node(Num(-head.term.value), minus.start, head.end), *row[1:]]
        else:
            parts = [Node(MINUS_ONE, minus.start, minus.end), *row]
        return Item(self._product(parts), "row", parts)

    def plus(self, c: list[Any]) -> list[Node]:
        """One more summand."""
        self._seen(c[2].items)
        return super().plus(c)

    def minus(self, c: list[Any]) -> list[Node]:
        """One more summand, negated."""
        self._seen(c[2].items)
        return super().minus(c)

    def summed(self, c: list[Any]) -> Node:
        """A sum from its summands."""
        self._seen(c[0][0].items)
        return super().summed(c)

    def extended(self, c: list[Any]) -> Item:
        """Σ or ∏ over the rest of the product."""
        head, row = c
        self._seen(row.items)
        body = self._product(list(row))
        return Item(self._bound(head, body, body.end), "open")

    def number(self, c: list[Any]) -> Item:
        """A number."""
        return Item(super().number(c), "number")

    # ---- fractions and brackets ----

    @staticmethod
    def quotient(c: list[Any]) -> list[Node]:
        """What stands above or below a bar: its summands."""
        return c[0]  # type: ignore[no-any-return]

    def fraction(self, c: list[Any]) -> Item:
        r"""``\frac{a b}{c}``: the factors above, then 1/c.

        A denominator of several braces, ``{b} {c^{2}}``, gives a factor for each.
        """
        bar, above, below, end = c[0], c[2], c[5], c[6].end
        upper, lower = above[0], below[0]
        self._no_leibniz(bar.start, end, upper.items[:1], lower.items[:2])
        factors = list(upper.parts) if len(above) == 1 else [self.summed([above])]  # one may hide in braces
        units = lower.items if len(below) == 1 else []
        if units and all(kind_of(unit) == "unit" for unit in units):
            if len(factors) == 1 and factors[0].term == ONE:
                factors = []
            for unit in units:
                factors.append(self._divisor(unit))
        else:
            factors = self.over([factors, bar, self.summed([below])])
        node = self._product(factors)
        return Item(Node(node.term, bar.start, end, node.kids), "fraction", factors)

    def _no_leibniz(self, start: int, end: int, above: list[Node], below: list[Node]) -> None:
        r"""Refuse ``\frac{d}{d\theta}``, which would be a quotient of products with a factor d."""
        if (
            len(below) == 2
            and below[0].term == above[0].term == Sym("d")
            and kind_of(below[1]) in ("name", "power")
            and not self.text[below[0].end : below[1].start].strip()
        ):
            parameter = self.shown(below[1].start, below[1].end)
            self.fail(
                "a derivative in Leibniz's notation",
                rf"write \nabla_{{{parameter}}} f, or d \cdot {parameter} for a product",
                start,
                end,
            )

    def _divisor(self, unit: Node) -> Node:
        inner = unit.kids[0]
        term = inner.term
        if isinstance(term, Num):
            if term.value == 0:
                self.fail("a division by zero", "divide by something that is not 0", unit.start, unit.end)
            return Node(Num(1 / term.value), unit.start, unit.end)
        if kind_of(inner) == "power" and isinstance(term, Pow):
            base, exponent = term.args
            if isinstance(exponent, Num) and exponent.value > 0 and exponent.value.denominator == 1:
                return self.make(Pow(base, Num(-exponent.value)), unit.start, unit.end, inner.kids)
        return self.make(Pow(term, MINUS_ONE), unit.start, unit.end, (inner,))

    def braced(self, c: list[Any]) -> Item:
        """Braces, which are not seen: around one factor only, or around all that stands above a bar."""
        inner = c[1]
        items = inner.items if isinstance(inner, Item) else []
        hides = len(items) != 1 or kind_of(items[0]) in ("prefix", "open", "transposed")
        node = Node(inner.term, c[0].start, c[2].end, (inner if hides else items[0],))
        return Item(node, "hidden" if hides else "unit")

    def _seen(self, items: Sequence[Node]) -> None:
        """Refuse braces that would have to be seen."""
        for item in items:
            if kind_of(item) == "hidden":
                inner = item.kids[0]
                self.fail(
                    "braces are not seen, and group nothing for the reader",
                    f"write ({self.shown(inner.start, inner.end)})",
                    item.start,
                    item.end,
                )

    def square(self, c: list[Any]) -> Item:
        """Square brackets around an expression."""
        return Item(self.parenthesised(c), "square")

    def root(self, c: list[Any]) -> Node:
        r"""``\sqrt{E}``."""
        return self.make(Fn("sqrt", c[2].term), c[0].start, c[3].end, (c[2],))

    def evaluated(self, c: list[Any]) -> Node:
        r"""``\overrightarrow{E}``."""
        return Node(Eval(c[2].term), c[0].start, c[3].end, (c[2],))

    def absolute(self, c: list[Any]) -> Node:
        r"""``\left|E\right|``."""
        return self.make(Fn("abs", c[1].term), c[0].start, c[2].end, (c[1],))

    def pair(self, c: list[Any]) -> Node:
        """max and min."""
        token, _, args, close = c
        if len(args) != 2:
            name = self.shown(token.start, token.end)
            advice = f"nest it, {name}(a, {name}(b, c))" if len(args) > 2 else f"write {name}(a, b)"
            self.fail(f"{token.value} takes two arguments, not {len(args)}", advice, token.start, close.end)
        return self.make(Fn(token.value, *[a.term for a in args]), token.start, close.end, tuple(args))

    def angle(self, c: list[Any]) -> Node:
        r"""``\langle 2 \rangle``, an open axis."""
        return self.axis([c[1]])

    @staticmethod
    def pi(c: list[Any]) -> Node:
        """The number π."""
        return Node(Fn("pi"), c[0].start, c[0].end)
