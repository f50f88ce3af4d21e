"""From reduced grammar rules to terms: one method for each rule of ``grammar.lark``.

A :class:`Builder` lives as long as one parse.  It keeps the names that binders have brought into
scope, so that a bound name becomes its de Bruijn index the moment it is read and no body is walked
twice.  Its values are :class:`~.arithmetic.Node`: a term, where it stood, and the nodes of its
children.
"""

from __future__ import annotations

from typing import Any

from ..errors import TermError
from .arithmetic import Node
from .calls import Calls
from .linear import Linear, read
from .names import is_name
from .scanner import MAX_ORDER, Token
from .terms import (
    HAS_BARE_STOP,
    ONE,
    Axis,
    Bound,
    CondExpect,
    Expect,
    Grad,
    Grads,
    Prod,
    Sum,
    Sym,
    Term,
    postorder,
)

__all__ = ["Builder", "Head"]


class Head:
    """What stands before the body of a ∇, Σ, ∏ or 𝔼."""

    __slots__ = ("data", "kind", "start")

    def __init__(self, kind: str, start: int, data: Any) -> None:
        self.kind = kind
        self.start = start
        self.data = data


class Builder(Calls):
    """The callbacks of one parse: those of gradients and binders, and all others by inheritance."""

    #: How a ∇ to a power that is no number is written.
    symbolic_form = "∇^k[θ](…) or ∇^(k+1)[θ](…)"

    # Gradients --------------------------------------------------------------------------------

    def _parameter(self, token: Token) -> str:
        name: str = token.value
        self._unbound(token, "a parameter")
        if self.scope is not None:
            self._ask(self.scope.gradient, token, name)
        if name.endswith(("log", "exp")) and len(name) > 3 and not name[0].isascii():
            self.fail(
                f"{name} is read as one name",
                f"write ∇{name[:-3]} {name[-3:]} …, with a space between",
                token.start,
                token.end,
            )
        self.differentiated.add(name)
        return name

    def _order(self, token: Token) -> int:
        order = self._integer(token) if token.value.lstrip("-").isdigit() and "-" not in token.value else 0
        if not 1 <= order <= MAX_ORDER:
            self.fail(
                f"∇ to the power {token.value}", f"the order is a number from 1 to {MAX_ORDER}",
                token.start, token.end,
            )  # fmt: skip
        return order

    def nabla(self, c: list[Any]) -> Head:
        """``∇θ``."""
        return Head("nabla", c[0].start, (self._parameter(c[1]), 1, None))

    def nabla_order(self, c: list[Any]) -> Head:
        """``∇²θ``."""
        return Head("nabla", c[0].start, (self._parameter(c[2]), self._order(c[1]), None))

    def nabla_of(self, c: list[Any]) -> Head:
        """``∇[θ]``."""
        return Head("nabla", c[0].start, (c[2][0], 1, c[2][1]))

    def nabla_order_of(self, c: list[Any]) -> Head:
        """``∇²[θ]``."""
        return self._higher(c[0], c[3], self._order(c[1]), c[4])

    def nabla_symbolic(self, c: list[Any]) -> Head:
        """``∇^k[θ]``."""
        token, _, order, _, (name, component), close = c
        return self._symbolic(token, name, component, order, close.end)

    def _symbolic(self, token: Token, name: str, component: object, order: Node, end: int) -> Head:
        """``∇`` to a power that is a term, of a scalar parameter."""
        if component is not None or name in self.vector:
            self.fail(
                f"{name} is a vector, and the order of its ∇ is no number",
                f"write ∇²[{name}](…) with a number, or nest ∇[{name}[k]](…); "
                "an order such as k goes with a scalar parameter",
                token.start,
                end,
            )
        number = self._whole(order, "the order of a ∇", f"write {self.symbolic_form}").number
        if number is not None and number < 0:
            self.fail(
                f"a ∇ of the order {number}", "the order is a whole number from 0 on", order.start, order.end
            )
        return Head("symbolic", token.start, (name, order))

    def _whole(self, node: Node, what: str, form: str) -> Linear:
        """A term that is a whole number: counts, indices, whole numbers, sums and differences of these."""

        def leaf(part: Term) -> Linear | None:
            if not isinstance(part, Bound) or self.depth - 1 - part.index in self.random:
                return None
            return Linear.variable(part.index)

        if self.scope is not None:
            for part in postorder(node.term):
                if isinstance(part, Sym):
                    self._ask(self.scope.whole, Token("NAME", part.name, node.start, node.end), part.name)
        found = read(node.term, leaf)
        if found is None or any(c.denominator != 1 for c in (found.constant, *found.parts.values())):
            self.fail(
                f"{what} is a count, an index, a whole number or a sum of these", form, node.start, node.end
            )
        return found

    def hess_of(self, c: list[Any]) -> Head:
        """``hess[θ]``."""
        return self._higher(c[0], c[2], 2, c[3])

    def _higher(self, token: Token, coordinate: tuple[str, Node | None], order: int, close: Token) -> Head:
        name, component = coordinate
        if component is not None and order != 1:
            self.fail(
                "one coordinate for several derivatives",
                f"nest them, each with its own: ∇[{name}@2](∇[{name}@1](…))",
                token.start,
                close.end,
            )
        return Head("nabla", token.start, (name, order, component))

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

    def _gradient(self, head: Head, body: Node, end: int) -> Node:
        if head.kind == "symbolic":
            name, power = head.data
            return self.make(Grads(name, power.term, body.term), head.start, end, (power, body))
        name, order, component = head.data
        node = body
        if name in self.vector and component is None:
            self.bounded(order + self.axes.highest(body.term), head.start, end)
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
            self.fail(
                f"{name} is a word of the language", "give the index another name", token.start, token.end
            )
        if self.scope is not None:
            self._ask(self.scope.binds, token, name)
        return name

    def ranged(self, c: list[Any]) -> Head:
        """``Σ[i=lo..hi]``."""
        word, _, token, _, lo, _, hi, _ = c
        name = self._bindable(token)
        self._enter(name)
        return Head("sum" if word.type == "SUM" else "prod", word.start, (name, lo, hi))

    def unranged(self, c: list[Any]) -> Head:
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
        bounds = Node(lo, token.start, token.end), Node(hi, token.start, token.end)
        return Head("sum" if word.type == "SUM" else "prod", word.start, (name, *bounds))

    def drawing(self, c: list[Any]) -> Token:
        """``x ~``: the law behind stands under the binder, but does not see the name."""
        token: Token = c[0]
        self._bindable(token)
        self.depth += 1
        self.laws.append(ONE)
        return token

    def draw(self, c: list[Any]) -> tuple[str, Node]:
        """``x ~ p(·; θ)``."""
        token, law = c
        if self.laws.pop() is not law.term:
            self.fail(
                f"the law of {token.value} is no density with the placeholder · in it",
                f"write {token.value} ~ p(·; θ), ASCII p(.; theta)",
                law.start,
                law.end,
            )
        self.levels.setdefault(token.value, []).append(self.depth - 1)
        self.random.add(self.depth - 1)
        return token.value, law

    @staticmethod
    def drawn(c: list[Any]) -> Head:
        """``𝔼[…]``."""
        return Head("expect", c[0].start, c[2])

    def conditional(self, c: list[Any]) -> Head:
        """``𝔼[· | t]``."""
        self._whole(c[4], "the time of an 𝔼[· | t]", "write 𝔼[· | t](…) or 𝔼[· | t-1](…)")
        return Head("given", c[0].start, c[4])

    def bound(self, c: list[Any]) -> Node:
        """A binder over the operand behind."""
        return self._bound(c[0], c[1], c[1].end)

    def bound_of(self, c: list[Any]) -> Node:
        """A binder over what stands in parentheses."""
        return self._bound(c[0], c[2], c[3].end)

    def _bound(self, head: Head, body: Node, end: int) -> Node:
        if head.kind == "given":
            self._averaged(body, "what is averaged", "𝔼[· | t](→(…))")
            return self.make(CondExpect(head.data.term, body.term), head.start, end, (head.data, body))
        if head.kind != "expect":
            name, lo, hi = head.data
            self._leave(name)
            big = Sum if head.kind == "sum" else Prod
            return self.make(big(lo.term, hi.term, body.term, name), head.start, end, (lo, hi, body))
        node = body
        for name, law in reversed(head.data):
            self._leave(name)
            for part, what in ((law, "the law that is sampled"), (node, "what is averaged")):
                self._averaged(part, what, "𝔼[x ~ p(·; θ)](→(…))")
            node = self.make(Expect(law.term, node.term, name), head.start, end, (law, node))
        return node

    def _leave(self, name: str) -> None:
        self.levels[name].pop()
        self.depth -= 1
        self.random.discard(self.depth)

    def _averaged(self, part: Node, what: str, form: str) -> None:
        """Refuse a bare ⊥ in an expectation."""
        if self._bare_stop(part.term):
            error = TermError(
                f"an expectation is not defined where ⊥ stands outside every → in {what} "
                "(paper, section 2.2)",
                instead=f"put → around the part with ⊥, as in {form}",
            )
            raise self.placed(error, part.start, part.end)

    def _bare_stop(self, term: Term) -> bool:
        if term.flags & HAS_BARE_STOP:
            return True
        return self.scope is not None and self.scope.has_bare_stop(term)
