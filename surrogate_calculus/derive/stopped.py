"""What stands under ⊥ is a value: →A = →B gives ⊥A = ⊥B."""

from __future__ import annotations

from contextlib import suppress

from ..errors import SurrogateError
from ..kernel.judgement import Rejection
from ..language.terms import HAS_EVAL, HAS_STOP, Eval, Stop, Term
from .chain import Facts, rewrite
from .proof import Proof
from .push import Pusher

__all__ = ["values_under_stops"]


def values_under_stops(proof: Proof, term: Term, pusher: Pusher) -> int | None:
    """The outermost ⊥ with their bodies evaluated, ``⊥(A / ⊥B) = ⊥(A / B)``; None where nothing changes."""

    def here(node: Term, facts: Facts) -> int | None:
        if node.__class__ is not Stop or not node.args[0].flags & (HAS_STOP | HAS_EVAL):
            return None
        with suppress(Rejection, SurrogateError):
            return _with_value(proof, node, pusher)
        return None

    return rewrite(proof, term, here)


def _with_value(proof: Proof, node: Term, pusher: Pusher) -> int | None:
    """``⊥A = ⊥(→A)``, the → moved inside and gone.

    Raises:
        Rejection, SurrogateError: it does not go, as before a family by recursion.
    """
    state, body = proof.state, node.args[0]
    evaluated = pusher.push(state.node(Eval, None, body))
    if evaluated is None:
        return None
    value = proof.right(evaluated)
    again = proof.evaluate(value)
    if proof.right(again) is not value:
        return None
    back = proof.infer("symmetry", value, proof.left(again), [again])
    same = proof.infer("arrow", body, value, [proof.chain([evaluated, back])])
    return proof.infer("congruence", node, None, [same])
