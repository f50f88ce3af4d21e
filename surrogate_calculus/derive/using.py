"""Using equations: lemmas, axioms, the hypothesis of an induction, wherever a term has their left side."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ..kernel.judgement import Rejection
from ..kernel.matching import match
from ..kernel.rules import meta
from ..language.binding import shift, substitute
from ..language.terms import Sym, Term
from .chain import Facts, holds, rewrite
from .proof import Proof

__all__ = ["Schema", "rewritten", "turned"]


@dataclass(frozen=True, slots=True)
class Schema:
    """An equation of a proof that holds for every value of its loose indices and of some variables.

    Attributes:
        step: the step that concludes it.
        variables: the names of these variables.
    """

    step: int
    variables: tuple[str, ...] = ()


def turned(proof: Proof, schema: Schema) -> Schema:
    """The equation read from right to left."""
    step = schema.step
    back = proof.infer("symmetry", proof.right(step), proof.left(step), [step])
    return Schema(back, schema.variables)


def rewritten(proof: Proof, term: Term, schemas: Sequence[Schema], facts: Facts) -> int | None:
    """Equations used from left to right wherever a term is an instance of their left side."""

    def here(node: Term, facts: Facts) -> int | None:
        for schema in schemas:
            step = _instance(proof, schema, node)
            if step is not None and holds(proof, step, facts):
                return step
        return None

    return rewrite(proof, term, here, facts)


def _instance(proof: Proof, schema: Schema, node: Term) -> int | None:
    """The step that concludes what an equation says of a node; None where it says nothing."""
    step, left = schema.step, proof.left(schema.step)
    if left is node:
        return step
    if left.__class__ is not node.__class__:
        return None
    if left.loose:
        with suppress(Rejection):
            return proof.infer("instance", node, None, [step])
        return None
    values = _values(left, node, schema.variables)
    if not values:
        return None
    detail = [(name, 0, proof.add(value)) for name, value in values.items()]
    with suppress(Rejection):
        return proof.infer("substitute", node, None, [step], detail)
    return None


def _values(left: Term, node: Term, variables: Collection[str]) -> dict[str, Term] | None:
    """What must stand for variables to make a left side that node; None where nothing does."""
    if left.__class__ is Sym or not variables:
        return None
    found = match(substitute(left, {name: meta(name) for name in variables}), node)
    if found is None:
        return None
    out = {}
    for name in variables:
        if f"?{name}" in found:
            value, depth = found[f"?{name}"]
            try:
                out[name] = shift(value, -depth)
            except ValueError:  # it stands under a binder of the left side
                return None
    return {name: value for name, value in out.items() if value != Sym(name)}
