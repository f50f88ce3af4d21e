"""Several equations of one proof as one claim: what they have in common is replayed once.

``A₁ = B₁`` to ``Aₙ = Bₙ`` are, for names c of which nothing is known,
``c₁ A₁ + … + cₙ Aₙ = c₁ B₁ + … + cₙ Bₙ``: that holds for every value of c, so for those that single one of
them out.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

from ..language.terms import Add, Indexed, Mul, Sym, postorder
from .proof import Proof

__all__ = ["together"]


def together(proof: Proof, steps: Sequence[int]) -> int:
    """The step that concludes the equations of some steps as one: all strict, or all of values.

    Raises:
        Rejection: the kernel does not conclude it.
    """
    if len(steps) == 1:
        return steps[0]
    node = proof.state.node
    sides = [side for step in steps for side in (proof.left(step), proof.right(step))]
    taken = {n.key for n in postorder(*sides) if n.__class__ in (Sym, Indexed)}
    taken |= {d.name for d in proof.definitions.values()}
    taken |= {name for _, name in proof.state.facts.assumptions}
    fresh = (Sym(name) for n in count(1) if (name := f"c{n}") not in taken)
    scaled = []
    for step, factor in zip(steps, fresh, strict=False):
        left = node(Mul, None, proof.add(factor), proof.left(step))
        right = node(Mul, None, proof.add(factor), proof.right(step))
        scaled.append(proof.infer("congruence", left, right, [step]))
    left, right = (node(Add, None, *map(end, scaled)) for end in (proof.left, proof.right))
    return proof.infer("congruence", left, right, scaled)
