"""From reduced grammar rules to terms: one method for each rule of ``grammar.lark``.

A :class:`Builder` lives as long as one parse.  It keeps the names that binders have brought into
scope, so that a bound name becomes its de Bruijn index the moment it is read and no body is walked
twice.  Its values are :class:`Node`: a term, where it stood, and the nodes of its children.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from fractions import Fraction
from typing import Any, NoReturn, Protocol

from ..errors import ParseError, Span, SurrogateError, TermError
from .names import is_name
from .scanner import MAX_NESTING, Token
from .terms import (
    FUNCTIONS,
    HAS_AXIS,
    HAS_BARE_STOP,
    ONE,
    Add,
    App,
    Axis,
    Bound,
    Eval,
    Expect,
    Fn,
    Grad,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
)
from .vectors import Axes, shift_axes

__all__ = ["Builder", "Node", "Scope"]

_DIGITS = 4_000
_MINUS_ONE = Num(-1)


class Node:
    """A term with the place it was read from and the nodes of its children, where there are some."""

    __slots__ = ("end", "kids", "start", "term")

    def __init__(self, term: Term, start: int, end: int, kids: tuple[Node, ...] = ()) -> None:
        self.term = term
        self.start = start
        self.end = end
        self.kids = kids


class _Dot(Node):
    """The placeholder ``·`` of a density that is sampled."""

    __slots__ = ()


class _Head:
    """What stands before the body of a ∇, Σ, ∏ or 𝔼."""

    __slots__ = ("data", "kind", "start")

    def __init__(self, kind: str, start: int, data: Any) -> None:
        self.kind = kind
        self.start = start
        self.data = data


class Scope(Protocol):
    """What a document tells the parser about names; each method raises where a use is wrong."""

    def symbol(self, name: str) -> None:
        """A name that stands alone."""

    def family(self, name: str, indices: Sequence[Term]) -> None:
        """A name at indices."""

    def function(self, name: str, args: Sequence[Term], given: Sequence[Term], params: Sequence[Term]) -> None:
        """A function or density at its arguments."""

    def gradient(self, name: str) -> None:
        """A name behind ∇."""

    def binds(self, name: str) -> None:
        """A name that a binder brings into scope."""

    def index_range(self, name: str) -> tuple[Term, Term]:
        """First and last value of a declared index."""

    def has_bare_stop(self, term: Term) -> bool:
        """Whether a ⊥ stands outside every → once definitions are unfolded."""


class Builder:
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
        self.law: Term | None = None
        self.leaves: dict[str, Term] = {}

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
        return self._product([Node(_MINUS_ONE, minus.start, minus.end), *factors])

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
        inverse = Pow(divisor, _MINUS_ONE)
        if len(factors) == 1 and head.term == ONE:
            factors[0] = self.make(inverse, head.start, node.end, (node,))
        else:
            factors.append(self.make(inverse, slash.start, node.end, (node,)))
        return factors  # type: ignore[no-any-return]

    def outer(self, c: list[Any]) -> list[Node]:
        """An outer product: the axes of the right factor move behind those of the left."""
        factors, _, node = c
        count = len(frozenset[int]().union(*(self.axes.of(f.term) for f in factors)))
        factors.append(self._moved(node, count))
        return factors  # type: ignore[no-any-return]

    @staticmethod
    def _moved(node: Node, by: int) -> Node:
        return Node(shift_axes(node.term, by), node.start, node.end, node.kids)

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
        if self.scope is not None:
            self._ask(self.scope.family, token, token.value, indices)
        return self.make(Indexed(token.value, *indices), token.start, close.end, tuple(items))

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
            if isinstance(item, _Dot):
                self.fail(
                    "the placeholder · stands only in the density that is sampled",
                    "write 𝔼[x ~ p(·; θ)](…), and x elsewhere",
                    item.start,
                    item.end,
                )

    # Calls ------------------------------------------------------------------------------------

    def called(self, c: list[Any]) -> Node:
        """⊥, →, log or exp of what stands in parentheses."""
        word, _, body, close = c
        return self._one(word, body, close.end)

    def prefixed(self, c: list[Any]) -> Node:
        """⊥, →, log or exp of the operand behind."""
        word, body = c
        return self._one(word, body, body.end)

    def _one(self, word: Token, body: Node, end: int) -> Node:
        kind = word.type
        if kind == "STOP":
            return Node(Stop(body.term), word.start, end, (body,))
        if kind == "ARROW":
            return Node(Eval(body.term), word.start, end, (body,))
        return self.make(Fn(kind.lower(), body.term), word.start, end, (body,))

    @staticmethod
    def placeholder(c: list[Any]) -> Node:
        """``·``."""
        return _Dot(Bound(0), c[0].start, c[0].end)

    def applied(self, c: list[Any]) -> Node:
        """An opaque function or density at its arguments."""
        token, _, slots, close = c
        return self._application(token, slots, (), token.start, close.end)

    def derivative(self, c: list[Any]) -> Node:
        """A partial derivative of an opaque function, at its arguments."""
        head, _, partials, _, _, token, _, _, slots, close = c
        return self._application(token, slots, partials, head.start, close.end)

    def _application(
        self,
        token: Token,
        slots: tuple[list[Node], list[Node], list[Node]],
        partials: Sequence[tuple[Token, Node | None]],
        start: int,
        end: int,
    ) -> Node:
        name = token.value
        args, given, params = slots
        every = [*args, *given, *params]
        self._unbound(token, "a function")
        self.applications.setdefault(name, token)
        dots = [a for a in every if isinstance(a, _Dot)]
        for param in params:
            if param.start in self.bare_vectors and isinstance(param.term, Sym):
                del self.bare_vectors[param.start]
        terms = [[n.term for n in part] for part in slots]
        if self.scope is not None:
            self._ask(self.scope.function, token, name, *terms)
        orders: list[tuple[int, Term | None]] = []
        for number, coordinate in partials:
            slot = self._integer(number) if number.value.isdigit() else 0
            if not 1 <= slot <= len(every):
                self.fail(
                    f"{name} has {len(every)} slot(s) here, none with the number {number.value}",
                    "number the arguments from 1, those behind | and ; included",
                    number.start,
                    number.end,
                )
            orders.append((slot, None if coordinate is None else coordinate.term))
        term = App(name, terms[0], terms[1], terms[2], orders)
        node = self.make(term, start, end, tuple(every))
        if dots:
            if len(dots) > 1 or dots[0] not in args or self.law is None:
                self._no_dots([dots[-1]])
            self.law = term
        return node

    def builtin(self, c: list[Any]) -> Node:
        """A built-in function at its arguments."""
        token, _, (args, given, params), close = c
        name = token.value
        self._no_dots([*args, *given, *params])
        if given or params:
            extra = (given or params)[0]
            self.fail(f"{name} takes neither conditions nor parameters", f"write {name}(x)", extra.start, extra.end)
        arity = 2 if name == "outer" else FUNCTIONS[name]
        if len(args) != arity:
            shape = ", ".join("xyz"[:arity])
            advice = f"nest it: {name}(x, {name}(y, z))" if len(args) > arity == 2 else f"write {name}({shape})"
            count = "no argument" if arity == 0 else f"{arity} argument{'s' * (arity > 1)}"
            self.fail(f"{name} takes {count}, not {len(args)}", advice, token.start, close.end)
        if name == "outer":
            left, right = args
            moved = self._moved(right, len(self.axes.of(left.term)))
            return self.make(Mul(left.term, moved.term), token.start, close.end, (left, moved))
        return self.make(Fn(name, *[a.term for a in args]), token.start, close.end, tuple(args))

    def partial(self, c: list[Any]) -> tuple[Token, Node | None]:
        """A slot, with the coordinate of a vector."""
        if len(c) == 1:
            return c[0], None
        return (c[0], self.axis([c[1]])) if len(c) == 2 else (c[0], c[2])

    def comparison(self, c: list[Any]) -> Node:
        """``a > b`` and its like; ``<`` swaps its sides."""
        left, sign, right = c
        op = {">": "gt", "<": "gt", ">=": "ge", "<=": "ge"}.get(sign.value, "eq")
        sides = (right, left) if sign.value in ("<", "<=") else (left, right)
        return self.make(Fn(op, sides[0].term, sides[1].term), left.start, right.end, sides)

    bracket = parenthesised

    @staticmethod
    def branch(c: list[Any]) -> tuple[Node, Node]:
        """A condition and what holds under it."""
        return c[0], c[2]

    def cases(self, c: list[Any]) -> Node:
        """``cases(c: a, else: b)``; several branches nest in the else."""
        token, _, branches, _, _, otherwise, close = c
        node: Node = otherwise
        for condition, value in reversed(branches):
            term = Fn("cases", condition.term, value.term, node.term)
            node = self.make(term, condition.start, close.end, (condition, value, node))
        return Node(node.term, token.start, close.end, node.kids)

    # Gradients --------------------------------------------------------------------------------

    def _parameter(self, token: Token) -> str:
        name: str = token.value
        self._unbound(token, "a parameter")
        if self.scope is not None:
            self._ask(self.scope.gradient, token, name)
        self.differentiated.add(name)
        return name

    def _order(self, token: Token) -> int:
        order = self._integer(token) if token.value.lstrip("-").isdigit() and "-" not in token.value else 0
        if not 1 <= order <= MAX_NESTING:
            self.fail(
                f"∇ to the power {token.value}", f"the order is a number from 1 to {MAX_NESTING:,}",
                token.start, token.end,
            )  # fmt: skip
        return order

    def nabla(self, c: list[Any]) -> _Head:
        """``∇θ``."""
        return _Head("nabla", c[0].start, (self._parameter(c[1]), 1, None))

    def nabla_order(self, c: list[Any]) -> _Head:
        """``∇²θ``."""
        return _Head("nabla", c[0].start, (self._parameter(c[2]), self._order(c[1]), None))

    def nabla_of(self, c: list[Any]) -> _Head:
        """``∇[θ]``."""
        return _Head("nabla", c[0].start, (c[2][0], 1, c[2][1]))

    def nabla_order_of(self, c: list[Any]) -> _Head:
        """``∇²[θ]``."""
        return self._higher(c[0], c[3], self._order(c[1]), c[4])

    def hess_of(self, c: list[Any]) -> _Head:
        """``hess[θ]``."""
        return self._higher(c[0], c[2], 2, c[3])

    def _higher(self, token: Token, coordinate: tuple[str, Node | None], order: int, close: Token) -> _Head:
        name, component = coordinate
        if component is not None and order != 1:
            self.fail(
                "one coordinate for several derivatives",
                f"nest them, each with its own: ∇[{name}@2](∇[{name}@1](…))",
                token.start,
                close.end,
            )
        return _Head("nabla", token.start, (name, order, component))

    def coordinate(self, c: list[Any]) -> tuple[str, Node | None]:
        """The parameter of a ∇ in brackets, with its coordinate where one is given."""
        name = self._parameter(c[0])
        if len(c) == 1:
            return name, None
        return (name, self.axis([c[1]])) if len(c) == 2 else (name, c[2])

    def gradient(self, c: list[Any]) -> Node:
        """``∇θ`` of the operand behind."""
        return self._gradient(c[0], c[1], c[1].end)

    def gradient_of(self, c: list[Any]) -> Node:
        """``∇θ(…)``."""
        return self._gradient(c[0], c[2], c[3].end)

    def _gradient(self, head: _Head, body: Node, end: int) -> Node:
        name, order, component = head.data
        node = body
        for _ in range(order):
            if component is not None:
                term = Grad(name, node.term, component.term)
                kids: tuple[Node, ...] = (node, component)
            elif name in self.vector:
                term = Grad(name, node.term, Axis(1 + self.axes.highest(node.term)))
                kids = (node,)
            else:
                term = Grad(name, node.term)
                kids = (node,)
            node = Node(term, head.start, end, kids)
        return node

    # Binders ----------------------------------------------------------------------------------

    def _enter(self, name: str) -> None:
        self.levels.setdefault(name, []).append(self.depth)
        self.depth += 1

    def _bindable(self, token: Token) -> str:
        name: str = token.value
        if not is_name(name):
            self.fail(f"{name} is a word of the language", "give the index another name", token.start, token.end)
        if self.scope is not None:
            self._ask(self.scope.binds, token, name)
        return name

    def ranged(self, c: list[Any]) -> _Head:
        """``Σ[i=lo..hi]``."""
        word, _, token, _, lo, _, hi, _ = c
        name = self._bindable(token)
        self._enter(name)
        return _Head("sum" if word.type == "SUM" else "prod", word.start, (name, lo, hi))

    def unranged(self, c: list[Any]) -> _Head:
        """``Σ[i]`` over the declared range of i."""
        word, _, token, _ = c
        name = self._bindable(token)
        if self.scope is None:
            self.fail(
                f"the range of {name} is not declared",
                f"write {word.value}[{name}=1..N](…)",
                token.start,
                token.end,
            )
        lo, hi = self._ask(self.scope.index_range, token, name)
        self._enter(name)
        place = token.start, token.end
        return _Head("sum" if word.type == "SUM" else "prod", word.start, (name, Node(lo, *place), Node(hi, *place)))

    def drawing(self, c: list[Any]) -> Token:
        """``x ~``: the law behind stands under the binder, but does not see the name."""
        token: Token = c[0]
        self._bindable(token)
        self.depth += 1
        self.law = ONE
        return token

    def draw(self, c: list[Any]) -> tuple[str, Node]:
        """``x ~ p(·; θ)``."""
        token, law = c
        if self.law is not law.term or not isinstance(law.term, App):
            self.fail(
                f"the law of {token.value} is no density with the placeholder · in it",
                f"write {token.value} ~ p(·; θ), ASCII p(.; theta)",
                law.start,
                law.end,
            )
        self.law = None
        self.levels.setdefault(token.value, []).append(self.depth - 1)
        return token.value, law

    @staticmethod
    def drawn(c: list[Any]) -> _Head:
        """``𝔼[…]``."""
        return _Head("expect", c[0].start, c[2])

    def bound(self, c: list[Any]) -> Node:
        """A binder over the operand behind."""
        return self._bound(c[0], c[1], c[1].end)

    def bound_of(self, c: list[Any]) -> Node:
        """A binder over what stands in parentheses."""
        return self._bound(c[0], c[2], c[3].end)

    def _bound(self, head: _Head, body: Node, end: int) -> Node:
        if head.kind != "expect":
            name, lo, hi = head.data
            self._leave(name)
            big = Sum if head.kind == "sum" else Prod
            return self.make(big(lo.term, hi.term, body.term, name), head.start, end, (lo, hi, body))
        node = body
        for name, law in reversed(head.data):
            self._leave(name)
            for part, what in ((law, "the law that is sampled"), (node, "what is averaged")):
                if self._bare_stop(part.term):
                    error = TermError(
                        f"an expectation is not defined where ⊥ stands outside every → in {what} "
                        "(paper, section 2.2)",
                        instead="put → around the part with ⊥, or differentiate the samples' weights instead: "
                        "→(∇θ(…)) inside the 𝔼",
                    )
                    raise self.placed(error, part.start, part.end)
            node = self.make(Expect(law.term, node.term, name), head.start, end, (law, node))
        return node

    def _leave(self, name: str) -> None:
        self.levels[name].pop()
        self.depth -= 1

    def _bare_stop(self, term: Term) -> bool:
        if term.flags & HAS_BARE_STOP:
            return True
        return self.scope is not None and self.scope.has_bare_stop(term)
