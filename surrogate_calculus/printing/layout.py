r"""How a formula is set: fractions, brackets, names of bound indices, order; for LaTeX and MathML.

:func:`layout` turns a term into a flat stream of events, which a renderer only has to spell.  An
event is a pair (kind, text):

* ``open``, ``next``, ``close`` delimit the parts of a structure: ``frac`` (numerator, denominator),
  ``sup`` and ``sub`` (base, script), ``underover`` (sign, lower, upper), ``under`` (sign, lower),
  ``arrow``, ``sqrt``, ``paren``, ``tall`` (a parenthesis that grows), ``bracket``, ``abs``,
  ``angle``, ``unit`` (one factor above or below a bar; nothing is seen of it), ``cases`` (with ``next`` of
  ``cell`` and ``line``);
* ``name`` and ``bold`` (a vector parameter), ``number``, ``operator``, ``function``, ``text``;
* ``constant`` (π, and the ℱ of a conditional expectation) and ``placeholder``;
* ``times`` and ``apply`` are the product and the application that are not seen.

What the LaTeX parser reads back decides where a bracket stands:

* ``\frac{a b}{c}`` is the flat product ``a*b/c``; a denominator of several factors of the term, or
  one of a higher power, is set as units: ``a*c^-1*d^-2`` shows as a/(c d²) and is still itself.
* A prefix (``\log p``, ``\nabla_\theta p``) stands bare only as the last factor of a product.
* A product ends in at most one ``Σ`` or ``∏`` without brackets, which extends over all that follows.
* Vector parameters are bold, so that ``∇θ`` of a vector (its axis the next one) differs from ``∇θ``
  of a scalar.  Products of blocks of contiguous axes show as ``A Bᵀ`` or ``A ⊗ B``; any other axis is
  written out, ``∇_{θ_⟨2⟩}``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from ..language.scanner import MAX_ORDER
from ..language.terms import (
    ONE,
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
)
from .binder_names import BinderNames
from .forms import Forms, Place, Run, is_below
from .precedence import signed
from .text import decimal_digits

if TYPE_CHECKING:
    from ..language.declarations import Document

__all__ = ["Event", "layout", "raised"]

Event = tuple[str, str]


class _Visit(NamedTuple):
    """A term still to be set: in which scope, where, and how many axes are counted off."""

    term: Term
    names: tuple[str, ...]
    place: Place
    offset: int


_Part = Event | _Visit


def _open(kind: str) -> Event:
    return ("open", kind)


def _next(kind: str) -> Event:
    return ("next", kind)


def _close(kind: str) -> Event:
    return ("close", kind)


def _op(text: str) -> Event:
    return ("operator", text)


_TIMES: Event = ("times", "")
_DOT = _op("·")
_D = Sym("d")
_APPLY: Event = ("apply", "")
_RELATIONS = {"gt": ">", "ge": "≥", "eq": "="}


def layout(term: Term, scope: Sequence[str] = (), raised: Collection[str] = ()) -> Iterator[Event]:
    """The events that set the term, from left to right; iterative.

    Args:
        term: any term.
        scope: names for loose bound indices, of the outermost binder first.
        raised: families whose last index is set above, ``w_t^i``.

    Raises:
        TermError: where the term, written out as a tree, is larger than
            :data:`~surrogate_calculus.printing.forms.MAX_SYMBOLS` nodes.
    """
    return _Layout(term, frozenset(raised)).events(tuple(scope))


def raised(given: Document | None) -> frozenset[str]:
    """The families of a document that have an index to set above."""
    if given is None:
        return frozenset()
    return frozenset(n for n in given.names() if len(given.shape(n) or ()) > 1)


class _Layout(Forms):
    """One term that is being set, leftmost part first."""

    def __init__(self, root: Term, raised: frozenset[str]) -> None:
        super().__init__(root)
        self.raised = raised
        self.root = root
        self.chooser = BinderNames(root)
        self.rules: dict[type[Term], Callable[[_Visit], list[_Part]]] = {
            Num: self.number,
            Sym: self.name,
            Bound: self.bound,
            Axis: self.axis,
            Indexed: self.indexed,
            Add: self.summands,
            Mul: self.product,
            Pow: self.power,
            Fn: self.function,
            App: self.application,
            Stop: self.stop,
            Eval: self.evaluation,
            Grad: self.gradient,
            Grads: self.gradients,
            Sum: self.binder,
            Prod: self.binder,
            Expect: self.expectation,
            CondExpect: self.conditional,
        }

    def events(self, scope: tuple[str, ...]) -> Iterator[Event]:
        """Expand visits, leftmost first, until only events are left."""
        todo: list[_Part] = [_Visit(self.root, scope, Place.TOP, 0)]
        rules = self.rules
        while todo:
            part = todo.pop()
            if part.__class__ is not _Visit:
                yield part  # type: ignore[misc]
                continue
            visit: _Visit = part
            parts = rules[visit.term.__class__](visit)
            if not self.bare(visit.term, visit.place):
                parts = self.bracketed(visit.term, parts)
            todo.extend(reversed(parts))

    def bracketed(self, term: Term, parts: Sequence[_Part]) -> list[_Part]:
        """Parentheses around the parts, growing where the term is tall."""
        kind = "tall" if id(term) in self.tall else "paren"
        return [_open(kind), *parts, _close(kind)]

    def inside(self, term: Term, visit: _Visit) -> _Visit:
        """A child that something else already delimits."""
        return visit._replace(term=term, place=Place.TOP)

    # ---- leaves ----

    def number(self, visit: _Visit) -> list[_Part]:
        value: Fraction = visit.term.key
        sign: list[_Part] = [_op("−")] if value < 0 else []
        above, below = decimal_digits(abs(value.numerator)), decimal_digits(value.denominator)
        if value.denominator == 1:
            return [*sign, ("number", above)]
        bar = [_open("frac"), ("number", above), _next("frac"), ("number", below), _close("frac")]
        return [*sign, *bar]

    def called(self, name: str) -> Event:
        return ("bold" if name in self.vectors else "name", name)

    def name(self, visit: _Visit) -> list[_Part]:
        return [self.called(visit.term.key)]

    def bound(self, visit: _Visit) -> list[_Part]:
        index: int = visit.term.key
        names = visit.names
        # A loose index without a name shows as a number of binders, and does not parse.
        return [("name", names[-1 - index]) if index < len(names) else ("text", f"#{index - len(names)}")]

    def axis(self, visit: _Visit) -> list[_Part]:
        return [_open("angle"), ("number", str(visit.term.key - visit.offset)), _close("angle")]

    # ---- arithmetic ----

    def listed(self, terms: Sequence[Term], visit: _Visit) -> list[_Part]:
        parts: list[_Part] = []
        for k, term in enumerate(terms):
            if k:
                parts.append(_op(","))
            parts.append(self.inside(term, visit))
        return parts

    def indexed(self, visit: _Visit) -> list[_Part]:
        term = visit.term
        if not self.is_raised(term):
            indices = self.listed(term.args, visit)
            return [_open("sub"), ("name", term.key), _next("sub"), *indices, _close("sub")]
        below = self.listed(term.args[:-1], visit)
        base: list[_Part] = [_open("sub"), ("name", term.key), _next("sub"), *below, _close("sub")]
        return [_open("sup"), *base, _next("sup"), self.inside(term.args[-1], visit), _close("sup")]

    def is_raised(self, term: Term) -> bool:
        """Whether the last index of a family stands above; a number there would look like a power."""
        if term.__class__ is not Indexed or term.key not in self.raised or len(term.args) < 2:
            return False
        return term.args[-1].__class__ is not Num

    def summands(self, visit: _Visit) -> list[_Part]:
        parts: list[_Part] = []
        for k, summand in enumerate(visit.term.args):
            if k == 0:
                parts.append(visit._replace(term=summand, place=Place.FIRST))
                continue
            negative, factors = signed(summand)
            parts.append(_op("-" if negative else "+"))
            if summand.__class__ is Mul or summand.__class__ is Num:
                parts.extend(self.row(factors, visit))
            else:
                parts.append(visit._replace(term=summand, place=Place.SUMMAND))
        return parts

    def product(self, visit: _Visit) -> list[_Part]:
        negative, factors = signed(visit.term)
        sign: list[_Part] = [_op("−")] if negative else []
        return sign + self.row(factors, visit)

    def row(self, factors: Sequence[Term], visit: _Visit, flat: bool = False) -> list[_Part]:
        """Factors side by side, in the term's order; ``flat`` where no fraction is looked for."""
        blocks = [sorted(self.axes[id(f)]) for f in factors if id(f) in self.axes]
        opened = [n for block in blocks for n in block]
        first = visit.offset + 1
        outer = len(blocks) > 1 and opened == list(range(first, first + len(opened)))
        runs = [Run(list(factors), [])] if flat else self.runs(factors)
        transpose = outer and [len(b) for b in blocks] == [1, 1] and len(runs) == 1
        parts: list[_Part] = []
        before: Term | None = None  # the factor to the left; None where a fraction or nothing is
        count = 0  # axes to the left
        for r, (above, below) in enumerate(runs):
            if below:
                axes = sum(len(self.axes.get(id(f), ())) for f in above)
                if parts:
                    numbered = before is not None and before.__class__ is Num and before.key.denominator == 1
                    parts.append(_op("⊗") if outer and axes and count else _DOT if numbered else _TIMES)
                inner = visit._replace(offset=visit.offset + count) if outer else visit
                parts.extend(self.fraction(above, below, inner))
                count += axes
                before = None
                continue
            for k, factor in enumerate(above):
                last = r == len(runs) - 1 and k == len(above) - 1
                axes = len(self.axes.get(id(factor), ()))
                shifted = bool(outer and axes and count)
                turned = shifted and transpose
                where = _Visit(
                    factor,
                    visit.names,
                    Place.BASE if turned else Place.LAST if last else Place.FACTOR,
                    visit.offset + (count if shifted else 0),
                )
                if parts:
                    parts.append(_op("⊗") if shifted and not turned else self.between(before, where))
                if turned:
                    parts.extend([_open("sup"), where, _next("sup"), _op("⊤"), _close("sup")])
                else:
                    parts.append(where)
                count += axes
                before = factor
        return parts

    def between(self, before: Term | None, visit: _Visit) -> Event:
        """What stands between two factors, ``·`` or nothing; ``before`` is None behind a fraction."""
        factor, place = visit.term, visit.place
        if before in (ONE, _D):  # \frac{d}{d x} would be a derivative
            return _DOT
        bracket = not self.bare(factor, place)
        while not bracket and factor.__class__ is Pow and not is_below(factor):
            base, exponent = factor.args
            bracket = not self.bare(base, Place.BASE) or (
                base.__class__ is Indexed and (exponent.__class__ is not Num or self.is_raised(base))
            )
            factor = base
        if factor.__class__ is Num:
            return _DOT
        # A name before "(" would be a function.
        if bracket and before is not None and before.__class__ in (Sym, Bound, Indexed, Pow):
            return _DOT
        return _TIMES

    def fraction(
        self, above: Sequence[Term], below: Sequence[Term], visit: _Visit
    ) -> list[_Part]:
        """The fraction of two rows; the denominator's factors are units where they are several."""
        parts: list[_Part] = [_open("frac")]
        if not above:
            parts.append(("number", "1"))
        elif len(above) == 1:
            alone = above[0]
            whole = self.inside(alone, visit)
            if alone.__class__ is Mul or (alone.__class__ is Num and alone.key < 0):
                parts.extend([_open("unit"), whole, _close("unit")])  # (a b)/c, which is not a b/c
            else:
                parts.append(whole)
        else:
            parts.extend(self.row(above, visit, flat=True))
        parts.append(_next("frac"))
        single = below[0]
        if len(below) == 1 and single.__class__ is Pow and single.args[1].key == -1:
            parts.append(self.inside(single.args[0], visit))
        elif len(below) == 1 and single.__class__ is Num:
            parts.append(("number", decimal_digits(single.key.denominator)))
        else:
            for k, factor in enumerate(below):
                if factor.__class__ is Num:
                    if k:
                        parts.append(_DOT)
                    content: list[_Part] = [("number", decimal_digits(factor.key.denominator))]
                else:
                    if k:
                        parts.append(_TIMES)
                    content = self.under(factor, visit)
                parts.extend([_open("unit"), *content, _close("unit")])
        parts.append(_close("frac"))
        return parts

    def under(self, factor: Term, visit: _Visit) -> list[_Part]:
        """One factor b^-n of a denominator: b or b^n."""
        base, power = factor.args[0], -factor.args[1].key
        if power == 1:
            if base.__class__ is Pow and not is_below(base):  # 1/(b^2) is not b^-2
                return [_open("unit"), visit._replace(term=base, place=Place.FACTOR), _close("unit")]
            return [visit._replace(term=base, place=Place.FACTOR)]
        inner: list[_Part] = [visit._replace(term=base, place=Place.BASE)]
        if self.is_raised(base):
            inner = self.bracketed(base, inner)
        return [_open("sup"), *inner, _next("sup"), ("number", decimal_digits(int(power))), _close("sup")]

    def power(self, visit: _Visit) -> list[_Part]:
        base, exponent = visit.term.args
        if is_below(visit.term):
            return self.fraction([], [visit.term], visit)
        inner: list[_Part] = [visit._replace(term=base, place=Place.BASE)]
        if base.__class__ is Indexed and (exponent.__class__ is not Num or self.is_raised(base)):
            inner = self.bracketed(base, inner)  # w_t^i would be read as a family at two indices
        return [_open("sup"), *inner, _next("sup"), self.inside(exponent, visit), _close("sup")]

    # ---- functions ----

    def prefixed(self, operand: Term, visit: _Visit) -> list[_Part]:
        """What follows a prefix: the operand bare, or in brackets."""
        inner = visit._replace(term=operand, place=Place.OPERAND)
        return [_APPLY, inner]

    def function(self, visit: _Visit) -> list[_Part]:
        op: str = visit.term.key
        args = visit.term.args
        if op == "pi":
            return [("constant", "π")]
        if op == "slice":
            return [self.inside(args[0], visit), _op(":"), self.inside(args[1], visit)]
        if op == "sqrt":
            return [_open("sqrt"), self.inside(args[0], visit), _close("sqrt")]
        if op == "abs":
            return [_open("abs"), self.inside(args[0], visit), _close("abs")]
        if op in _RELATIONS:
            return [_open("bracket"), *self.relation(visit.term, visit), _close("bracket")]
        if op == "cases":
            return self.branches(visit)
        if op == "log":
            return [("function", op), *self.prefixed(args[0], visit)]
        kind = "tall" if any(id(a) in self.tall for a in args) else "paren"
        return [("function", op), _APPLY, _open(kind), *self.listed(args, visit), _close(kind)]

    def relation(self, term: Term, visit: _Visit) -> list[_Part]:
        left, right = term.args
        return [self.inside(left, visit), _op(_RELATIONS[term.key]), self.inside(right, visit)]

    def branches(self, visit: _Visit) -> list[_Part]:
        parts: list[_Part] = [_open("cases")]
        term = visit.term
        while term.__class__ is Fn and term.key == "cases":
            condition, then, otherwise = term.args
            parts.extend([self.inside(then, visit), _next("cell"), ("text", "if ")])
            if condition.__class__ is Fn and condition.key in _RELATIONS:
                parts.extend(self.relation(condition, visit))
            else:
                parts.append(self.inside(condition, visit))
            parts.append(_next("line"))
            term = otherwise
        parts.extend([self.inside(term, visit), _next("cell"), ("text", "otherwise"), _close("cases")])
        return parts

    def slots(self, term: App, visit: _Visit, placeholder: bool = False) -> list[_Part]:
        """``(x, y | z; θ)``; in a law the bound variable itself is the placeholder."""
        groups = (("", term.arguments), ("|", term.given), (";", term.params))
        tall = any(id(a) in self.tall for a in term.slots)
        kind = "tall" if tall else "paren"
        parts: list[_Part] = [_open(kind)]
        for mark, group in groups:
            if mark and group:
                parts.append(_op(mark))
            for k, arg in enumerate(group):
                if k:
                    parts.append(_op(","))
                if placeholder and arg.__class__ is Bound and arg.key == 0:
                    parts.append(("placeholder", "·"))
                else:
                    parts.append(self.inside(arg, visit))
        return [*parts, _close(kind)]

    def application(self, visit: _Visit) -> list[_Part]:
        term = visit.term
        assert isinstance(term, App)
        head: list[_Part] = []
        if term.partials:
            head = [_open("sub"), _op("∂"), _next("sub")]
            for k, (slot, coordinate) in enumerate(term.partials):
                if k:
                    head.append(_op(","))
                head.append(("number", str(slot)))
                if coordinate is not None:
                    head.extend([_open("bracket"), self.inside(coordinate, visit), _close("bracket")])
            head.extend([_close("sub"), _APPLY])
        return [*head, ("name", term.name), _APPLY, *self.slots(term, visit)]

    def stop(self, visit: _Visit) -> list[_Part]:
        body = visit.term.args[0]
        return [_op("⊥"), _APPLY, *self.bracketed(body, [self.inside(body, visit)])]

    def evaluation(self, visit: _Visit) -> list[_Part]:
        return [_open("arrow"), self.inside(visit.term.args[0], visit), _close("arrow")]

    # ---- gradients ----

    def style(self, term: Term, offset: int) -> str:
        """How the coordinate of a ∇ is written: ``name`` (none), ``bold`` (the next axis), ``explicit``."""
        if len(term.args) < 2:
            return "name"
        body, coordinate = term.args
        if coordinate.__class__ is Axis:
            here = self.axes.get(id(body))
            if coordinate.key == 1 + (max(here) if here else offset):
                return "bold"
        return "explicit"

    def gradient(self, visit: _Visit) -> list[_Part]:
        term = visit.term
        style = self.style(term, visit.offset)
        body, order = term.args[0], 1
        if style == "explicit":
            coordinate = term.args[1]
            script: list[_Part] = [
                _open("sub"), ("name", term.key), _next("sub"), self.inside(coordinate, visit), _close("sub"),
            ]  # fmt: skip
        else:
            script = [(style, term.key)]
            while (
                body.__class__ is Grad
                and body.key == term.key
                and order < MAX_ORDER
                and self.style(body, visit.offset) == style
            ):
                body, order = body.args[0], order + 1
        head: list[_Part] = [_open("sub"), _op("∇"), _next("sub"), *script, _close("sub")]
        if order > 1:
            head = [_open("sup"), *head, _next("sup"), ("number", str(order)), _close("sup")]
        return head + self.prefixed(body, visit)

    def gradients(self, visit: _Visit) -> list[_Part]:
        """A ∇ to a power that is a term; a number there stands in parentheses, for it is no ∇∇."""
        order, body = visit.term.args
        power: list[_Part] = [self.inside(order, visit)]
        if order.__class__ is Num:
            power = self.bracketed(order, power)
        script: list[_Part] = [_open("sub"), _op("∇"), _next("sub"), ("name", visit.term.key), _close("sub")]
        return [_open("sup"), *script, _next("sup"), *power, _close("sup"), *self.prefixed(body, visit)]

    # ---- binders ----

    def fresh(self, hint: str, names: tuple[str, ...], body: Term) -> str:
        """The name of a bound index: the hint, primed where it would clash."""
        self.chooser.stack[:] = names
        return self.chooser.choose(hint, body)

    def binder(self, visit: _Visit) -> list[_Part]:
        term = visit.term
        lo, hi, body = term.args
        name = self.fresh(term.hint, visit.names, body)  # type: ignore[attr-defined]
        inner = visit._replace(term=body, names=(*visit.names, name), place=Place.BODY)
        return [
            _open("underover"),
            _op("Σ" if term.__class__ is Sum else "∏"),
            _next("underover"),
            ("name", name),
            _op("from"),
            self.inside(lo, visit),
            _next("underover"),
            self.inside(hi, visit),
            _close("underover"),
            inner,
        ]

    def expectation(self, visit: _Visit) -> list[_Part]:
        law, body = visit.term.args
        name = self.fresh(visit.term.hint, visit.names, body)  # type: ignore[attr-defined]
        inner = visit._replace(names=(*visit.names, name), place=Place.TOP)
        if isinstance(law, App):
            drawn: list[_Part] = [("name", law.name), _APPLY, *self.slots(law, inner, placeholder=True)]
        else:
            drawn = [inner._replace(term=law)]
        return [
            _open("sub"), _op("𝔼"), _next("sub"), ("name", name), _op("~"), *drawn, _close("sub"),
            _open("bracket"), inner._replace(term=body), _close("bracket"),
        ]  # fmt: skip

    def conditional(self, visit: _Visit) -> list[_Part]:
        """``𝔼[E | ℱ_t]``: what is drawn up to t generates ℱ_t."""
        time, body = visit.term.args
        given: list[_Part] = [
            _open("sub"), ("constant", "ℱ"), _next("sub"), self.inside(time, visit), _close("sub"),
        ]  # fmt: skip
        return [
            _op("𝔼"), _open("bracket"), self.inside(body, visit), _op("|"), *given, _close("bracket"),
        ]  # fmt: skip
