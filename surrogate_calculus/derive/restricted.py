"""Working an equation out by named rules only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from ..errors import SurrogateError
from ..kernel.judgement import Rejection
from ..language.terms import (
    Add,
    App,
    Fn,
    Grad,
    Grads,
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
from .chain import Chain, Facts, holds, rewrite
from .equate import Comparison, Move, Sides, connected
from .expectations import Expectations
from .fold import unfold
from .proof import KEPT, Proof
from .push import Pusher
from .stopped import values_under_stops
from .using import Schema, rewritten, turned

__all__ = [
    "MOVES", "USES", "USING", "Named", "Plan", "Restricted", "carry_out", "named_move", "opening", "plans",
    "used_at",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """How a line is worked out.

    Attributes:
        push: move ∇ inside.
        evaluate: move → inside.
        logs: leave log-derivatives as they are.
        forward, backward: at which sides equations that are used are read from left to right, or back.
        late: use them first of all (``"first"``), behind the moves that are named before them
            (``"there"``), behind all that are named (``"named"``), or last, themselves worked out
            (``"last"``).
        opened: the sides at which definitions that are named are unfolded.
    """

    push: bool = False
    evaluate: bool = False
    logs: bool = True
    forward: tuple[int, ...] = ()
    backward: tuple[int, ...] = ()
    late: str = "first"
    opened: tuple[int, ...] = (0, 1)


#: A move that is named, and what of: ``("definition", "v")``; without a name, of whatever there is.
Named = tuple[str, "str | None"]
#: Stands where the first equation is named.
USING: Named = ("using", None)
#: The moves that rules stand for: such a move is made where the rule is named.
MOVES = {"definition": "definition", "order": "grads_next", "score": "expect_score"}

#: At which sides equations are used, from left to right and back.
USES: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...] = (
    ((0, 1), ()), ((), (0, 1)), ((0,), (1,)), ((1,), (0,)), ((0,), ()), ((1,), ()), ((), (0,)), ((), (1,)),
)  # fmt: skip


def plans(allowed: Collection[str], uses: bool, named: Collection[Named]) -> Iterator[Plan]:
    """The plans worth trying, those that do all that may be done first.

    Args:
        allowed: the rules that may be used.
        uses: whether there are equations to use.
        named: the moves that are named.
    """
    pushes = any(r.startswith("grad_") or r.endswith("log_derivative") for r in allowed if r not in _SILENT)
    evaluates = any(r.startswith("eval_") for r in allowed)
    forms = [
        (push, evaluate, logs)
        for push in ((True, False) if pushes else (False,))
        for evaluate in ((True, False) if evaluates else (False,))
        for logs in ((True, False) if push else (True,))
    ]
    times = ("there", "first", "named", "last") if set(named) - {USING} else ("first", "last")
    defined = any(kind == "definition" for kind, _ in named)
    for opened in ((0, 1), (0,), (1,)) if defined else ((0, 1),):
        for forward, backward in USES if uses else (((), ()),):
            for form in forms:
                for late in times if uses else ("first",):
                    yield Plan(*form, forward, backward, late, opened)


_SILENT = frozenset({"grad_parameter", "grad_constant"})


def carry_out(
    sides: Sides,
    plan: Plan,
    allowed: Collection[str],
    named: Sequence[Named],
    equations: Sequence[Schema],
) -> Iterator[int]:
    """The steps that conclude a line by a plan: by arithmetic alone, then by canonical forms.

    Args:
        sides: the two sides.
        plan: how to work them out.
        allowed: the rules that ∇ is moved by; others leave it where it is.
        named: what else is done, in order.
        equations: the equations to use.
    """
    proof = sides.proof
    names = sides.log_names if plan.logs else ()
    pusher = Restricted(proof, sides.params, names, allowed, plan)
    expectations = Expectations(proof) if "expect_add" in allowed or "cond_add" in allowed else None
    canonical = Canonical(proof, gathers=True)

    def moves(side: int | None) -> tuple[list[Move], int]:
        """What is done at a side, and in front of which move the equations are used."""
        out: list[Move] = []
        before = 0
        for entry in named:
            if entry == USING:
                before = len(out) if plan.late == "there" else before
            elif entry[0] != "definition" or side is None or side in plan.opened:
                out.append(named_move(sides, entry))
                out += [] if expectations is None else [expectations.normal]
        if plan.late == "named":
            before = len(out)
        if plan.evaluate:
            out.append(lambda term: values_under_stops(proof, term, pusher))
        out.append(pusher.push)
        out += [] if expectations is None else [expectations.normal]
        if plan.late == "last":
            out.append(canonical.step)
            before = len(out)
        return out, before

    if equations and plan.late == "last":
        equations = [_worked(proof, e, moves(None)[0]) for e in equations]
    ways = []
    for side in (0, 1):
        own, before = moves(side)
        ways.append([*own[:before], used_at(sides, side, plan, equations), *own[before:]])
    comparisons: tuple[Comparison, ...] = (_Arithmetic(proof), canonical)
    for compare in comparisons:
        try:
            yield connected(sides, ways, compare)
        except (Rejection, SurrogateError):
            continue


def _worked(proof: Proof, schema: Schema, moves: Sequence[Move]) -> Schema:
    """An equation between its two sides worked out."""
    step = schema.step
    ends = []
    for side in (proof.left(step), proof.right(step)):
        chain = Chain(proof, side)
        for move in moves:
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


def named_move(sides: Sides, entry: Named) -> Move:
    """A move that is named."""
    kind, name = entry
    if kind == "definition":
        return opening(sides, name)
    if kind == "draw":
        return Expectations(sides.proof).drawn(str(name))
    if kind == "score":
        return Expectations(sides.proof).score
    return lambda term: rewrite(sides.proof, term, partial(_lower_order, sides.proof), sides.facts)


def _lower_order(proof: Proof, node: Term, facts: Facts) -> int | None:
    """``∇⁰A = A``, or ``∇ⁿA = ∇ ∇ⁿ⁻¹A``."""
    for rule in ("grads_zero", "grads_next") if node.__class__ is Grads else ():
        with suppress(Rejection):
            step = proof.infer(rule, node)
            if holds(proof, step, facts):
                return step
    return None


def opening(sides: Sides, name: str | None) -> Move:
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
            return self.proof.same(left)
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


class Restricted(Pusher):
    """A pusher that leaves ∇ and → where no rule that is allowed moves them."""

    kept = KEPT | frozenset(_RULE_OF) | {Grads}

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
        if node.__class__ is Grads:
            return self.proof.state.depends(param, node)
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
