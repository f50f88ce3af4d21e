"""Why a theorem fails, for its reader: where, both sides worked out, their difference, a counterexample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Span, SurrogateError, caret
from ..kernel.judgement import Rejection, Relation
from ..language.terms import Term, tree_size
from ..printing.text import to_unicode
from .canonical import Canonical
from .chain import Chain
from .engine import prepared
from .equate import Sides
from .fold import unfold
from .order import named_indices
from .push import Pusher

if TYPE_CHECKING:
    from ..language.proofs import Line, Statement
    from .prove import Counterexample

__all__ = ["Failure", "Worked", "sides_worked_out"]

#: Larger terms are not shown in a report.
MAX_SHOWN = 400


@dataclass(frozen=True, slots=True)
class Worked:
    """Both sides of a line in canonical form, and their difference."""

    left: Term
    right: Term
    difference: Term


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a theorem fails.

    Attributes:
        kind: ``refuted``: a line is false; ``hint``: a line needs what it does not name; ``condition``: a
            side condition that nothing assumes; ``lemma``: what is used does not hold; ``proved``: a claim
            to be refuted holds; ``undecided``: neither a proof nor a counterexample was found.
        reason: one sentence that says it.
        instead: what to do about it, or "".
        text: the source.
        span: where in it.
        file: where that came from, or None.
        sides: the two sides of the line, worked out; None where that says nothing.
        counterexample: where they differ.
    """

    kind: str
    reason: str
    instead: str
    text: str
    span: Span
    file: str | None
    sides: Worked | None = None
    counterexample: Counterexample | None = None

    @property
    def line(self) -> int:
        """The number of the line, from 1."""
        return self.text.count("\n", 0, self.span.start) + 1

    def report(self, show: Callable[[Term], str] = to_unicode) -> str:
        """The whole message, terms shown by a printer."""
        place = f"{self.file}: line {self.line}" if self.file else f"line {self.line}"
        out = [f"{place}: {self.reason}", caret(self.text, self.span)]
        if self.sides is not None:
            named = (
                ("left", self.sides.left),
                ("right", self.sides.right),
                ("difference", self.sides.difference),
            )
            for name, term in named:
                small = tree_size(term, MAX_SHOWN) <= MAX_SHOWN
                out.append(f"  {name + ':':<12}{show(term) if small else '(too large to be shown)'}")
        if self.counterexample is not None:
            out.append(f"  counterexample: {self.counterexample}")
        if self.instead:
            out.append(f"  instead: {self.instead}")
        return "\n".join(out)

    def __str__(self) -> str:
        return self.report()


def sides_worked_out(line: Line, statement: Statement) -> Worked | None:
    """Both sides with every ∇ and → pushed inside, in canonical form; None where that cannot be done."""
    proof = prepared(statement.document, statement.positive)
    relation = Relation.VALUE if line.values else Relation.STRICT
    sides = Sides(proof, line.left, line.right, relation, statement.document)
    canonical = Canonical(proof, gathers=True)
    ends = []
    try:
        for side in sides.terms:
            chain = Chain(proof, side).then(unfold(proof, side))
            chain.then(Pusher(proof, sides.params, sides.log_names).push(chain.term))
            chain.then(canonical.step(chain.term))
            ends.append(chain.term)
        difference = canonical.term(proof.add(ends[0] - ends[1]))
    except (Rejection, SurrogateError):
        return None
    left, right, difference = (named_indices(t, statement.document) for t in (*ends, difference))
    return Worked(left, right, difference)
