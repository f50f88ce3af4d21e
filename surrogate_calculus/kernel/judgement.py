"""What is said in the kernel: equations of two kinds, conditions, definitions, draws, verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ..language.terms import App, Fn, Indexed, Term

__all__ = [
    "Claim", "Condition", "Definition", "Detail", "Draw", "Equation", "Hypothesis", "Rejection", "Relation",
    "Supposition", "Verdict", "along_path", "head", "is_slice",
]  # fmt: skip


class Relation(StrEnum):
    """The two equalities of the calculus.

    ``STRICT`` (``=``) holds at every (θ, θ̂) and may be used anywhere, under ∇ too.
    ``VALUE`` (``=→``) says that both sides have the same value, →A = →B; it may be used everywhere but
    under ∇, and under ⊥ or → it becomes strict.
    """

    STRICT = "="
    VALUE = "=→"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on indices under which an equation holds, or a side condition of a whole derivation.

    Attributes:
        kind: on indices ``"ge"``: the term is ≥ 0; ``"gt"``: it is > 0; ``"int"``: it is ≥ 0 and, being made
            of ends of ranges, a whole number; ``"whole"``: it is a whole number.  Of a derivation
            ``"nonzero"``, ``"positive"``; of an expectation ``"interchange"`` (∇ and the integral may be
            exchanged), of a product of two densities ``"support"`` (they are densities of one space, zero
            in the same places), of a sum of weights ``"normalised"`` (it is 1).
        term: what it is said of, on indices linear in indices and counts.  Bound indices that reach out of it
            are those of the equation, or stand for every index.
    """

    kind: str
    term: Term

    def __str__(self) -> str:
        from ..printing.hypotheses import statement  # for humans only

        return statement(self.kind, self.term)


#: A condition that a derivation used and could not discharge.
Hypothesis = Condition


@dataclass(frozen=True, slots=True)
class Supposition:
    """An equation that is supposed: an axiom, or the hypothesis of an induction.

    Attributes:
        relation, lhs, rhs: the equation, for every value of the bound indices that reach out of it.
        every: names of functions and variables for all of which it is supposed.
    """

    relation: Relation
    lhs: Term
    rhs: Term
    every: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Equation:
    """``lhs = rhs`` or ``lhs =→ rhs``, for every value of the bound indices that reach out of it.

    Attributes:
        relation: which of the two equalities.
        lhs, rhs: the sides.
        where: the equation holds where all of these do.
        whole: its loose indices are whole numbers, so that it is not to be used under 𝔼.
        given: what is supposed.
    """

    relation: Relation
    lhs: Term
    rhs: Term
    where: frozenset[Condition] = frozenset()
    whole: bool = False
    given: frozenset[Supposition] = frozenset()


#: What a step says beyond its sides: names, each with a number of slots and a term over them.
Detail = Sequence[tuple[str, int, Term]]


@dataclass(frozen=True, slots=True)
class Claim:
    """A step: a rule and what it is said to give.

    Attributes:
        rule: a name of :data:`~surrogate_calculus.kernel.rules.RULES`.
        lhs: the left side, a term of the state's store.
        right: the right side, or None where the rule computes it.
        premises: earlier conclusions.
        detail: what the rule needs to be told besides.
    """

    rule: str
    lhs: Term
    right: Term | None = None
    premises: Sequence[Equation] = ()
    detail: Detail = ()

    @property
    def rhs(self) -> Term:
        """The right side.

        Raises:
            Rejection: none is said, and the rule does not compute it.
        """
        if self.right is None:
            raise Rejection(f"{self.rule} takes two sides")
        return self.right

    @property
    def premise(self) -> Equation:
        """The one premise.

        Raises:
            Rejection: there are more or fewer.
        """
        if len(self.premises) != 1:
            raise Rejection(f"{self.rule} takes one premise")
        return self.premises[0]


@dataclass(frozen=True, slots=True)
class Definition:
    """``left = body`` for every value of the indices, which are the loose bound indices of both.

    ``left`` is a name, a family at its indices, or a density in its form along a path; the last index is
    innermost.  Definitions of one group may use one another at a smaller ``measure``.
    """

    left: Term
    arity: int
    body: Term
    measure: Term | None = None
    group: int = 0

    @property
    def name(self) -> str:
        """The name of what is defined, for messages and the list of what was used."""
        return str(head(self.left)[1])


@dataclass(frozen=True, slots=True)
class Draw:
    """How a family is drawn, for every value of the indices, the loose bound indices of both terms.

    Attributes:
        left: the family at its indices, the time first; or a name.
        arity: how many indices are variable.
        law: ``𝔼[z ~ law](z)`` for a density; ``Σ[j=1..N](w[j])`` for ancestors, drawn by a resampling
            law that is unbiased for the weights w; None where nothing is said of it.
        first: the row holds from this time on; None where the time is fixed.
    """

    left: Term
    arity: int
    law: Term | None
    first: Term | None


def is_slice(term: Term) -> bool:
    """Whether a term is a range ``lo:hi`` in the place of an index."""
    return term.__class__ is Fn and term.key == "slice"


def along_path(term: Term) -> bool:
    """Whether a term is a family along a path, ``x[1:T]``."""
    return term.__class__ is Indexed and any(map(is_slice, term.args))


def head(term: Term) -> tuple[object, ...]:
    """What a definition defines: a symbol, a family of so many indices, a function of such slots or paths."""
    if term.__class__ is not App:
        return term.tag, term.key, len(term.args)
    return term.tag, *term.key[:4], len(term.args), *(any(map(is_slice, slot.args)) for slot in term.args)


class Rejection(Exception):
    """Why the kernel does not accept a step or a certificate; it never escapes ``check``."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer about a claim.

    Attributes:
        status: ``"proved"``, ``"refuted"`` or ``"undecided"``; a certificate that does not replay is
            ``"undecided"``, since a bad proof refutes nothing.
        claim: the equation claimed, where one could be read.
        hypotheses: side conditions that the proof used and that are not discharged.
        axioms: equations that the proof supposes.
        definitions: names of the definitions that the proof unfolded.
        assumptions: what the certificate assumed of its names (``positive p``, ``count N``).
        reason: why it was not proved; empty for a proof.
        steps: number of kernel steps replayed.
        counterexample: for a refutation, the instantiation at which the sides differ.
    """

    status: str
    claim: Equation | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    axioms: tuple[Supposition, ...] = ()
    definitions: tuple[str, ...] = ()
    assumptions: tuple[str, ...] = ()
    reason: str = ""
    steps: int = 0
    counterexample: object = None

    def __bool__(self) -> bool:
        """True exactly when proved."""
        return self.status == "proved"
