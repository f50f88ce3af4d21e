r"""From reduced rules of ``latex.lark`` to terms.

Names, scopes, binders and checks are those of the text language, by inheritance; what is here is what
LaTeX writes in its own way: prefixes, scripts, applications, the ranges of sums.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

from ..errors import Span
from .arithmetic import Dot, Node
from .builder import Head
from .latex_names import latex_name
from .latex_products import AmbiguousError, Item, LatexProducts, kind_of
from .paths import is_slice
from .scanner import Token
from .terms import ONE, Axis, Bound, CondExpect, Fn, Grad, Num, Pow, Sym

__all__ = ["LatexBuilder"]

#: Stands for the coordinate of a bold parameter: the next open axis.
_NEXT_AXIS = object()
#: Letters that name indices: ``w_i(…)`` is not taken for a density with the parameter i.
_INDEX_LETTERS = frozenset("ijklmnst")
#: An exponent as indices of samples are written, ``x^{(i)}``.
_IN_PARENTHESES = re.compile(r"\{\s*(?:\\left\s*)?\(([^()]*?)(?:\\right\s*)?\)\s*\}")
#: More indices than any family has: the declaration leaves their number open.
_ANY = 1_000


class Script:
    """An index or exponent: one or more expressions, or the ⊤ of a transpose."""

    __slots__ = ("end", "nodes", "start", "top")

    def __init__(self, nodes: list[Node], start: int, end: int, top: bool = False) -> None:
        self.nodes = nodes
        self.start = start
        self.end = end
        self.top = top


class LatexBuilder(LatexProducts):
    """The callbacks of one parse of LaTeX."""

    _drawn = ""  # what the law that is read is the law of

    symbolic_form = r"\nabla_{\theta}^{k} E or \nabla_{\theta}^{k+1} E"

    # ---- prefixes ----

    def prefixed(self, c: list[Any]) -> Item:
        """A prefix and its operand without parentheses."""
        prefix, operand = c
        node = self._applied_prefix(prefix, operand, operand.end)
        # the ⊤ of ∇ log p^⊤ turns the gradient: what it stands behind is a scalar
        kind = "transposed" if kind_of(operand) == "transposed" else "prefix"
        return Item(Node(node.term, node.start, node.end, (operand,)), kind)

    def called(self, c: list[Any]) -> Node:
        """A prefix and its operand in parentheses."""
        return self._applied_prefix(c[0], c[2], c[3].end)

    def _applied_prefix(self, prefix: Any, body: Node, end: int) -> Node:
        if isinstance(prefix, Head):
            return self._gradient(prefix, body, end)
        return self._one(prefix, body, end)

    def _one(self, word: Token, body: Node, end: int) -> Node:
        if word.type == "FUNC":
            return self.make(Fn(word.value, body.term), word.start, end, (body,))
        return super()._one(word, body, end)

    def coordinate(self, c: list[Any]) -> Any:
        """The parameter of a ∇: its name and its coordinate."""
        token = c[0] if len(c) == 1 else c[1]
        name = self._parameter(token)
        if len(c) == 5:
            return name, self._single(c[3], "one coordinate, \\nabla_{\\theta_{k}}")
        return name, _NEXT_AXIS if token.bold else None

    def _single(self, script: Script, advice: str) -> Node:
        if script.top or len(script.nodes) != 1 or is_slice(script.nodes[0].term):
            self.fail("one expression is needed here", f"write {advice}", script.start, script.end)
        return script.nodes[0]

    def nabla(self, c: list[Any]) -> Head:
        r"""``\nabla_\theta``."""
        name, coordinate = c[2]
        return Head("nabla", c[0].start, (name, 1, coordinate))

    def nabla_order(self, c: list[Any]) -> Head:
        r"""``\nabla_\theta^2``."""
        return self._nabla_power(c[0], c[2], c[4])

    def nabla_order_first(self, c: list[Any]) -> Head:
        r"""``\nabla^2_\theta``."""
        return self._nabla_power(c[0], c[4], c[2])

    def _nabla_power(self, token: Token, parameter: tuple[str, Any], script: Script) -> Head:
        node = self._single(script, r"\nabla_\theta^2")
        name, coordinate = parameter
        bracketed = self.text.startswith(("(", r"\left("), node.start)
        if not isinstance(node.term, Num) or bracketed:
            return self._symbolic(token, name, coordinate, node, script.end)
        order = self._order(Token("NUMBER", str(node.term.value), script.start, script.end))
        if isinstance(coordinate, Node) and order > 1:
            self.fail(
                "one coordinate for several derivatives",
                r"nest them, each with its own: \nabla_{\theta_{i}} \nabla_{\theta_{j}} E",
                token.start,
                script.end,
            )
        return Head("nabla", token.start, (name, order, coordinate))

    def _gradient(self, head: Head, body: Node, end: int) -> Node:
        if head.kind == "symbolic" or head.data[2] is not _NEXT_AXIS:
            return super()._gradient(head, body, end)
        name, order, _ = head.data
        node = body
        for _ in range(order):
            term = Grad(name, node.term, Axis(1 + self.axes.highest(node.term)))
            node = Node(term, head.start, end, (node,))
        return node

    def function_power(self, c: list[Any]) -> Node:
        r"""``\log^2``: refused."""
        token, _, script = c
        function = self.shown(token.start, token.end)
        self.fail(
            f"a power between {function} and what it is taken of",
            rf"write \left({function} x\right)^{{…}}",
            token.start,
            script.end,
        )

    # ---- names and scripts ----

    def script_name(self, c: list[Any]) -> Script:
        """A letter."""
        return Script([self.name(c)], c[0].start, c[0].end)

    def script_number(self, c: list[Any]) -> Script:
        """A digit."""
        return Script([self.number(c)], c[0].start, c[0].end)

    def script_top(self, c: list[Any]) -> Script:
        """⊤."""
        return Script([], c[0].start, c[-1].end, top=True)

    def script(self, c: list[Any]) -> Script:
        """What stands in braces."""
        for node in c[1]:
            items = node.items if isinstance(node, Item) else []
            for left, right in pairwise(items):
                if kind_of(left) == kind_of(right) == "name" and left.end == right.start:
                    a, b = self.shown(left.start, left.end), self.shown(right.start, right.end)
                    first, last = items[0], items[-1]
                    word = self.shown(first.start, last.end)
                    name = rf", \mathrm{{{word}}} for one name" if word.isalpha() else ""
                    self.fail(
                        "two letters side by side, a product, in an index",
                        rf"write {a},{b} for two indices, {a} \cdot {b} for a product{name}",
                        left.start,
                        right.end,
                    )
        return Script(c[1], c[0].start, c[2].end)

    def named(self, c: list[Any]) -> Item:
        """A name without scripts."""
        return Item(self.name(c), "name")

    def below(self, c: list[Any]) -> Item:
        """``w_t``."""
        return self._scripted(c[0], c[2], None)

    def above(self, c: list[Any]) -> Item:
        """``w^i``: an index of a family with a free slot, else a power."""
        return self._scripted(c[0], None, c[2])

    def below_above(self, c: list[Any]) -> Item:
        """``w_t^i``."""
        return self._scripted(c[0], c[2], c[4])

    def above_below(self, c: list[Any]) -> Item:
        """``w^i_t``."""
        return self._scripted(c[0], c[4], c[2])

    def _scripted(self, token: Token, sub: Script | None, sup: Script | None) -> Item:
        indices = [] if sub is None else list(sub.nodes)
        if sub is not None and sub.top:
            self.fail("⊤ below a name", r"write B^\top", sub.start, sub.end)
        end = max(script.end for script in (sub, sup) if script is not None)
        raised = sup is not None and not sup.top
        slots = self._slots(token.value, bool(indices))
        numeral = raised and sup is not None and isinstance(sup.nodes[0].term, Num)
        if sup is not None and raised and len(indices) < slots and not (slots == _ANY and numeral):
            for node in sup.nodes:
                if isinstance(node.term, Num):
                    base = self.text[token.start : token.end]
                    inside = ", ".join([self.shown(i.start, i.end) for i in indices] + [str(node.term.value)])
                    whole = self.shown(token.start, sup.start).rstrip("^").rstrip()
                    self.fail(
                        f"{token.value} is a family with a free index: this superscript would be an index",
                        rf"write {base}_{{{inside}}} for the index, "
                        rf"\left({whole}\right)^{{{node.term.value}}} for the power",
                        token.start,
                        sup.end,
                    )
            indices += sup.nodes
            raised = False
        if indices:
            last = Token("RBRACE", "", end, end)
            base_node = Item(self.family([token, None, indices, last]), "name")
        else:
            base_node = Item(self.name([token]), "name")
        if sup is None or not (raised or sup.top):
            return base_node
        return self._raised(base_node, sup)

    def _slots(self, name: str, indexed: bool) -> int:
        """How many indices a declared family has; 0 for what is none."""
        if self.given is None or self.levels.get(name):
            return 0
        shape = self.given.shape(name)
        if shape is None:  # plain, or with any indices
            return _ANY if indexed else 0
        return len(shape)

    def power(self, c: list[Any]) -> Item:
        r"""``E^x``, and ``E^\top``."""
        base, _, script = c
        if kind_of(base) == "partial":
            shown = self.shown(base.start, base.end)
            self.fail(
                "a power behind a partial derivative has two readings",
                rf"write \left({shown}\right)^{{…}} for the power of the derivative",
                base.start,
                script.end,
            )
        return self._raised(base, script)

    def _raised(self, base: Node, script: Script) -> Item:
        if script.top:
            return Item(Node(base.term, base.start, script.end, base.kids), "transposed")
        exponent = self._single(script, "one exponent, x^{2}; indices stand below, w_{t, i}")
        written = _IN_PARENTHESES.fullmatch(self.text, script.start, script.end)
        if written is not None and isinstance(exponent.term, (Sym, Num, Bound)):
            alone, shown = written.group(1).strip(), self.shown(base.start, base.end)
            self.fail(
                "a name or number in parentheses above has two readings",
                rf"write {shown}_{{{alone}}} for an index, {shown}^{{{alone}}} for a power",
                base.start,
                script.end,
            )
        node = self.make(Pow(base.term, exponent.term), base.start, script.end, (base, exponent))
        return Item(node, "power")

    # ---- applications ----

    def drawing(self, c: list[Any]) -> Token:
        r"""``x \sim``: in the law behind, x stands for the placeholder."""
        token = super().drawing(c)
        self._drawn = token.value
        return token

    def _application(
        self,
        token: Token,
        slots: tuple[list[Node], list[Node], list[Node]],
        partials: Any,
        start: int,
        end: int,
    ) -> Node:
        args, given, params = slots
        if self.laws and self.laws[-1] is ONE and not any(isinstance(a, Dot) for a in args):
            args = [
                Dot(Bound(0), a.start, a.end) if a.term == Sym(self._drawn) else a for a in args
            ]  # x ~ p(x | y), as papers have it
        return super()._application(token, (args, given, params), partials, start, end)

    def density(self, c: list[Any]) -> Node:
        r"""``p_\theta(x)``: the subscript is the parameter."""
        token, _, script, _, (args, given, params), close = c
        self._are_parameters(token, script, many=len(args) > 1 or bool(given or params))
        return self._application(token, (args, given, [*script.nodes, *params]), (), token.start, close.end)

    def _are_parameters(self, token: Token, script: Script, many: bool = False) -> None:
        base = self.shown(token.start, script.end)
        if script.top:
            self.fail("⊤ below a name", r"write p_\theta(x)", script.start, script.end)
        if self._slots(token.value, True):
            raise self._family_applied(token, base, script.end, script.end)
        for node in script.nodes:
            name = node.term.name if isinstance(node.term, Sym) else None
            if name is None or (not many and self.given is None and name in _INDEX_LETTERS):
                below = self.shown(node.start, node.end)
                self.fail(
                    f"{base}(…) reads as a density with a parameter below, and {below} looks like an index",
                    rf"for a product write {base} \cdot (…), for a parameter p(x; …)",
                    token.start,
                    script.end,
                )

    def _family_applied(self, token: Token, base: str, at: int, end: int) -> AmbiguousError:
        r"""``w_t^i(…)`` for a family w, which can only be a product, but looks like an application."""
        error = AmbiguousError(
            f"{token.value} is a family and cannot be applied",
            instead=rf"for a product write {base} \cdot (…)",
            text=self.text,
            span=Span(token.start, end),
        )
        error.readings = (rf"{self.text[:at]} \cdot {self.text[at:]}",)
        return error

    def power_called(self, c: list[Any]) -> Node:
        """``f^2(x)``: refused."""
        token = c[0]
        call = next(part for part in c if isinstance(part, Token) and part.type == "CALL")
        base = self.shown(token.start, call.start)
        name = latex_name(token.value)
        if self._slots(token.value, True):
            scripts = [part for part in c if isinstance(part, Script)]
            raise self._family_applied(token, base, scripts[-1].end, call.end)
        self.fail(
            f"{base}(…) has two readings",
            rf"write {name}(…)^{{2}} for a power of the value, {base} \cdot (…) for a product",
            token.start,
            call.end,
        )

    def law(self, c: list[Any]) -> Node:
        r"""``x \sim p_\theta``: a density at the placeholder."""
        token, end, params = c[0], c[-1].end, []
        if len(c) == 3:
            self._are_parameters(token, c[2], many=True)
            params = c[2].nodes
        dot = Dot(Bound(0), token.start, end)
        return self._application(token, ([dot], [], list(params)), (), token.start, end)

    def known_until(self, c: list[Any]) -> Node:
        r"""``\mathbb{E}_{\mid t}[E]``: given all that is drawn up to the time t."""
        start, time, body, end = c[0].start, c[4], c[7], c[8].end
        return self.make(CondExpect(time.term, body.term), start, end, (time, body))

    @staticmethod
    def drawn_below(c: list[Any]) -> Head:
        r"""``\mathbb{E}_{x \sim p}``."""
        return Head("expect", c[0].start, c[3])

    def derivative(self, c: list[Any]) -> Item:
        r"""``\partial_{1,2} f(x)``."""
        (start, partials), token, _, slots, close = c
        return Item(self._application(token, slots, partials, start, close.end), "partial")

    @staticmethod
    def partial_number(c: list[Any]) -> tuple[int, list[tuple[Token, Node | None]]]:
        r"""``\partial_1``."""
        start, before = c[0] if len(c) == 4 else (c[0].start, [])
        return start, [*before, (c[-1], None)]

    @staticmethod
    def partial_list(c: list[Any]) -> tuple[int, list[tuple[Token, Node | None]]]:
        r"""``\partial_{1,2}``."""
        start, before = c[0] if len(c) == 6 else (c[0].start, [])
        return start, [*before, *c[-2]]

    @staticmethod
    def partial_at(c: list[Any]) -> tuple[Token, Node | None]:
        """A slot with the coordinate of a vector."""
        return c[0], c[2]

    # ---- binders ----

    def from_to(self, c: list[Any]) -> Head:
        r"""``\sum_{i=1}^{N}``."""
        return self._range(c[0], c[3], c[5], c[8])

    def to_from(self, c: list[Any]) -> Head:
        r"""``\sum^{N}_{i=1}``."""
        return self._range(c[0], c[5], c[7], c[2])

    def _range(self, word: Token, token: Token, lo: Node, hi: Node) -> Head:
        name = self._bindable(token)
        self._enter(name)
        return Head("sum" if word.value == "Σ" else "prod", word.start, (name, lo, hi))

    def over_declared(self, c: list[Any]) -> Head:
        r"""``\sum_i`` over the declared range."""
        word, token = c[0], c[2] if len(c) == 3 else c[3]
        if self.scope is None:
            sign = r"\sum" if word.value == "Σ" else r"\prod"
            shown = self.shown(token.start, token.end)
            self.fail(
                f"the range of {token.value} is not declared",
                f"write {sign}_{{{shown}=1}}^{{N}}",
                word.start,
                c[-1].end,
            )
        lo, hi = self._ask(self.scope.index_range, token, token.value)
        return self._range(word, token, Node(lo, token.start, token.end), Node(hi, token.start, token.end))

    # ---- cases ----

    @staticmethod
    def line(c: list[Any]) -> tuple[Node | None, Node, int]:
        """One line: its condition, or None for the last, its value, its end."""
        condition = None if isinstance(c[-1], Token) else c[-1]
        return condition, c[0], c[-1].end

    def cases(self, c: list[Any]) -> Node:
        """The whole environment; its last line is the one that holds otherwise."""
        lines, start, close = c[1], c[0].start, c[-1]
        for k, (condition, value, end) in enumerate(lines):
            if (condition is None) != (k == len(lines) - 1):
                what = "lines behind otherwise" if condition is None else "the last line has a condition"
                self.fail(
                    what,
                    r"end with one line  … & \text{otherwise}",
                    value.start,
                    end,
                )
        branches = [(condition, value) for condition, value, _ in lines[:-1]]
        otherwise = lines[-1][1]
        if not branches:
            return Node(otherwise.term, start, close.end, otherwise.kids)
        return super().cases([c[0], None, branches, None, None, otherwise, close])
