"""How a term is written: its form, where it needs brackets, what goes under a fraction bar."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import NamedTuple

from ..errors import TermError
from ..language.terms import (
    HAS_AXIS,
    Add,
    App,
    Axis,
    CondExpect,
    Eval,
    Expect,
    Fn,
    Grad,
    Grads,
    Mul,
    Num,
    Pow,
    Prod,
    Sum,
    Term,
    postorder,
    tree_size,
)
from .precedence import signed

__all__ = ["MAX_SYMBOLS", "Form", "Forms", "Place", "Run", "is_below", "is_prefix", "operand"]

#: The largest formula that is set, in nodes of the tree.
MAX_SYMBOLS = 2_000_000


class Form(IntEnum):
    """How a term is written, loosest first."""

    SUM = 1  # a + b; also cases, which nothing closes on the right
    NEGATIVE = 2  # -a b
    ROW = 3  # a b
    OPEN = 4  # Σ a b: extends over what follows
    PREFIX = 5  # log p, ∇ p
    CLOSED = 6  # a fraction, an expectation: closed, but no base of a power
    POWER = 7
    ATOM = 8


class Place(IntEnum):
    """Where a term is written, and so what may stand there without brackets."""

    TOP = 1
    FIRST = 2  # first summand
    SUMMAND = 3
    BODY = 4  # of Σ and ∏
    FACTOR = 5  # not the last one
    LAST = 6  # the last factor
    OPERAND = 7  # of a prefix
    BASE = 8  # of a power


_LEAST: dict[Place, Form] = {
    Place.TOP: Form.SUM,
    Place.FIRST: Form.NEGATIVE,
    Place.SUMMAND: Form.ROW,
    Place.BODY: Form.ROW,
    Place.FACTOR: Form.CLOSED,
    Place.LAST: Form.OPEN,
    Place.BASE: Form.ATOM,
}


class Run(NamedTuple):
    """Factors of a product that are set as one fraction, or, with nothing below, one by one."""

    above: list[Term]
    below: list[Term]


def is_below(term: Term) -> bool:
    """Whether the term is written under a fraction bar: b^-n, the base being no number."""
    if term.__class__ is not Pow:
        return False
    base, exponent = term.args
    if base.__class__ is Num or exponent.__class__ is not Num:
        return False
    value = exponent.key
    return bool(value.denominator == 1 and value.numerator < 0)


def is_prefix(term: Term) -> bool:
    """Whether the term is written with a prefix, ``∇`` or ``log``, bare or as a call."""
    return term.__class__ in (Grad, Grads) or (term.__class__ is Fn and term.key == "log")


def operand(term: Term) -> Term:
    """What stands behind the prefix."""
    return term.args[1] if term.__class__ is Grads else term.args[0]


def _is_unit_fraction(term: Term) -> bool:
    return term.__class__ is Num and term.key.numerator == 1 and term.key.denominator > 1


class Forms:
    """What is known of a term's nodes: their open axes, which grow tall, how each is written."""

    def __init__(self, root: Term) -> None:
        self.axes: dict[int, frozenset[int]] = {}
        self.tall: set[int] = set()
        self.vectors: set[str] = set()
        if tree_size(root, MAX_SYMBOLS) > MAX_SYMBOLS:
            raise TermError(
                f"the formula, written out, has more than {MAX_SYMBOLS:,} symbols",
                instead="write out a part of it, or evaluate it: the shared form stays small",
            )
        none: frozenset[int] = frozenset()
        for node in postorder(root):
            cls = node.__class__
            if cls is Grad and len(node.args) > 1 and node.args[1].__class__ is Axis:
                self.vectors.add(node.key)
            if node.flags & HAS_AXIS:
                own = frozenset((node.key,)) if cls is Axis else none
                self.axes[id(node)] = own.union(*(self.axes.get(id(a), none) for a in node.args))
            if (
                cls is Sum
                or cls is Prod
                or cls is Eval
                or (cls is Num and node.key.denominator > 1)
                or (cls is Fn and node.key == "cases")
                or is_below(node)
                or any(id(a) in self.tall for a in node.args)
            ):
                self.tall.add(id(node))

    # ---- forms and brackets ----

    def form(self, term: Term) -> Form:
        """How the term is written."""
        cls = term.__class__
        if cls is Add:
            return Form.SUM
        if cls is Num:
            if term.key < 0:
                return Form.NEGATIVE
            return Form.ATOM if term.key.denominator == 1 else Form.CLOSED
        if cls is Mul:
            negative, factors = signed(term)
            if negative:
                return Form.NEGATIVE
            runs = self.runs(factors)
            return Form.CLOSED if len(runs) == 1 and runs[0].below else Form.ROW
        if cls is Pow:
            return Form.CLOSED if is_below(term) else Form.POWER
        if cls is Sum or cls is Prod:
            return Form.OPEN
        if cls is Expect or cls is CondExpect or (cls is App and term.key[4]):
            return Form.CLOSED
        if cls is Fn and term.key == "cases":
            return Form.SUM
        if not is_prefix(term):
            return Form.ATOM
        if not self.bare(operand(term), Place.OPERAND):
            # The operand is in brackets; ∇θ(a + b) c would still be read in two ways.
            return Form.CLOSED if cls is Fn else Form.PREFIX
        while is_prefix(term):
            term = operand(term)
        return Form.OPEN if term.__class__ in (Sum, Prod) else Form.PREFIX

    def bare(self, term: Term, place: Place) -> bool:
        """Whether the term stands in that place without brackets."""
        if place is Place.TOP:
            return True
        if place is Place.OPERAND:
            if is_prefix(term):
                return True
            form = self.form(term)
            return form is Form.OPEN or form is Form.CLOSED or form is Form.ATOM
        if term.__class__ is Mul and (place is Place.FACTOR or place is Place.LAST):
            return False  # a product in a product stays one
        return self.form(term) >= _LEAST[place]

    def runs(self, factors: Sequence[Term]) -> list[Run]:
        """The factors in order, cut into fractions."""
        runs: list[Run] = []
        run = Run([], [])
        for factor in factors:
            plain = id(factor) not in self.axes
            if plain and (is_below(factor) or (_is_unit_fraction(factor) and (run.above or run.below))):
                run.below.append(factor)
                continue
            if run.below:
                runs.append(run)
                run = Run([], [])
            run.above.append(factor)
            if not runs and len(run.above) == 1 and factor.__class__ is Num and factor.key.denominator > 1:
                runs.append(run)  # 1/2 a/b, as one writes it
                run = Run([], [])
        if run.above or run.below:
            runs.append(run)
        out: list[Run] = []
        for run in runs:
            above, below = run
            alone = above[0].key if len(above) == 1 and above[0].__class__ is Num else None
            halved = len(below) == 1 and below[0].__class__ is Num
            if below and alone is not None and (alone == 1 or halved):
                out.extend((Run(above, []), Run([], below)))  # 1·(1/b) is not 1/b, 2·(1/3) not 2/3
            else:
                out.append(run)
        return out
