"""Working an equation out by named rules only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from ..errors import SurrogateError
from ..kernel.judgement import Rejection
from ..language.terms import (
    Add,
    App,
    Fn,
    Grad,
    Mul,
    Num,
    Pow,
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
)
from .canonical import Canonical
from .chain import Chain, Facts, rewrite
from .equate import Comparison, Move, Sides, connected
from .fold import unfold
from .proof import KEPT, Proof
from .push import Pusher
from .stopped import values_under_stops
from .using import Schema, rewritten, turned

__all__ = ["USES", "Plan", "carry_out", "plans", "used_at"]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a line is worked out.

    Attributes:
        push: move ∇ inside.
        evaluate: move → inside.
        logs: leave log-derivatives as they are.
        forward, backward: at which sides equations that are used are read from left to right, or back.
        late: use them after everything else, themselves worked out.
    """

    push: bool = False
    evaluate: bool = False
    logs: bool = True
    forward: tuple[int, ...] = ()
    backward: tuple[int, ...] = ()
    late: bool = False


#: At which sides equations are used, from left to right and back.
USES: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((0, 1), ()), ((), (0, 1)), ((0,), (1,)), ((1,), (0,)), ((0,), ()), ((1,), ()), ((), (0,)), ((), (1,)),
)  # fmt: skip


def plans(allowed: Collection[str], uses: bool) -> Iterator[Plan]:
    """The plans worth trying, the plainest first.

    Args:
        allowed: the rules that may be used.
        uses: whether there are equations to use.
    """
    pushes = any(r.startswith("grad_") or r.endswith("log_derivative") for r in allowed if r not in _SILENT)
    evaluates = any(r.startswith("eval_") for r in allowed)
    forms = [
        (push, evaluate, logs)
        for push in ((False, True) if pushes else (False,))
        for evaluate in ((False, True) if evaluates else (False,))
        for logs in ((True, False) if push else (True,))
    ]
    for form in forms:
        if not uses:
            yield Plan(*form)
            continue
        for late in (False, True):
            for forward, backward in USES:
                yield Plan(*form, forward, backward, late)


_SILENT = frozenset({"grad_parameter", "grad_constant"})


def carry_out(
    sides: Sides,
    plan: Plan,
    allowed: Collection[str],
    opened: Sequence[str | None],
    equations: Sequence[Schema],
) -> Iterator[int]:
    """The steps that conclude a line by a plan: by arithmetic alone, then by canonical forms.

    Args:
        sides: the two sides.
        plan: how to work them out.
        allowed: the rules that ∇ is moved by; others leave it where it is.
        opened: names whose definitions are unfolded, in order; None for all.
        equations: the equations to use.
    """
    proof = sides.proof
    names = sides.log_names if plan.logs else ()
    pusher = _Restricted(proof, sides.params, names, allowed, plan)
    moves: list[Move] = [_opening(sides, name) for name in opened]
    if plan.evaluate:
        moves.append(lambda term: values_under_stops(proof, term, pusher))
    moves.append(pusher.push)
    canonical = Canonical(proof, gathers=True)
    if equations and plan.late:
        equations = [_worked(proof, e, moves, canonical) for e in equations]
        moves.append(canonical.step)
    using = [used_at(sides, side, plan, equations) for side in (0, 1)]
    ways = [[*moves, use] if plan.late else [use, *moves] for use in using]
    comparisons: tuple[Comparison, ...] = (_Arithmetic(proof), canonical)
    for compare in comparisons:
        try:
            yield connected(sides, ways, compare)
        except (Rejection, SurrogateError):
            continue


def _worked(proof: Proof, schema: Schema, moves: Sequence[Move], canonical: Canonical) -> Schema:
    """An equation between its two sides worked out."""
    step = schema.step
    ends = []
    for side in (proof.left(step), proof.right(step)):
        chain = Chain(proof, side)
        for move in (*moves, canonical.step):
            chain.then(move(chain.term))
        ends.append(chain)
    left, right = ends
    back = left.step()
    first = [] if back is None else [proof.infer("symmetry", left.term, left.start, [back])]
    return Schema(proof.chain([*first, step, *right.steps]), schema.variables)


