"""The round-trip printers: text that parses back to an equal term.

``parse(to_text(e)) == e`` and ``parse(to_unicode(e)) == e`` for every closed, well-typed term whose
names are canonical.  Output is a tree even where the term is a DAG, so its size is computed first
and a term too large to print is refused (:data:`MAX_NODES`); :func:`summary` never is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from ..errors import TermError
from ..language.names import RESERVED, ascii_name
from ..language.scanner import MAX_ORDER
from ..language.terms import (
    HAS_AXIS,
    Add,
    App,
    Axis,
    Bound,
    CondExpect,
    Eval,
    Expect,
    Fn,
    Grad,
    Grads,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
    tree_size,
)
from ..language.vectors import Axes
from .binder_names import BinderNames
from .precedence import Level, denominator, level, signed

__all__ = ["MAX_NODES", "decimal_digits", "summary", "to_text", "to_unicode"]

#: Largest number of nodes, shared ones counted as often as they occur, that is printed in full.
MAX_NODES = 2_000_000

_SUPERSCRIPT = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_RELATIONS = {"gt": " > ", "ge": " >= ", "eq": " = "}
_UNICODE_RELATIONS = {"gt": " > ", "ge": " ≥ ", "eq": " = "}
_LOG_OPERANDS = (App, Sym, Bound, Indexed, Sum, Prod, Expect, CondExpect)
_GRAD_OPERANDS = (*_LOG_OPERANDS, Grad, Grads, Stop, Eval)


@dataclass(frozen=True, slots=True)
class _Style:
    """The spelling of everything that differs between ASCII and Unicode."""

    stop: str
    arrow: str
    sum: str
    prod: str
    expect: str
    dot: str
    relations: dict[str, str]
    unicode: bool


_ASCII = _Style("stop", "eval", "sum", "prod", "E", ".", _RELATIONS, False)
_UNICODE = _Style("⊥", "→", "Σ", "∏", "𝔼", "·", _UNICODE_RELATIONS, True)


def to_text(term: Term, *, vector: Collection[str] = (), scope: Sequence[str] = ()) -> str:
    """The term in ASCII; a name without an ASCII spelling, such as ``é``, is left as it is.

    Args:
        term: any term.
        vector: names to be read as vectors when the text is parsed, whose gradients then need no
            explicit axis.
        scope: names for loose bound indices, of the outermost binder first.

    Raises:
        TermError: a term of more than :data:`MAX_NODES` nodes as a tree.
    """
    return _write(term, _ASCII, vector, scope)


def to_unicode(term: Term, *, vector: Collection[str] = (), scope: Sequence[str] = ()) -> str:
    """The term in Unicode, ``f(x; θ) * ∇θ log p(x; θ)``; arguments as for :func:`to_text`."""
    return _write(term, _UNICODE, vector, scope)


def summary(term: Term, limit: int = 200, *, scope: Sequence[str] = ()) -> str:
    """The first ``limit`` characters of the Unicode text, ending in ``…`` where there are more.

    ``scope`` holds names for loose bound indices, of the outermost binder first.
    """
    text = _Writer(term, _UNICODE, (), scope).text(limit)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _write(term: Term, style: _Style, vector: Collection[str], scope: Sequence[str]) -> str:
    size = tree_size(term)
    if size > MAX_NODES:
        count = f"{size:,}" if size < 10**12 else f"more than 2^{size.bit_length() - 1}"
        raise TermError(
            f"the term has {count} nodes as a tree; at most {MAX_NODES:,} are printed",
            instead="print its summary, or keep it as a certificate, which shares its nodes",
        )
    return _Writer(term, style, vector, scope).text()


@dataclass(frozen=True, slots=True)
class _Task:
    """A term still to be written: where, with how many axes taken off, and whether without spaces."""

    term: Term
    place: Level
    offset: int
    tight: bool


_Piece = str | _Task | Callable[[], object]


class _Writer:
    """Writes one term, from left to right, with an explicit stack."""

    def __init__(self, root: Term, style: _Style, vector: Collection[str], scope: Sequence[str]) -> None:
        self.root = root
        self.style = style
        self.vector = frozenset(vector)
        self.axes = Axes()
        self.binders = BinderNames(root, scope)
        self.spelled: dict[str, str] = {}

    def text(self, limit: int | None = None) -> str:
        """The whole text, or a little more than its first ``limit`` characters."""
        out: list[str] = []
        length = 0
        todo: list[_Piece] = [_Task(self.root, Level.SUM, 0, False)]
        while todo:
            piece = todo.pop()
            if piece.__class__ is str:
                out.append(piece)
                length += len(piece)
                if limit is not None and length > limit:
                    break
            elif isinstance(piece, _Task):
                todo.extend(reversed(self.pieces(piece)))
            else:
                piece()  # type: ignore[operator]
        return "".join(out)

    def spell(self, name: str) -> str:
        """A name in this style."""
        if self.style.unicode:
            return name
        found = self.spelled.get(name)
        if found is None:
            found = self.spelled[name] = ascii_name(name)
        return found

    def pieces(self, task: _Task) -> list[_Piece]:
        """The outermost operator's text, with tasks for its operands."""
        term = task.term
        own = _WRITERS[term.__class__](self, term, task)
        if level(term) < task.place:
            return ["(", *own, ")"]
        return own

    def many(self, terms: Sequence[Term], task: _Task, separator: str, tight: bool) -> list[_Piece]:
        """Terms in a list."""
        out: list[_Piece] = []
        for term in terms:
            if out:
                out.append(separator)
            out.append(_Task(term, Level.SUM, task.offset, tight))
        return out

    # Leaves -----------------------------------------------------------------------------------

    def num(self, term: Term, task: _Task) -> list[_Piece]:
        return [_rational(term)]

    def sym(self, term: Term, task: _Task) -> list[_Piece]:
        return [self.spell(term.key)]

    def bound(self, term: Term, task: _Task) -> list[_Piece]:
        name = self.binders.bound(term.key)
        return [self.style.dot if name is None else self.spell(name)]

    def axis(self, term: Term, task: _Task) -> list[_Piece]:
        return [f"@{term.key - task.offset}"]

    def indexed(self, term: Term, task: _Task) -> list[_Piece]:
        return [self.spell(term.key), "[", *self.many(term.args, task, ",", True), "]"]

    # Arithmetic -------------------------------------------------------------------------------

    def add(self, term: Term, task: _Task) -> list[_Piece]:
        out: list[_Piece] = [_Task(term.args[0], Level.NEGATIVE, task.offset, task.tight)]
        plus, minus = ("+", "-") if task.tight else (" + ", " - ")
        for arg in term.args[1:]:
            negative, factors = signed(arg)
            if negative:
                out.append(minus)
                out.extend(self.product(factors, task))
            else:
                out.append(plus)
                out.append(_Task(arg, Level.PRODUCT, task.offset, task.tight))
        return out

    def mul(self, term: Term, task: _Task) -> list[_Piece]:
        negative, factors = signed(term)
        return ["-", *self.product(factors, task)] if negative else self.product(factors, task)

    def product(self, factors: Sequence[Term], task: _Task) -> list[_Piece]:
        """Factors in order, inverse ones behind a slash; see the module on sugar in terms.py."""
        offsets = self._blocks(factors, task.offset)
        times, slash = ("*", "/") if task.tight else (" * ", " / ")
        head = factors[0]
        if isinstance(head, Num):
            out: list[_Piece] = [_rational(head)] if head.value >= 0 else ["(", _rational(head), ")"]
        else:
            below = denominator(head)
            if below is None:
                out = [_Task(head, Level.PREFIX, task.offset, task.tight)]
            else:
                simple = task.tight or isinstance(below, (Sym, Bound, Indexed))
                out = ["1/" if simple else "1 / ", _Task(below, Level.PREFIX, task.offset, task.tight)]
        if offsets is not None and not self.style.unicode:
            if len(factors) != 2 or len(offsets) != 2 or not self.axes.of(head):
                offsets = None
            else:
                out = ["outer(", _Task(head, Level.SUM, task.offset, False), ", "]
                out += [_Task(factors[1], Level.SUM, offsets[1], False), ")"]
                return out
        for position, factor in enumerate(factors[1:], 1):
            offset = task.offset if offsets is None else offsets[position]
            if offset != task.offset:
                out += [" ⊗ ", _Task(factor, Level.PREFIX, offset, task.tight)]
                continue
            below = denominator(factor)
            lone = position == 1 and isinstance(head, Num)
            if below is not None and isinstance(factor, Num):
                # a quotient of two leading numbers would be read as one number
                out += [times, "(", _rational(factor), ")"] if lone else [slash, _rational(below)]
            elif below is not None:
                if lone and isinstance(head, Num) and head.value == 1:  # 1/b would be read as b^-1
                    out += [times, _Task(below, Level.ATOM, offset, task.tight), "^-1"]
                else:
                    out += [slash, _Task(below, Level.PREFIX, offset, task.tight)]
            else:
                out += [times, _Task(factor, Level.PREFIX, offset, task.tight)]
        return out

    def _blocks(self, factors: Sequence[Term], offset: int) -> list[int] | None:
        """Offset of each factor where their axes are ascending blocks, so that ⊗ can be written."""
        count = 0
        out: list[int] = []
        for factor in factors:
            if not factor.flags & HAS_AXIS:
                out.append(offset)
                continue
            own = sorted(a - offset for a in self.axes.of(factor))
            if own != list(range(count + 1, count + 1 + len(own))):
                return None
            out.append(offset + count)
            count += len(own)
        return out if any(o != offset for o in out) else None

    def pow(self, term: Term, task: _Task) -> list[_Piece]:
        below = denominator(term)
        if below is not None:
            simple = task.tight or isinstance(below, (Sym, Bound, Indexed))
            return ["1/" if simple else "1 / ", _Task(below, Level.PREFIX, task.offset, task.tight)]
        base, exponent = term.args
        out: list[_Piece] = [_Task(base, Level.ATOM, task.offset, task.tight)]
        negative, factors = signed(exponent)
        if negative and len(factors) == 1:
            return [*out, "^-", _Task(factors[0], Level.POWER, task.offset, task.tight)]
        return [*out, "^", _Task(exponent, Level.POWER, task.offset, task.tight)]

    # Functions --------------------------------------------------------------------------------

    def fn(self, term: Term, task: _Task) -> list[_Piece]:
        op, args = term.key, term.args
        relation = self.style.relations.get(op)
        if relation is not None:
            return ["[", *self.many(args, task, relation, task.tight), "]"]
        if op == "slice":
            return self.many(args, task, ":", True)
        if op == "cases":
            return self.cases(term, task)
        if (
            op == "log"
            and self.style.unicode
            and task.place <= Level.PREFIX
            and isinstance(args[0], _LOG_OPERANDS)
        ):
            return ["log ", _Task(args[0], Level.PREFIX, task.offset, task.tight)]
        return [op, "(", *self.many(args, task, ", ", False), ")"]

    def cases(self, term: Term, task: _Task) -> list[_Piece]:
        out: list[_Piece] = ["cases("]
        while isinstance(term, Fn) and term.op == "cases":
            condition, value, term = term.args
            out += [_Task(condition, Level.SUM, task.offset, False), ": "]
            out += [_Task(value, Level.SUM, task.offset, False), ", "]
        return [*out, "else: ", _Task(term, Level.SUM, task.offset, False), ")"]

    def app(self, term: Term, task: _Task) -> list[_Piece]:
        assert isinstance(term, App)
        out: list[_Piece] = []
        if term.key[4]:
            out.append("D[")
            for slot, coordinate in term.partials:
                out.append(f", {slot}" if len(out) > 1 else str(slot))
                if coordinate is not None:
                    out += self.coordinate(coordinate, task)
            out += ["](", self.spell(term.name), ")("]
        else:
            out += [self.spell(term.name), "("]
        out += self.many(term.arguments, task, ", ", False)
        if term.given:
            out += [" | " if term.key[1] else "| ", *self.many(term.given, task, ", ", False)]
        if term.params:
            out += ["; ", *self.many(term.params, task, ", ", False)]
        return [*out, ")"]

    def coordinate(self, coordinate: Term, task: _Task) -> list[_Piece]:
        """``@2`` for an open axis, ``[k]`` for an index."""
        if isinstance(coordinate, Axis):
            return [f"@{coordinate.key - task.offset}"]
        return ["[", _Task(coordinate, Level.SUM, task.offset, True), "]"]

    def stop(self, term: Term, task: _Task) -> list[_Piece]:
        return [self.style.stop, "(", _Task(term.args[0], Level.SUM, task.offset, False), ")"]

    def eval(self, term: Term, task: _Task) -> list[_Piece]:
        return [self.style.arrow, "(", _Task(term.args[0], Level.SUM, task.offset, False), ")"]

    def grad(self, term: Term, task: _Task) -> list[_Piece]:
        assert isinstance(term, Grad)
        name = self.spell(term.param)
        if not self.plain(term, task.offset):
            assert term.coordinate is not None
            nabla = "∇[" if self.style.unicode else "grad["
            return [
                nabla, name, *self.coordinate(term.coordinate, task), "](",
                _Task(term.body, Level.SUM, task.offset, False), ")",
            ]  # fmt: skip
        order, body = 1, term.body
        while (
            order < MAX_ORDER
            and isinstance(body, Grad)
            and body.param == term.param
            and self.plain(body, task.offset)
        ):
            order, body = order + 1, body.body
        if not self.style.unicode:
            heads = [f"hess[{name}]("] * (order // 2) + [f"grad[{name}]("] * (order % 2)
            return ["".join(heads), _Task(body, Level.SUM, task.offset, False), ")" * len(heads)]
        nabla = f"∇{str(order).translate(_SUPERSCRIPT) if order > 1 else ''}{name}"
        called = isinstance(body, Fn) and body.op not in _RELATIONS and body.op != "cases"
        if called or isinstance(body, _GRAD_OPERANDS):
            inner: list[_Piece] = [nabla, " ", _Task(body, Level.PREFIX, task.offset, task.tight)]
            # (∇θ log p)^2 reads better than ∇θ(log p)^2, which says the same
            return inner if task.place <= Level.PREFIX else ["(", *inner, ")"]
        return [nabla, "(", _Task(body, Level.SUM, task.offset, False), ")"]

    def grads(self, term: Term, task: _Task) -> list[_Piece]:
        """``∇^k[θ](…)`` or ``∇^(k+1)[θ](…)``; a number in parentheses is one order, no nested ∇."""
        assert isinstance(term, Grads)
        order = term.order
        exponent: list[_Piece] = ["(", _Task(order, Level.SUM, task.offset, True), ")"]
        if isinstance(order, (Sym, Bound)):
            name = order.name if isinstance(order, Sym) else self.binders.bound(order.index)
            if name is not None and name not in RESERVED:
                exponent = [self.spell(name)]
        nabla = "∇^" if self.style.unicode else "grad^"
        inside = _Task(term.body, Level.SUM, task.offset, False)
        return [nabla, *exponent, "[", self.spell(term.param), "](", inside, ")"]

    def plain(self, term: Grad, offset: int) -> bool:
        """Whether the parser gives ``∇θ`` this very coordinate by itself."""
        coordinate = term.coordinate
        if coordinate is None:
            return True
        if term.param not in self.vector or not isinstance(coordinate, Axis):
            return False
        highest = self.axes.highest(term.body)
        return coordinate.key == (highest if highest else offset) + 1

    # Binders ----------------------------------------------------------------------------------

    def big(self, term: Term, task: _Task) -> list[_Piece]:
        assert isinstance(term, (Sum, Prod))
        name = self.binders.choose(term.hint, term.body)
        return [
            self.style.sum if isinstance(term, Sum) else self.style.prod, "[", self.spell(name), "=",
            _Task(term.lo, Level.SUM, task.offset, True), "..",
            _Task(term.hi, Level.SUM, task.offset, True), "](",
            *self.under(name, term.body, task), ")",
        ]  # fmt: skip

    def expect(self, term: Term, task: _Task) -> list[_Piece]:
        assert isinstance(term, Expect)
        name = self.binders.choose(term.hint, term.body)
        return [
            self.style.expect, "[", self.spell(name), " ~ ", *self.under(None, term.law, task), "](",
            *self.under(name, term.body, task), ")",
        ]  # fmt: skip

    def cond_expect(self, term: Term, task: _Task) -> list[_Piece]:
        time, body = term.args
        return [
            self.style.expect, "[", self.style.dot, " | ", _Task(time, Level.SUM, task.offset, True), "](",
            _Task(body, Level.SUM, task.offset, False), ")",
        ]  # fmt: skip

    def under(self, name: str | None, body: Term, task: _Task) -> list[_Piece]:
        """A child of a binder, with the name on the stack while it is written."""
        stack = self.binders.stack
        return [lambda: stack.append(name), _Task(body, Level.SUM, task.offset, False), stack.pop]


def _rational(term: Term) -> str:
    value = term.key
    numerator = decimal_digits(value.numerator)
    return numerator if value.denominator == 1 else f"{numerator}/{decimal_digits(value.denominator)}"


def decimal_digits(value: int) -> str:
    """Decimal digits of any integer: ``str`` refuses more than a few thousand."""
    if value.bit_length() < 13_000:  # fewer than 4,000 digits
        return str(value)
    sign, rest, digits = "-" if value < 0 else "", abs(value), []
    while rest:
        rest, low = divmod(rest, 10**4000)
        digits.append(str(low).rjust(4000, "0"))
    return sign + "".join(reversed(digits)).lstrip("0")


_WRITERS: dict[type[Term], Callable[[_Writer, Term, _Task], list[_Piece]]] = {
    Num: _Writer.num,
    Sym: _Writer.sym,
    Bound: _Writer.bound,
    Axis: _Writer.axis,
    Indexed: _Writer.indexed,
    Add: _Writer.add,
    Mul: _Writer.mul,
    Pow: _Writer.pow,
    Fn: _Writer.fn,
    App: _Writer.app,
    Stop: _Writer.stop,
    Eval: _Writer.eval,
    Grad: _Writer.grad,
    Grads: _Writer.grads,
    Sum: _Writer.big,
    Prod: _Writer.big,
    Expect: _Writer.expect,
    CondExpect: _Writer.cond_expect,
}
