"""Proving an equation inside of a proof: both sides are worked out until they have one canonical form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Protocol

from ..errors import SurrogateError
from ..kernel.judgement import Condition, Rejection, Relation
from ..language.binding import abstract
from ..language.terms import (
    HAS_EVAL,
    HAS_GRAD,
    CondExpect,
    Eval,
    Expect,
    Grad,
    Indexed,
    Stop,
    Sym,
    Term,
    postorder,
)
from .averages import Averages
from .canonical import Canonical
from .chain import Chain, Facts, rewrite
from .families import Families, families_of
from .fold import unfold
from .proof import Proof
from .push import Pusher, gradient_parameters, log_domain
from .stopped import values_under_stops

if TYPE_CHECKING:
    from ..language.declarations import Document

__all__ = ["Comparison", "KnownFamilies", "Move", "Sides", "connected", "equate", "strategies", "worked_out"]

#: What takes a term to a step that concludes ``term = something``, or to None.
Move = Callable[[Term], "int | None"]
#: The families of a proof, by the parameters that are differentiated in and the names under logs.
KnownFamilies = dict[tuple[frozenset[str], frozenset[str]], Families]
#: So many families of a recursion are unfolded, those first that are defined by the others.
MAX_OPENED = 3


def closed_over(term: Term, indices: Sequence[str]) -> Term:
    """A term about every value of indices: they are loose bound ones in it, the last innermost."""
    for name in indices:
        term = abstract(term, name)
    return term


def ranges_of(proof: Proof, given: Document | None, indices: Sequence[str]) -> Facts:
    """What a document says of the values of its indices, as of loose bound ones."""
    if given is None:
        return ()
    facts = []
    for name in indices:
        lo, hi = given.indices[name]
        for gap in (Sym(name) - lo, hi - Sym(name)):
            facts.append(Condition("ge", proof.add(closed_over(gap, indices))))
    return tuple(facts)


class Sides:
    """The two sides of a claim in a proof: under → where equality of values is claimed.

    Args:
        proof: where the steps go.
        lhs, rhs: the sides.
        relation: which equality is claimed.
        given: the declarations.
        indices: the names of the indices of the document that the claim is about every value of.

    Attributes:
        terms: the sides, their indices loose.
        facts: the ranges of these indices.
        params: the parameters that are differentiated in.
        log_names: the functions whose derivatives are log-derivatives.
    """

    def __init__(
        self,
        proof: Proof,
        lhs: Term,
        rhs: Term,
        relation: Relation,
        given: Document | None,
        indices: Sequence[str] = (),
    ) -> None:
        self.proof, self.relation = proof, relation
        pair = [proof.add(closed_over(side, indices)) for side in (lhs, rhs)]
        under = relation is Relation.VALUE
        self.terms = [proof.state.node(Eval, None, term) if under else term for term in pair]
        self.facts = ranges_of(proof, given, indices)
        bodies = [d.body for d in proof.definitions.values()]
        self.log_names = log_domain(postorder(lhs, rhs, *bodies))
        self.log_names |= set(given.densities if given is not None else ())
        self.params = frozenset().union(*(gradient_parameters(term) for term in self.terms))

    def concluded(self, step: int) -> int:
        """The step that concludes the claim, from one that concludes that the terms are equal.

        Raises:
            Rejection: they are equal in value only, and more is claimed.
        """
        if self.relation is Relation.VALUE:
            return self.proof.infer("arrow", self.terms[0].args[0], self.terms[1].args[0], [step])
        if self.proof.conclusion(step).relation is Relation.VALUE:
            raise Rejection("the two sides are equal in value only")
        return step


def equate(
    proof: Proof,
    lhs: Term,
    rhs: Term,
    relation: Relation,
    given: Document | None,
    indices: Sequence[str] = (),
    known: KnownFamilies | None = None,
) -> Iterator[int]:
    """The steps that conclude ``lhs = rhs`` or ``lhs =→ rhs``: one for each strategy that succeeds.

    The arguments are those of :class:`Sides`; ``known`` is what earlier claims in this proof have found of
    its families.
    """
    sides = Sides(proof, lhs, rhs, relation, given, indices)
    if sides.terms[0] is sides.terms[1]:
        yield sides.concluded(proof.same(sides.terms[0]))
    for moves, canonical in strategies(sides, given, known):
        try:
            yield connected(sides, moves, canonical)
        except (Rejection, SurrogateError):
            continue


class Comparison(Protocol):
    """What concludes that two terms are equal, such as a canonical form."""

    def equal(self, left: Term, right: Term, facts: Facts = ()) -> int:
        """The step that concludes it, of indices of which something is known."""


def connected(sides: Sides, moves: Sequence[Sequence[Move]], compare: Comparison) -> int:
    """The step that concludes a claim: its sides are equal, each once worked out by its moves.

    Raises:
        Rejection, SurrogateError: they are not, or cannot be worked out.
    """
    proof = sides.proof
    worked = [worked_out(proof, side, own) for side, own in zip(sides.terms, moves, strict=True)]
    ends = [proof.right(w[-1]) if w else side for w, side in zip(worked, sides.terms, strict=True)]
    steps = [*worked[0], compare.equal(ends[0], ends[1], sides.facts)]
    if worked[1]:
        steps.append(proof.infer("symmetry", ends[1], sides.terms[1], [proof.chain(worked[1])]))
    return sides.concluded(proof.chain(steps))


#: What works each side out, and the canonical form to compare with.
Strategy = tuple[tuple[list[Move], list[Move]], Canonical]


def strategies(
    sides: Sides, given: Document | None, known: KnownFamilies | None = None
) -> Iterator[Strategy]:
    """The strategies for an equation, those first that are quick."""
    proof, params, log_names = sides.proof, sides.params, sides.log_names
    is_family = families_of(proof)
    spoken = {n.key for n in postorder(*sides.terms) if n.__class__ in (Sym, Indexed)}
    occurring = spoken | {name for defined in spoken for name in proof.state.hidden_names(defined)}
    recursive = [d for d in proof.definitions.values() if d.name in occurring and d.measure is not None]

    def unfolded(term: Term) -> int | None:
        return unfold(proof, term)

    def pushed(term: Term) -> int | None:
        return Pusher(proof, params, log_names, is_family).push(term)

    def settled(term: Term) -> int | None:
        return values_under_stops(proof, term, Pusher(proof, params, log_names, is_family))

    def alike(*moves: Move, canonical: Canonical | None = None) -> Strategy:
        return ([*moves], [*moves]), canonical or Canonical(proof, gathers=True)

    def valued(term: Term) -> int | None:
        """What stands under ∇→ evaluated and simplified first: ``∇→(E / ⊥(E))`` is ∇1."""
        simplified = Canonical(proof)

        def here(node: Term, facts: Facts) -> int | None:
            if node.__class__ is not Grad or node.args[0].__class__ is not Eval:
                return None
            inner = Chain(proof, node.args[0]).then(pushed(node.args[0]))
            inner.then(simplified.step(inner.term))
            return Chain(proof, node).inside(inner.step()).step()

        return rewrite(proof, term, here)

    def opened(name: str) -> Move:
        def here(node: Term, facts: Facts) -> int | None:
            found = proof.definition_of(node)
            return proof.infer("definition", node) if found is not None and found.name == name else None

        return lambda term: rewrite(proof, term, here, sides.facts)

    if any(n.__class__ is Expect for side in sides.terms for n in postorder(side, *bodies_of(proof, side))):
        averages = Averages(proof, pushed, () if given is None else given.densities)
        yield alike(unfolded, averages.simplified, averages.worked_out, canonical=Canonical(proof))
    if any(n.__class__ is CondExpect for n in postorder(*sides.terms)):
        averages = Averages(proof, pushed, () if given is None else given.densities)
        unrolled = Families(proof, given, params, log_names)
        out = [pushed, unrolled.unfold_decided, unrolled.closed.written_out]
        yield alike(*out, averages.over_draws, averages.worked_out, canonical=Canonical(proof))
    if not any(side.flags & (HAS_GRAD | HAS_EVAL) for side in sides.terms):
        later = [opened(d.name) for d in reversed(recursive)][:MAX_OPENED]
        for count in range(len(later) + 1):
            yield alike(unfolded, *later[:count])
        for name in dict.fromkeys(d.name for d in recursive if d.name in spoken):  # at one side only
            yield ([unfolded, opened(name)], [unfolded]), Canonical(proof, gathers=True)
            yield ([unfolded], [unfolded, opened(name)]), Canonical(proof, gathers=True)
    if any(is_family(proof.add(d.left)) for d in proof.definitions.values() if d.name in occurring):
        known = {} if known is None else known
        own = (params, frozenset(log_names))
        families = known[own] if own in known else Families(proof, given, params, log_names)
        known[own] = families
        closed = families.closed
        if not any(side.flags & (HAS_GRAD | HAS_EVAL) for side in sides.terms):
            tidy: list[Move] = [closed.bases, closed.stops, closed.opening.step]
            yield alike(closed.use, *tidy, *tidy, canonical=closed.opening)
            more: list[Move] = [families.unfold_decided, closed.stops]
            yield alike(closed.use, *tidy, *tidy, *more, canonical=closed.opening)
            more += [closed.written_out, closed.stops]
            yield alike(closed.use, *tidy, *tidy, *more, canonical=closed.along_lineages)
        yield alike(families.close, pushed, families.settle, canonical=closed.canonical)
        decided = families.unfold_decided
        yield alike(families.close, pushed, families.settle, decided, pushed)
        yield alike(unfolded, pushed, decided, pushed, decided)
        begun: list[Move] = [Canonical(proof).step, closed.begun, decided, pushed, decided]
        yield alike(unfolded, pushed, *begun, canonical=closed.canonical)
    else:
        # twice: an earlier pass over the same ∇ may have left some inside that are to be moved now
        yield alike(unfolded, pushed, pushed)
        if any(n.__class__ is Stop for n in postorder(*sides.terms)):
            yield alike(unfolded, settled, pushed, pushed)
    if any(n.__class__ is Grad and n.args[0].__class__ is Eval for n in postorder(*sides.terms)):
        yield alike(valued, unfolded, pushed)


def bodies_of(proof: Proof, term: Term) -> list[Term]:
    """The bodies of the definitions that a term leads to."""
    names = {n.key for n in postorder(term) if n.__class__ in (Sym, Indexed)}
    names |= {hidden for name in names for hidden in proof.state.hidden_names(name)}
    return [d.body for d in proof.definitions.values() if d.name in names]


def worked_out(proof: Proof, term: Term, moves: Sequence[Move]) -> list[int]:
    """The steps that unfold a side and push its operators inside."""
    steps = []
    for move in moves:
        step = move(term)
        if step is not None:
            steps.append(step)
            term = proof.right(step)
    return steps
