"""What a parse keeps, and the grammar rules of names, numbers, sums and products."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from typing import Any, NoReturn, Protocol

from ..errors import ParseError, Span, SurrogateError, TermError
from .scanner import MAX_ORDER, Token
from .terms import (
    HAS_AXIS,
    ONE,
    Add,
    Axis,
    Bound,
    Fn,
    Indexed,
    Mul,
    Num,
    Pow,
    Sym,
    Term,
)
from .vectors import Axes, shift_axes

__all__ = ["MINUS_ONE", "Arithmetic", "Dot", "Node", "Scope"]

_DIGITS = 4_000
MINUS_ONE = Num(-1)


class Node:
    """A term with the place it was read from and the nodes of its children, where there are some."""

    __slots__ = ("end", "kids", "start", "term")

    def __init__(self, term: Term, start: int, end: int, kids: tuple[Node, ...] = ()) -> None:
        self.term = term
        self.start = start
        self.end = end
        self.kids = kids


class Dot(Node):
    """The placeholder ``·`` of a density that is sampled."""

    __slots__ = ()


class Scope(Protocol):
    """What a document tells the parser about names; each method raises where a use is wrong."""

    def symbol(self, name: str) -> None:
        """A name that stands alone."""

    def family(self, name: str, indices: Sequence[Term]) -> None:
        """A name at indices."""

    def function(
        self, name: str, args: Sequence[Term], given: Sequence[Term], params: Sequence[Term]
    ) -> None:
        """A function or density at its arguments."""

    def gradient(self, name: str) -> None:
        """A name behind ∇."""

    def binds(self, name: str) -> None:
        """A name that a binder brings into scope."""

    def index_range(self, name: str) -> tuple[Term, Term]:
        """First and last value of a declared index."""

    def whole(self, name: str) -> None:
        """A name in the order of a ∇ᵏ or the time of an 𝔼[· | t]."""

    def has_bare_stop(self, term: Term) -> bool:
        """Whether a ⊥ stands outside every → once definitions are unfolded."""

    def settled(self, node: Node, text: str, file: str | None) -> None:
        """A whole expression that has been read."""


class Arithmetic:
    """The callbacks of one parse.

    Args:
        text: the source, for error messages.
        file: the file it came from, or None.
        scope: declarations that uses are checked against, or None for a bare expression.
        vector: names of the vector parameters.
    """

    def __init__(self, text: str, file: str | None, scope: Scope | None, vector: Collection[str]) -> None:
        self.text = text
        self.file = file
        self.scope = scope
        self.vector = vector
        self.axes = Axes()
        self.depth = 0
        self.levels: dict[str, list[int]] = {}
        self.differentiated: set[str] = set()
        self.applications: dict[str, Token] = {}
        self.bare_vectors: dict[int, Node] = {}
        self.random: set[int] = set()  # the levels that an 𝔼 binds
        self.laws: list[Term] = []  # of each 𝔼 whose law is being read, the density with the ·
        self.leaves: dict[str, Term] = {}
        self.sliced: dict[int, Token] = {}  # families at ranges, by where they start

    # Errors -----------------------------------------------------------------------------------

    def fail(self, what: str, instead: str, start: int, end: int) -> NoReturn:
        """Raise a ParseError at a place of the source."""
        raise ParseError(what, instead=instead, text=self.text, span=Span(start, end), file=self.file)

    def placed(self, error: SurrogateError, start: int, end: int) -> SurrogateError:
        """The error, located at a place of the source unless it has one."""
        return error.located(self.text, Span(start, end), self.file)

    def make(self, term: Term, start: int, end: int, kids: tuple[Node, ...] = ()) -> Node:
        """A node of a new term, after the check of its type."""
        if term.flags & HAS_AXIS:
            try:
                self.axes.check(term)
            except TermError as error:
                raise self.placed(error, start, end) from None
        return Node(term, start, end, kids)

    def finish(self) -> None:
        """Checks that need the whole expression: parameters are neither applied nor left without index."""
        for name in self.differentiated:
            token = self.applications.get(name)
            if token is not None:
                self.fail(
                    f"{name} is a parameter and cannot be applied",
                    f"for a product write {name}*(…)",
                    token.start,
                    token.end,
                )
        if self.sliced:
            token = self.sliced[min(self.sliced)]
            self.fail(
                f"{token.value} at a range, and no argument",
                "put it into a function or density, f(y[1:T]; θ), or sum over its index",
                token.start,
                token.end,
            )
        if self.bare_vectors:
            node = self.bare_vectors[min(self.bare_vectors)]
            name = node.term.key
            self.fail(
                f"{name} is a vector, and stands here where a scalar is needed",
                f"give it its index, {name}[k], or put it behind the ; of a function",
                node.start,
                node.end,
            )

    # Lists and passing on ---------------------------------------------------------------------

    @staticmethod
    def same(c: list[Any]) -> Any:
        """The only child."""
        return c[0]

    @staticmethod
    def none(c: list[Any]) -> list[Any]:
        """An empty list."""
        return []

    @staticmethod
    def first(c: list[Any]) -> list[Any]:
        """A list of one."""
        return [c[0]]

    @staticmethod
    def second(c: list[Any]) -> Any:
        """What stands behind a separator."""
        return c[1]

    @staticmethod
    def more(c: list[Any]) -> list[Any]:
        """One more behind a comma."""
        c[0].append(c[2])
        return c[0]  # type: ignore[no-any-return]

    @staticmethod
    def following(c: list[Any]) -> list[Any]:
        """One more right behind."""
        c[0].append(c[1])
        return c[0]  # type: ignore[no-any-return]

    @staticmethod
    def slots(c: list[Any]) -> tuple[list[Node], list[Node], list[Node]]:
        """Arguments, conditions, parameters."""
        return c[0], c[1], c[2]

    # Arithmetic -------------------------------------------------------------------------------

    def _product(self, factors: list[Node]) -> Node:
        if len(factors) == 1:
            return factors[0]
        term = Mul(*[f.term for f in factors])
        return self.make(term, factors[0].start, factors[-1].end, tuple(factors))

    def _negative(self, minus: Token, factors: list[Node]) -> Node:
        head = factors[0]
        if isinstance(head.term, Num):
            flipped = Node(Num(-head.term.value), minus.start, head.end)
            return self._product([flipped, *factors[1:]])
        return self._product([Node(MINUS_ONE, minus.start, minus.end), *factors])

    def finished(self, c: list[Any]) -> Node:
        """A product from its factors."""
        return self._product(c[0])

    def negated(self, c: list[Any]) -> Node:
        """A leading minus over a product's factors."""
        return self._negative(c[0], c[1])

    def negated_one(self, c: list[Any]) -> Node:
        """A minus in an exponent."""
        return self._negative(c[0], [c[1]])

    def plus(self, c: list[Any]) -> list[Node]:
        """One more summand."""
        c[0].append(self._product(c[2]))
        return c[0]  # type: ignore[no-any-return]

    def minus(self, c: list[Any]) -> list[Node]:
        """One more summand, negated."""
        c[0].append(self._negative(c[1], c[2]))
        return c[0]  # type: ignore[no-any-return]

    def summed(self, c: list[Any]) -> Node:
        """A sum from its summands."""
        summands: list[Node] = c[0]
        if len(summands) == 1:
            return summands[0]
        term = Add(*[s.term for s in summands])
        return self.make(term, summands[0].start, summands[-1].end, tuple(summands))

    @staticmethod
    def times(c: list[Any]) -> list[Node]:
        """One more factor."""
        c[0].append(c[2])
        return c[0]  # type: ignore[no-any-return]

    juxtaposed = following

    def over(self, c: list[Any]) -> list[Node]:
        """One more divisor: a number divides exactly, anything else gets the power -1."""
        factors, slash, node = c
        divisor = node.term
        head = factors[0]
        if isinstance(divisor, Num):
            if divisor.value == 0:
                self.fail("a division by zero", "divide by something that is not 0", slash.start, node.end)
            if len(factors) == 1 and isinstance(head.term, Num):
                factors[0] = Node(Num(head.term.value / divisor.value), head.start, node.end)
            else:
                factors.append(Node(Num(1 / divisor.value), slash.start, node.end))
            return factors  # type: ignore[no-any-return]
        inverse = Pow(divisor, MINUS_ONE)
        if len(factors) == 1 and head.term == ONE:
            factors[0] = self.make(inverse, head.start, node.end, (node,))
        else:
            factors.append(self.make(inverse, slash.start, node.end, (node,)))
        return factors  # type: ignore[no-any-return]

    def outer(self, c: list[Any]) -> list[Node]:
        """An outer product: the axes of the right factor move behind those of the left."""
        factors, _, node = c
        count = len(frozenset[int]().union(*(self.axes.of(f.term) for f in factors)))
        factors.append(self.moved(node, count))
        return factors  # type: ignore[no-any-return]

    def moved(self, node: Node, by: int) -> Node:
        """The node with its axes moved behind ``by`` others."""
        self.bounded(by + len(self.axes.of(node.term)), node.start, node.end)
        return Node(shift_axes(node.term, by), node.start, node.end, node.kids)

    def bounded(self, count: int, start: int, end: int) -> None:
        """Refuse a tensor of too many axes: moving them costs time for each."""
        if count > MAX_ORDER:
            self.fail(f"a tensor of {count} axes", f"write at most {MAX_ORDER} in one product", start, end)

    def power(self, c: list[Any]) -> Node:
        """``base ^ exponent``."""
        base, _, exponent = c
        return self.make(Pow(base.term, exponent.term), base.start, exponent.end, (base, exponent))

    def raised(self, c: list[Any]) -> Node:
        """``x²``."""
        base, mark = c
        if "-" in mark.value[1:]:
            self.fail("an exponent with a minus in the middle", "write x^2", mark.start, mark.end)
        return self.make(Pow(base.term, Num(int(mark.value))), base.start, mark.end, (base,))

    # Atoms ------------------------------------------------------------------------------------

    @staticmethod
    def parenthesised(c: list[Any]) -> Node:
        """The same term, over its parentheses."""
        inner = c[1]
        return Node(inner.term, c[0].start, c[2].end, inner.kids)

    def _integer(self, token: Token) -> int:
        if len(token.value) > _DIGITS:
            self.fail(
                f"a number of more than {_DIGITS:,} digits", "write it as a power", token.start, token.end
            )
        return int(token.value)

    def number(self, c: list[Any]) -> Node:
        """An exact number; decimals are exact too."""
        token = c[0]
        term = self.leaves.get(token.value)
        if term is None:
            if len(token.value) > _DIGITS:
                self._integer(token)
            term = self.leaves[token.value] = Num(Fraction(token.value))
        return Node(term, token.start, token.end)

    def name(self, c: list[Any]) -> Node:
        """A name: bound where a binder brought it into scope, else free."""
        token = c[0]
        name = token.value
        levels = self.levels.get(name)
        if levels:
            return Node(Bound(self.depth - 1 - levels[-1]), token.start, token.end)
        if self.scope is not None:
            self._ask(self.scope.symbol, token, name)
        term = self.leaves.get(name)
        if term is None:
            term = self.leaves[name] = Sym(name)
        node = Node(term, token.start, token.end)
        if name in self.vector:
            self.bare_vectors[token.start] = node
        return node

    def _ask(self, question: Callable[..., Any], token: Token, *data: Any) -> Any:
        try:
            return question(*data)
        except SurrogateError as error:
            raise self.placed(error, token.start, token.end) from None

    def axis(self, c: list[Any]) -> Node:
        """``@1``, an open axis."""
        token = c[0]
        if self._integer(token) < 1:
            self.fail("axes are numbered from 1", "write @1", token.start, token.end)
        return Node(Axis(int(token.value)), token.start, token.end)

    def family(self, c: list[Any]) -> Node:
        """A family at its indices."""
        token, _, items, close = c
        self._no_dots(items)
        self._unbound(token, "a family")
        indices = [i.term for i in items]
        if any(isinstance(i, Fn) and i.op == "slice" for i in indices):
            self.sliced[token.start] = token
        if self.scope is not None:
            self._ask(self.scope.family, token, token.value, indices)
        return self.make(Indexed(token.value, *indices), token.start, close.end, tuple(items))

    def slice(self, c: list[Any]) -> Node:
        """``1:T`` as an index."""
        lo, _, hi = c
        return self.make(Fn("slice", lo.term, hi.term), lo.start, hi.end, (lo, hi))

    def _unbound(self, token: Token, role: str) -> None:
        if self.levels.get(token.value):
            self.fail(
                f"{token.value} is bound here by a Σ, ∏ or 𝔼, and used as {role}",
                "give the bound index another name",
                token.start,
                token.end,
            )

    def _no_dots(self, items: Sequence[Node]) -> None:
        for item in items:
            if isinstance(item, Dot):
                self._stray(item)

    def _stray(self, dot: Node) -> NoReturn:
        """Refuse a placeholder."""
        self.fail(
            "the placeholder · stands only in the density that is sampled",
            "write 𝔼[x ~ p(·; θ)](…), and x elsewhere",
            dot.start,
            dot.end,
        )
