"""Proving one line of a chain: by what its hints name, or by a bounded search where it has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from ..errors import SurrogateError
from ..kernel.judgement import Rejection, Relation
from ..language.proofs import HYPOTHESIS
from .equate import Sides, connected, equate, strategies
from .hints import ALWAYS, named_rules
from .inductions import inductively
from .proof import Proof
from .restricted import MOVES, USES, USING, Named, Plan, carry_out, plans, used_at
from .used import rests_on
from .using import Schema

if TYPE_CHECKING:
    from ..language.declarations import Document
    from ..language.proofs import Hint, Line

__all__ = ["Allowed", "Outcome", "Setting", "Way", "allowed_by", "conclude", "search"]


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the hints of a line let be used.

    Attributes:
        rules: the rules named, and those that go without saying; None where no hint is given.
        named: the moves that are named, in their order, see :mod:`.restricted`.
        uses: the lemmas and axioms.
        count: the name of the count that the line is proved by induction over, or None.
        by_name: what each hint stands for.
    """

    rules: frozenset[str] | None
    named: tuple[Named, ...]
    uses: tuple[Hint, ...]
    count: str | None
    by_name: tuple[tuple[str, frozenset[str]], ...]


#: The rules that hints which name something of the document stand for.
_RULES_OF = {
    "definition": frozenset({"definition"}),
    "draw": frozenset({"expect_draw", "expect_offspring"}),
}


def allowed_by(hints: Sequence[Hint] | None) -> Allowed:
    """What the hints of a line allow; every rule named in them is known."""
    if hints is None:
        return Allowed(None, (), (), None, ())
    by_name: list[tuple[str, frozenset[str]]] = []
    named: list[Named] = []
    for hint in hints:
        if hint.kind in _RULES_OF:
            by_name.append((f"{hint.kind} of {hint.name}", _RULES_OF[hint.kind]))
            named.append((hint.kind, hint.name))
        elif hint.kind == "using" and USING not in named:
            named.append(USING)
        elif hint.kind == "rule":
            rules = named_rules(hint.name) or frozenset()
            by_name.append((hint.name, rules))
            named += [(kind, None) for kind, rule in MOVES.items() if rule in rules]
    rules = ALWAYS.union(*(rules for _, rules in by_name))
    uses = tuple(h for h in hints if h.kind == "using" and h.name != HYPOTHESIS)
    count = next((h.name for h in hints if h.kind == "induction"), None)
    return Allowed(rules, tuple(named), uses, count, tuple(by_name))


@dataclass(frozen=True, slots=True)
class Way:
    """How a line was concluded: by a plan, by the strategy of a number, or by both."""

    plan: Plan | None
    strategy: int | None = None


class Setting:
    """Where lines are concluded: a proof, and the equations of the lemmas in it.

    Args:
        proof: the proof.
        document: the declarations.
        indices: the indices that the lines are about every value of.
        equation: gives what a hint uses.
        every: the names of functions and variables that the lines are about every one of.
        variables: those that are variables.
    """

    def __init__(
        self,
        proof: Proof,
        document: Document | None,
        indices: Sequence[str],
        equation: Callable[[Setting, Hint], Schema],
        every: Sequence[str] = (),
        variables: Sequence[str] = (),
    ) -> None:
        self.proof, self.document, self.indices = proof, document, tuple(indices)
        self.every, self.variables = tuple(every), tuple(variables)
        self._equation = equation

    def sides(self, line: Line) -> Sides:
        """The sides of a line."""
        relation = Relation.VALUE if line.values else Relation.STRICT
        return Sides(self.proof, line.left, line.right, relation, self.document, self.indices)

    def any(self, line: Line) -> int | None:
        """The step that concludes a line, by whatever strategy."""
        relation = Relation.VALUE if line.values else Relation.STRICT
        found = equate(self.proof, line.left, line.right, relation, self.document, self.indices)
        return next(found, None)

    def equations(self, allowed: Allowed) -> list[Schema]:
        """What a line uses."""
        return [self._equation(self, hint) for hint in allowed.uses]


def conclude(
    setting: Setting, line: Line, way: Way, allowed: Allowed, equations: Sequence[Schema]
) -> Iterator[int]:
    """The steps that conclude a line in a way; none where it does not lead there.

    Raises:
        IndexError: there is no strategy of that number.
    """
    if allowed.count is None:
        return _directly(setting, line, way, allowed, equations)

    def prove(line: Line, equations: Sequence[Schema]) -> Iterator[int]:
        return _directly(setting, line, way, allowed, equations)

    return inductively(setting, line, allowed.count, prove, [*equations])


def _directly(
    setting: Setting, line: Line, way: Way, allowed: Allowed, equations: Sequence[Schema]
) -> Iterator[int]:
    sides = setting.sides(line)
    if way.strategy is None:
        assert way.plan is not None and allowed.rules is not None
        yield from carry_out(sides, way.plan, allowed.rules, allowed.named, equations)
        return
    found = next(islice(strategies(sides, setting.document), way.strategy, None), None)
    if found is None:
        raise IndexError(way.strategy)
    moves, canonical = found
    plan = way.plan or Plan()
    try:
        ways = [[used_at(sides, side, plan, equations), *moves[side]] for side in (0, 1)]
        yield connected(sides, ways, canonical)
    except (Rejection, SurrogateError):
        return


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a search found.

    Attributes:
        way: how the line is concluded by what is named; None where it is not.
        used: the rules of that proof.
        missing: where there is no such way, the rules that a proof needs and that are not named; empty where
            none was found at all.
        idle: the lemmas and axioms that are named and not needed.
    """

    way: Way | None
    used: frozenset[str] = frozenset()
    missing: frozenset[str] = frozenset()
    idle: tuple[str, ...] = ()


def search(fresh: Callable[[], Setting], line: Line, allowed: Allowed, thorough: bool) -> Outcome:
    """Look for a way to conclude a line, each in a setting of its own, so that none profits from another.

    Args:
        fresh: makes a setting.
        line: the line.
        allowed: what may be used.
        thorough: try the strategies too, which are slower than plans.

    Raises:
        Rejection: what the line uses cannot be concluded.
    """
    missing: frozenset[str] | None = None
    for way in _ways(allowed, thorough):
        setting = fresh()
        equations = setting.equations(allowed)
        try:
            for step in conclude(setting, line, way, allowed, equations):
                used, reached = rests_on(setting.proof, step, [e.step for e in equations])
                more = used - allowed.rules if allowed.rules is not None else frozenset()
                if not more:
                    idle = [
                        h.name for h, e in zip(allowed.uses, equations, strict=True) if e.step not in reached
                    ]
                    return Outcome(way, used, idle=tuple(idle))
                if missing is None or len(more) < len(missing):
                    missing = more
        except IndexError:
            break
    return Outcome(None, missing=missing or frozenset())


def _ways(allowed: Allowed, thorough: bool) -> Iterator[Way]:
    if allowed.rules is not None:
        for plan in plans(allowed.rules, bool(allowed.uses or allowed.count), allowed.named):
            yield Way(plan)
    if not thorough:
        return
    number = 0
    while True:  # until there is no strategy of that number
        for forward, backward in USES[:4] if allowed.uses or allowed.count else ():
            yield Way(Plan(forward=forward, backward=backward), number)
        yield Way(None, number)
        number += 1