def used_at(sides: Sides, side: int, plan: Plan, equations: Sequence[Schema]) -> Move:
    """Use equations at a side, in the directions of a plan."""
    proof = sides.proof
    used = [*equations] if side in plan.forward else []
    if side in plan.backward:
        used += [turned(proof, e) for e in equations]
    return lambda term: rewritten(proof, term, used, sides.facts) if used else None


def _opening(sides: Sides, name: str | None) -> Move:
    """Unfold the definition of a name wherever it stands; all that are not by recursion without one."""
    proof = sides.proof
    if name is None:
        return lambda term: unfold(proof, term)

    def here(node: Term, facts: Facts) -> int | None:
        found = proof.definition_of(node)
        return proof.infer("definition", node) if found is not None and found.name == name else None

    return lambda term: rewrite(proof, term, here, sides.facts)


class _Arithmetic:
    """Equality by arithmetic, operand by operand where the whole is none."""

    def __init__(self, proof: Proof) -> None:
        self.proof = proof

    def equal(self, left: Term, right: Term, facts: Facts = ()) -> int:
        """The step that concludes ``left = right``.

        Raises:
            Rejection: they are different.
        """
        if left is right:
            return self.proof.infer("inside", left)
        for rule in ("ring", "field"):
            try:
                return self.proof.infer(rule, left, right)
            except Rejection:
                continue
        if left.__class__ is not right.__class__ or len(left.args) != len(right.args) or not left.args:
            raise Rejection("the two sides are different fractions")
        inner = [self.equal(a, b) for a, b in zip(left.args, right.args, strict=True) if a is not b]
        return self.proof.infer("congruence", left, right, inner)


#: The rule that moves a ∇ inside of a node.
_RULE_OF: dict[type[Term], Callable[[Term], str]] = {
    Add: lambda node: "grad_sum",
    Mul: lambda node: "grad_product",
    Pow: lambda node: "grad_power" if node.args[1].__class__ is Num else "grad_power_general",
    Fn: lambda node: "grad_max" if node.key == "min" else f"grad_{node.key}",
    App: lambda node: "grad_chain",
    Sum: lambda node: "grad_series",
    Prod: lambda node: "grad_series_product",
    Grad: lambda node: "grad_grad",
    Stop: lambda node: "grad_stop",
    Sym: lambda node: "grad_parameter",
}


class _Restricted(Pusher):
    """A pusher that leaves ∇ and → where no rule that is allowed moves them."""

    kept = KEPT | frozenset(_RULE_OF)

    def __init__(
        self,
        proof: Proof,
        params: Collection[str],
        log_names: Collection[str],
        allowed: Collection[str],
        plan: Plan,
    ) -> None:
        super().__init__(proof, params, log_names)
        self.allowed, self.plan = allowed, plan

    def keep(self, param: str, node: Term) -> bool:
        """Whether ``∇param node`` is left as it is."""
        if super().keep(param, node):
            return True
        if not self.proof.state.depends(param, node) or self.rule_for(param, node) is not None:
            return False
        if node.__class__ is App and self.direct(node):
            return True
        rule = _RULE_OF.get(node.__class__)
        return rule is not None and rule(node) not in self.allowed

    def rule_for(self, param: str, node: Term) -> str | None:
        """A pattern rule, if it is allowed."""
        rule = super().rule_for(param, node)
        return rule if rule in self.allowed else None

    def _operator(self, node: Term) -> int | None:
        if not (self.plan.push if node.__class__ is Grad else self.plan.evaluate):
            return None
        try:
            return super()._operator(node)
        except Rejection:
            return None
