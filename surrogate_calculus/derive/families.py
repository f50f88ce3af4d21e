"""Families by recursion in a derivation: closed forms before the gradient, values after it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..language.terms import Grad, Term
from .chain import Chain, Facts, rewrite
from .closed import Closed
from .proof import Proof

if TYPE_CHECKING:
    from ..language.declarations import Document

__all__ = ["Families"]


class Families:
    """What a derivation does with the families of its document.

    Args:
        proof: the derivation.
        given: the document.
    """

    def __init__(self, proof: Proof, given: Document | None) -> None:
        self.proof = proof
        self.given = given
        parameters = given.parameters if given is not None else ()
        names = given.names() if given is not None else ()
        self.closed = Closed(proof, parameters, names)
        self.closed.find()

    def close(self, term: Term) -> int | None:
        """Closed forms for the families under ∇, and what they simplify to."""
        canonical = self.closed.canonical

        def here(node: Term, facts: Facts) -> int | None:
            if node.__class__ is not Grad:
                return None
            body = node.args[0]
            while body.__class__ is Grad:
                body = body.args[0]
            inner = Chain(self.proof, body)
            inner.then(self.closed.use(body, facts))
            if not inner.steps:
                return None
            inner.then(canonical.step(inner.term, facts))
            step = inner.step()
            term = body
            path = []
            outer = node
            while outer is not body:
                path.append(outer)
                outer = outer.args[0]
            for level in reversed(path):
                step = Chain(self.proof, level).inside(step).step()
            return step

        return rewrite(self.proof, term, here)

    def settle(self, term: Term) -> int | None:
        """The canonical form of a result."""
        return self.closed.canonical.step(term)
