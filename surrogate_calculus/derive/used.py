"""Which rules a step of a proof rests on."""

from __future__ import annotations

from collections.abc import Collection

from ..language.terms import Eval, Grad, Stop, Term
from .proof import Proof

__all__ = ["rests_on"]


def rests_on(proof: Proof, step: int, given: Collection[int] = ()) -> tuple[frozenset[str], frozenset[int]]:
    """The rules in a step and in all that it rests on down to the steps that are given, and which of these.

    Besides its premises, a step of ∇ or → rests on what was worked out of the operands.
    """
    seen, reached = set[int](), set[int]()
    todo = [step]
    rules: set[str] = set()
    while todo:
        number = todo.pop()
        if number in seen:
            continue
        seen.add(number)
        if number in given:
            reached.add(number)
            continue
        rule, _, _, premises = proof.log[number]
        rules.add(rule)
        todo.extend(premises)
        if not premises:
            todo.extend(n for n in map(proof.number, _inner(proof, proof.left(number))) if n is not None)
    return frozenset(rules), frozenset(reached)


def _inner(proof: Proof, operator: Term) -> list[Term]:
    """The operator on each operand of what it stands before, and the operator that it may stand before."""
    cls = operator.__class__
    if cls not in (Grad, Eval):
        return []
    state, body = proof.state, operator.args[0]
    below = state.under_binder(operator.args[1:]) if cls is Grad and body.binds else operator.args[1:]
    binds = body.binds or (0,) * len(body.args)
    inner = [
        state.node(cls, operator.key, a, *(below if depth else operator.args[1:]))
        for a, depth in zip(body.args, binds, strict=True)
    ]
    return [*inner, body] if body.__class__ in (Grad, Eval, Stop) else inner
