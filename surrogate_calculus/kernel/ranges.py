"""Conditions on indices: where an equation about symbolic ranges holds.

``Σ[i=1..n](A) = Σ[i=1..n-1](A) + A(n)`` holds where ``n ≥ 1``.  Such a condition belongs to its equation and
is discharged where the equation is used: under ``Σ[n=1..N]`` by the range of n, in the first branch of
``cases(n > 0: …)`` by the branch, or by what is assumed of counts.  Only indices, counts and whole
numbers may stand in it, so that it says nothing of a parameter.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..language.binding import shift
from ..language.terms import Add, Axis, Bound, Fn, Mul, Num, Prod, Sum, Sym, Term, postorder
from .judgement import Condition, Rejection
from .polynomial import Polynomial, Ring

__all__ = ["Ranges", "facts_at"]

#: No elimination may make more inequalities than this: then nothing is concluded.
MAX_ROWS = 400
_ALLOWED = (Add, Axis, Bound, Mul, Num, Sym)


@dataclass(slots=True)
class Ranges:
    """Linear arithmetic over indices and counts.

    Attributes:
        ring: reads terms as polynomials.
        counts: the names assumed to be whole numbers ≥ 1.
    """

    ring: Ring
    counts: frozenset[str]

    def remaining(self, conditions: frozenset[Condition], facts: Iterable[Condition]) -> frozenset[Condition]:
        """The conditions that do not follow from the facts.

        Raises:
            Rejection: a parameter, a variable or a function occurs in a condition.
        """
        facts = tuple(facts)
        for condition in (*conditions, *facts):
            for node in postorder(condition.term):
                if node.__class__ not in _ALLOWED or (node.__class__ is Sym and node.key not in self.counts):
                    raise Rejection(f"a condition on {node.tag} {node.key or ''} is no condition on indices")
                if condition.kind in ("int", "whole") and node.__class__ is Num and node.key.denominator != 1:
                    raise Rejection(f"{node.key} is no whole number")
        return frozenset(c for c in conditions if not self._entails(facts, c))

    def _entails(self, facts: Sequence[Condition], goal: Condition) -> bool:
        """Whether the goal follows from the facts and from counts being ≥ 1 (Fourier and Motzkin)."""
        if goal.kind == "whole":
            return not any(n.__class__ is Bound for n in postorder(goal.term))
        rows = [(self.ring.read(f.term), f.kind == "gt") for f in facts if f.kind != "whole"]
        wanted = self.ring.read(goal.term)
        # the goal denied: E < 0 is -E > 0; for whole E it is -E - 1 >= 0
        denied = self.ring.plus({}, wanted, scale=-1)
        if goal.kind == "int":
            denied = self.ring.plus(denied, {(): 1}, scale=-1)
        rows.append((denied, goal.kind == "ge"))
        names = {n.key for f in (*facts, goal) for n in postorder(f.term) if n.__class__ is Sym}
        for name in sorted(names & self.counts):
            rows.append((self.ring.plus(self.ring.read(Sym(name)), {(): 1}, scale=-1), False))
        return self._contradictory(rows)

    def _contradictory(self, rows: Sequence[tuple[Polynomial, bool]]) -> bool:
        """Whether no numbers satisfy all: each polynomial ≥ 0, or > 0 where the flag says so."""
        current = list(rows)
        for unknown in sorted({mono for row, _ in rows for mono in row if mono}):
            above = [r for r in current if r[0].get(unknown, 0) > 0]
            below = [r for r in current if r[0].get(unknown, 0) < 0]
            current = [r for r in current if unknown not in r[0]]
            for low, s in above:
                for high, t in below:
                    scaled = self.ring.plus({}, low, scale=-high[unknown])
                    current.append((self.ring.plus(scaled, high, scale=low[unknown]), s or t))
            if len(current) > MAX_ROWS:
                return False
        return any(row.get((), 0) < 0 or (strict and not row) for row, strict in current)


def facts_at(node: Term, position: int) -> list[Condition]:
    """What is known of indices in an operand: the range of a Σ or ∏, or the branch of cases."""
    if node.__class__ in (Sum, Prod) and position == 2:
        lo, hi = (shift(end, 1) for end in node.args[:2])
        return [Condition("ge", Bound(0) - lo), Condition("ge", hi - Bound(0))]
    condition = node.args[0] if node.__class__ is Fn and node.key == "cases" and position else node
    if condition is node or condition.__class__ is not Fn or condition.key not in ("gt", "ge"):
        return []
    holds = position == 1
    larger, smaller = condition.args if holds else reversed(condition.args)
    return [Condition("gt" if (condition.key == "gt") is holds else "ge", larger - smaller)]
