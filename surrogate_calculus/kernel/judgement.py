"""What the kernel can conclude: equations of two kinds, hypotheses, verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ..language.terms import Term

__all__ = ["Condition", "Equation", "Hypothesis", "Rejection", "Relation", "Supposition", "Verdict"]


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
    """A condition on indices under which an equation holds.

    Attributes:
        kind: ``"ge"``: the term is ≥ 0; ``"gt"``: it is > 0; ``"int"``: it is ≥ 0 and, being made of ends of
            ranges, a whole number; ``"whole"``: it is a whole number.
        term: linear in indices and counts; bound indices that reach out of it are those of the equation.
    """

    kind: str
    term: Term


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


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A side condition that a derivation used and could not discharge.

    Attributes:
        kind: ``"nonzero"``, ``"positive"``, the kind of a :class:`Condition` on indices; of an
            expectation ``"interchange"`` (∇ and the integral may be exchanged), of a product of two
            densities ``"support"`` (they are densities of one space, zero in the same places), of a sum of
            weights ``"normalised"`` (it is 1).
        term: what it is said of; bound indices that reach out of it stand for every index.
    """

    kind: str
    term: Term

    def __str__(self) -> str:
        from ..printing.hypotheses import statement  # for humans only

        return statement(self.kind, self.term)


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
