"""Chains of equations, and rewriting everywhere in a term: how strategies build their proofs."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from ..kernel.judgement import Condition, Rejection
from ..language.binding import shift
from ..language.terms import Add, Bound, Fn, Mul, Num, Prod, Sum, Sym, Term, postorder
from .proof import Proof

__all__ = ["Chain", "Facts", "below", "holds", "rewrite"]

#: What is known of indices where a term stands.
Facts = tuple[Condition, ...]


class Chain:
    """Equations end to end, from one term on."""

    def __init__(self, proof: Proof, start: Term) -> None:
        self.proof = proof
        self.start = self.term = start
        self.steps: list[int] = []

    def then(self, step: int | None) -> Chain:
        """Go on with a step that starts where the chain ends; None for no step."""
        if step is not None and self.proof.right(step) is not self.term:
            self.steps.append(step)
            self.term = self.proof.right(step)
        return self

    def by(self, rule: str, target: Term | None = None) -> Chain:
        """Go on by a rule.

        Raises:
            Rejection: the rule does not give this.
        """
        if target is not self.term:
            self.then(self.proof.infer(rule, self.term, target))
        return self

    def back(self, rule: str, target: Term) -> Chain:
        """Go on by a rule read from right to left.

        Raises:
            Rejection: the rule does not lead from the target to here.
        """
        step = self.proof.infer(rule, target, self.term)
        return self.then(self.proof.infer("symmetry", self.term, target, [step]))

    def inside(self, *steps: int | None) -> Chain:
        """Go on by equations between operands of the node."""
        premises = [s for s in steps if s is not None]
        if premises:
            self.then(self.proof.infer("congruence", self.term, None, premises))
        return self

    def step(self) -> int | None:
        """The step that concludes the whole chain; None where nothing changed."""
        return self.proof.chain(self.steps) if self.steps else None


def minus(proof: Proof, a: Term, b: Term) -> Term:
    """``a - b``, in the store."""
    return proof.add(a - b)


def on_indices(proof: Proof, comparison: Term) -> bool:
    """Whether a comparison speaks of indices and counts only."""
    counts = proof.state.facts.counts
    return all(
        n.__class__ in (Add, Mul, Num, Bound) or (n.__class__ is Sym and n.key in counts)
        for n in postorder(*comparison.args)
    )


def below(proof: Proof, node: Term, position: int, facts: Facts) -> Facts:
    """What is known of indices at an operand of a node: the range of a Σ or ∏, the branch of cases."""
    if node.__class__ in (Sum, Prod) and position == 2:
        index = proof.state.node(Bound, 0)
        lo, hi = (proof.add(shift(e, 1)) for e in node.args[:2])
        moved = [Condition(f.kind, proof.add(shift(f.term, 1))) for f in facts]
        ends = [Condition("ge", minus(proof, index, lo)), Condition("ge", minus(proof, hi, index))]
        return tuple(dict.fromkeys([*moved, *ends]))
    if node.binds and node.binds[position]:
        return ()
    if node.__class__ is Fn and node.key == "cases" and position:
        return (*facts, *branch(proof, node.args[0], position == 1))
    return facts


def branch(proof: Proof, condition: Term, holds: bool) -> Facts:
    """What a comparison of indices says where it holds, or where it does not."""
    if condition.__class__ is not Fn or condition.key not in ("gt", "ge") or not on_indices(proof, condition):
        return ()
    strict = (condition.key == "gt") == holds
    a, b = condition.args if holds else reversed(condition.args)
    return (Condition("gt" if strict else "ge", minus(proof, a, b)),)


def holds(proof: Proof, step: int, facts: Facts) -> bool:
    """Whether the conditions of a step's equation follow from the facts."""
    where = proof.conclusion(step).where
    try:  # a bound index is whole by the range around, which the kernel sees when it gets there
        return not proof.remaining((c for c in where if c.kind != "whole"), facts)
    except Rejection:
        return False


def empty(proof: Proof, node: Term, facts: Facts) -> bool:
    """Whether a range is known to be empty: what is known inside then contradicts itself."""
    if node.__class__ not in (Sum, Prod) or not facts:
        return False
    lo, hi = node.args[:2]
    gap = Condition("int", minus(proof, minus(proof, lo, hi), proof.state.one))
    try:
        return not proof.remaining([gap], facts)
    except Rejection:
        return False


def rewrite(
    proof: Proof,
    term: Term,
    here: Callable[[Term, Facts], int | None],
    facts: Facts = (),
    enter: Callable[[Term], bool] = lambda node: True,
) -> int | None:
    """Use equations wherever they apply, from the top; the step that concludes ``term = rewritten``.

    Args:
        proof: where the steps go.
        term: a term of its store.
        here: told a node and what is known there, the step that rewrites it, or None.
        facts: what is known of indices.
        enter: whether to look inside a node.
    """
    done: dict[tuple[int, Facts], int | None] = {}

    def visit(node: Term, facts: Facts) -> int | None:
        key = (id(node), facts)
        if key not in done:
            step = here(node, facts)
            if step is None and node.args and enter(node) and not empty(proof, node, facts):
                inner = [visit_below(node, k, facts) for k in range(len(node.args))]
                # what only facts from further outside justify stays as it is
                with suppress(Rejection):
                    step = Chain(proof, node).inside(*inner).step()
            done[key] = step
        return done[key]

    def visit_below(node: Term, position: int, facts: Facts) -> int | None:
        inner = below(proof, node, position, facts)
        if node.__class__ is Fn and node.key == "cases" and position and inner != facts:
            never = Condition("gt", proof.add(Num(-1)))
            if not proof.remaining([never], inner):  # a branch that is never taken
                return None
        return visit(node.args[position], inner)

    return visit(term, facts)
