"""The grammar rules of applications, built-in functions, brackets and cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .arithmetic import Arithmetic, Dot, Node
from .scanner import Token
from .terms import FUNCTIONS, ONE, App, Bound, Eval, Fn, Indexed, Mul, Stop, Sym, Term

__all__ = ["Calls"]


class Calls(Arithmetic):
    """The callbacks of everything that is written with an argument list."""

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

    def placeholder(self, c: list[Any]) -> Node:
        """``·``."""
        return Dot(Bound(0), c[0].start, c[0].end)

    def applied(self, c: list[Any]) -> Node:
        """An opaque function or density at its arguments."""
        token, _, slots, close = c
        return self._application(token, slots, (), token.start, close.end)

    def derivative(self, c: list[Any]) -> Node:
        """A partial derivative of an opaque function, at its arguments."""
        head, _, partials, _, _, token, _, _, slots, close = c
        if token.value in FUNCTIONS:
            self.fail(
                f"{token.value} is built in, and D[…] is for opaque functions",
                f"write ∇x {token.value}(…) for its derivative",
                token.start,
                token.end,
            )
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
        if name == "slice":
            self.fail("a range is no function", "write it as an index, y[1:T]", token.start, token.end)
        for argument in (*args, *given):
            if isinstance(argument.term, Indexed):
                self.sliced.pop(argument.start, None)
        self.applications.setdefault(name, token)
        dots = [a for a in every if isinstance(a, Dot)]
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
        if dots and (len(dots) > 1 or dots[0] not in args or not self._law_of(term)):
            self._stray(dots[-1])
        return node

    def _law_of(self, term: Term) -> bool:
        """Take an application with the placeholder as the law that is being read, if one is."""
        if not self.laws or self.laws[-1] is not ONE:
            return False
        self.laws[-1] = term
        return True

    def builtin(self, c: list[Any]) -> Node:
        """A built-in function at its arguments."""
        token, _, (args, given, params), close = c
        name = token.value
        self._no_dots([*args, *given, *params])
        if given or params:
            extra = (given or params)[0]
            self.fail(
                f"{name} takes neither conditions nor parameters",
                f"write {name}({', '.join('xyz'[: 2 if name == 'outer' else FUNCTIONS[name]])})",
                extra.start,
                extra.end,
            )
        arity = 2 if name == "outer" else FUNCTIONS[name]
        if len(args) != arity:
            shape = ", ".join("xyz"[:arity])
            nested = f"nest it: {name}(x, {name}(y, z))"
            advice = nested if len(args) > arity == 2 else f"write {name}({shape})"
            count = "no argument" if arity == 0 else f"{arity} argument{'s' * (arity > 1)}"
            self.fail(f"{name} takes {count}, not {len(args)}", advice, token.start, close.end)
        if name == "outer":
            left, right = args
            moved = self.moved(right, len(self.axes.of(left.term)))
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
