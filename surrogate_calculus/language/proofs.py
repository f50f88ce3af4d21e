"""Proof documents: declarations, and theorems about what they declare.

=============================================  ==================================================
``use "dpf.sc"``, ``use "@dpf"``               the declarations of another document
``assume p(x; θ) != 0``, ``assume E > 0``      a side condition that theorems may rest on
``assume interchange E``                       ∇ and the integral in E change places
``assume support p(x) * q(x)``                 p and q are densities of one space
``assume NAME for every …: A = B``             an axiom
``theorem NAME for every f(x; θ), x:``         a claim, a chain ``A = B = …`` in the lines below
``lemma NAME …``                               the same, stated to be used
``refute NAME …: A = B``                       a claim that is false
=============================================  ==================================================

``for every f(x; θ)`` declares an opaque function for one block; ``for every E(x; θ) > 0`` one that is
positive; ``for every x`` a variable.  Chains are described in :mod:`.chains`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import Span
from .blocks import SplitDocument
from .declarations import Document
from .terms import Term

__all__ = [
    "HYPOTHESIS", "Assumption", "Binding", "Hint", "Induction", "Line", "ProofDocument", "Quantified",
    "Statement",
]  # fmt: skip

#: The name of the claim itself at smaller values, in a proof by induction.
HYPOTHESIS = "hypothesis"


@dataclass(frozen=True, slots=True)
class Binding:
    """``with f(x; θ) := value``, or ``with x := value``.

    Attributes:
        left: a function at its arguments, each a name that stands for any value in ``value``; or a name.
        value: what is put in.
    """

    left: Term
    value: Term
    span: Span


@dataclass(frozen=True, slots=True)
class Hint:
    """What a line says it follows from.

    Attributes:
        kind: ``rule``, ``definition``, ``draw``, ``using`` or ``induction``.
        name: of a rule or a group of rules, of what is defined or drawn, of a lemma or axiom, of a count.
        bindings: with ``using``, what is put in for what the lemma holds for every value of.
        span: where it stands.
    """

    kind: str
    name: str
    bindings: tuple[Binding, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Line:
    """``left = right by hints``.

    Attributes:
        values: whether equality of values is claimed, ``=→``.
        left, right: the sides.
        hints: what stands behind ``by``; None where the line has none.
        span: the equality sign and the right side.
    """

    values: bool
    left: Term
    right: Term
    hints: tuple[Hint, ...] | None
    span: Span


@dataclass(frozen=True, slots=True)
class Quantified:
    """Something that a block holds for every value of: a function at its arguments, or a name.

    ``whole``: of a name, every whole number from 1 on.
    """

    name: str
    text: str
    span: Span
    function: bool
    positive: bool
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Induction:
    """``by induction on T from LEMMA``, in the head of a theorem: its chain is the step from T-1 to T.

    Attributes:
        count: the name of T.
        base: the lemma that is the claim at 0; None where that is left to the search.
        span: where it stands.
    """

    count: str
    base: str | None
    span: Span


@dataclass(frozen=True)
class Statement:
    """A theorem, a lemma, or a claim to be refuted.

    Attributes:
        kind: ``theorem``, ``lemma`` or ``refute``.
        name: its name.
        quantified: what it holds for every value of.
        document: the declarations that it is stated under.
        lines: the chain.
        span: where its head stands.
        induction: over what it is proved by induction as a whole; None where it is not.
    """

    kind: str
    name: str
    quantified: tuple[Quantified, ...]
    document: Document
    lines: tuple[Line, ...]
    span: Span
    induction: Induction | None = None

    @property
    def positive(self) -> tuple[str, ...]:
        """The functions that it takes to be positive."""
        return tuple(q.name for q in self.quantified if q.function and q.positive)

    @property
    def indices(self) -> tuple[str, ...]:
        """The indices of the document that it holds for every value of."""
        return tuple(q.name for q in self.quantified if q.name in self.document.indices)

    @property
    def values(self) -> bool:
        """Whether the chain claims equality of values only."""
        return any(line.values for line in self.lines)


@dataclass(frozen=True)
class Assumption:
    """What theorems may rest on.

    Attributes:
        kind: ``nonzero``, ``positive``, ``nonnegative``, ``interchange``, ``support``
            or ``equation``.
        name: its name, or None.
        quantified: what it holds for every value of.
        document: the declarations that it is stated under.
        terms: what it is said of: one term, or the two sides of an equation.
        values: for an equation, whether it is one of values.
        span: where it stands.
    """

    kind: str
    name: str | None
    quantified: tuple[Quantified, ...]
    document: Document
    terms: tuple[Term, ...]
    values: bool
    span: Span


@dataclass(frozen=True)
class ProofDocument:
    """A proof document.

    Attributes:
        text: the source.
        file: where it came from, or None.
        document: its declarations.
        assumptions: what is assumed.
        statements: its theorems, lemmas and refutations, in their order.
        split: the same, taken apart only.
    """

    text: str
    file: str | None
    document: Document
    assumptions: tuple[Assumption, ...]
    statements: tuple[Statement, ...]
    split: SplitDocument = field(repr=False)

    def statement(self, name: str) -> Statement | None:
        """The statement of a name."""
        return next((s for s in self.statements if s.name == name), None)

    def axiom(self, name: str) -> Assumption | None:
        """The named equation that is assumed."""
        return next((a for a in self.assumptions if a.name == name and a.kind == "equation"), None)

    def line_of(self, span: Span) -> int:
        """The number of the line in which a place is, from 1."""
        return self.text.count("\n", 0, span.start) + 1
