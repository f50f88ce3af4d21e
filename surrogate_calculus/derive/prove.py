"""Deciding an equation: proved by the kernel, refuted by an exact counterexample, or undecided.

``A = B`` claims equality at every (θ, θ̂), so that automatic differentiation of any order cannot tell the
two apart; ``A =→ B`` claims equality of values only (design §1).

To prove, every ∇ and → is pushed inside on both sides and what is left is compared by arithmetic.  To
refute, opaque functions are replaced by random polynomials with rational coefficients, names by random
rationals, and both sides are evaluated in the two-copy model, exactly; for ``=`` after k more ∇, which
finds the least order of automatic differentiation that shows the difference.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING, Any

from ..errors import ParseError, Span, SurrogateError
from ..kernel import Equation, Relation, Verdict, check
from ..kernel.judgement import Rejection
from ..language.terms import App, Axis, Eval, Grad, Indexed, Sym, Term, postorder
from .engine import prepared
from .fold import unfold
from .proof import Proof
from .push import Pusher, gradient_parameters, log_domain

if TYPE_CHECKING:
    from ..language.declarations import Document

__all__ = ["Counterexample", "prove", "split_claim"]

#: Orders of ∇ and random instantiations that a refutation tries.
MAX_ORDER = 3
TRIES = 12


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An instantiation at which the two sides of a claim differ.

    Attributes:
        order: how many more ∇ it takes to see the difference: 0 is a difference of the values.
        wrt: the parameters of those ∇, innermost first.
        point: values of the names.
        functions: what stands for the opaque functions.
        left, right: the values of the two sides there, exact.
    """

    order: int
    wrt: tuple[str, ...]
    point: Mapping[str, Any]
    functions: Mapping[str, Any]
    left: Fraction
    right: Fraction

    def __str__(self) -> str:
        at = ", ".join(f"{n} = {v}" for n, v in self.point.items() if not isinstance(v, dict))
        seen = f"after ∇{' ∇'.join(reversed(self.wrt))}" if self.wrt else "in value"
        return f"{seen}, at {at or 'any point'}, the left side is {self.left} and the right side {self.right}"


def split_claim(text: str) -> tuple[str, Relation, str, int]:
    """``A = B`` or ``A =→ B`` as its two sides, and where the right one starts.

    Raises:
        ParseError: not exactly one equality sign outside of all brackets.
    """
    depth, where = 0, []
    for position, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "=" and depth == 0 and text[position - 1 : position] not in (">", "<"):
            where.append(position)
    if len(where) != 1:
        raise ParseError(
            "a claim has exactly one equality sign outside of brackets",
            instead="→(∇θ E) = F, or A =→ B for equality of values",
            text=text,
            span=Span(where[1] if len(where) > 1 else len(text), len(text)),
        )
    (at,) = where
    after = text[at + 1 : at + 3]
    if after.startswith("→") and after != "→(":
        return text[:at], Relation.VALUE, text[at + 2 :], at + 2
    return text[:at], Relation.STRICT, text[at + 1 :], at + 1


def prove(
    claim: str | tuple[Term, Term],
    given: Document | None = None,
    *,
    values: bool = False,
    vector: Collection[str] = (),
    seed: int = 0,
) -> Verdict:
    """Decide an equation.

    Args:
        claim: text ``A = B`` or ``A =→ B``, or the two sides as terms.
        given: a document whose declarations and definitions hold.
        values: claim equality of values for a pair of terms.
        vector: names of vector parameters where no document says so.
        seed: of the random instantiations.

    Returns:
        ``proved`` with the hypotheses used, by a certificate that was replayed; ``refuted`` with a
        :class:`Counterexample`; or ``undecided``.

    Raises:
        ParseError: text that is no claim.
    """
    if isinstance(claim, str):
        from ..language.parser import parse

        left, relation, right, start = split_claim(claim)
        lhs = parse(left, given, vector=vector)
        try:
            rhs = parse(right, given, vector=vector)
        except SurrogateError as error:
            if error.span is not None:
                error.span = Span(error.span.start + start, error.span.end + start)
                error.text = claim
            raise
    else:
        (lhs, rhs), relation = claim, Relation.VALUE if values else Relation.STRICT
    verdict = _prove(lhs, rhs, relation, given)
    if verdict is not None:
        return verdict
    equation = Equation(relation, lhs, rhs)
    found = _refute(lhs, rhs, relation, given, random.Random(seed))
    if found is None:
        reason = "neither a proof nor an exact counterexample was found"
        return Verdict("undecided", claim=equation, reason=reason)
    return Verdict("refuted", claim=equation, reason=str(found), counterexample=found)


def _prove(lhs: Term, rhs: Term, relation: Relation, given: Document | None) -> Verdict | None:
    proof = prepared(given)
    sides = []
    for side in (lhs, rhs):
        term = proof.add(side)
        term = proof.state.node(Eval, None, term) if relation is Relation.VALUE else term
        sides.append(term)
    log_names = log_domain(postorder(lhs, rhs))
    log_names |= set(given.densities if given is not None else ())
    params = frozenset().union(*(gradient_parameters(s) for s in sides))
    try:
        worked = [_work_out(proof, side, params, log_names) for side in sides]
        ends = [proof.right(w[-1]) if w else side for w, side in zip(worked, sides, strict=True)]
        try:
            same = proof.infer("ring", ends[0], ends[1])
        except Rejection:
            same = proof.infer("field", ends[0], ends[1])
    except (Rejection, SurrogateError):
        return None
    steps = [*worked[0], same]
    if worked[1]:
        whole = proof.chain(worked[1])
        steps.append(proof.infer("symmetry", ends[1], sides[1], [whole]))
    last = proof.chain(steps)
    if relation is Relation.VALUE:
        last = proof.infer("arrow", sides[0].args[0], sides[1].args[0], [last])
    return check(proof.certificate(last))


def _work_out(proof: Proof, term: Term, params: Collection[str], log_names: Collection[str]) -> list[int]:
    """The steps that unfold a side and push its operators inside."""
    steps = []
    for move in (unfold, lambda p, t: Pusher(p, params, log_names).push(t)):
        step = move(proof, term)
        if step is not None:
            steps.append(step)
            term = proof.right(step)
    return steps


def _refute(
    lhs: Term, rhs: Term, relation: Relation, given: Document | None, rng: random.Random
) -> Counterexample | None:
    """Random rational instantiations, at growing orders of ∇; exact differences only."""
    from ..semantics import Model

    if given is not None:
        lhs, rhs = given.unfold(lhs), given.unfold(rhs)
    both = postorder(lhs, rhs)
    if any(n.__class__ is Axis for n in both):
        return None
    params = sorted(gradient_parameters(lhs) | gradient_parameters(rhs)) or sorted(_symbols(both))
    orders = range(MAX_ORDER + 1) if relation is Relation.STRICT else range(1)
    for order in orders:
        for wrt in combinations_with_replacement(params, order):
            sides = [_valued(side, wrt) for side in (lhs, rhs)]
            if any(side is None for side in sides):
                continue
            for _ in range(TRIES):
                point, functions = _instantiation(both, given, rng)
                try:
                    left, right = (Model(point, functions).value(side) for side in sides if side is not None)
                except SurrogateError:
                    continue
                if isinstance(left, Fraction) and isinstance(right, Fraction) and left != right:
                    return Counterexample(order, wrt, point, functions, left, right)
    return None


def _valued(term: Term, wrt: tuple[str, ...]) -> Term | None:
    """``→∇…∇E`` worked out with derivatives of opaque functions only, so that rationals stay rational."""
    for name in wrt:
        term = Grad(name, term)
    proof = Proof()
    start = proof.add(Eval(term))
    try:
        step = Pusher(proof, gradient_parameters(start), ()).push(start)
    except SurrogateError:
        return None
    return start if step is None else proof.right(step)


def _symbols(nodes: Collection[Term]) -> set[str]:
    return {n.key for n in nodes if n.__class__ is Sym}


def _instantiation(
    nodes: Collection[Term], given: Document | None, rng: random.Random
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Random rationals for names, small whole numbers for counts, positive polynomials for functions."""
    from ..semantics import random_function

    counts = {n for node in nodes if node.tag in ("sum", "prod") for n in _symbols(postorder(*node.args[:2]))}
    indices = [i for node in nodes if node.__class__ is Indexed for i in node.args]
    counts |= _symbols(postorder(*indices))
    counts |= set(given.counts if given is not None else ())
    point: dict[str, Any] = {}
    functions: dict[str, Any] = {}
    for node in nodes:
        if node.__class__ is Sym and node.key not in point:
            point[node.key] = rng.randint(1, 3) if node.key in counts else _rational(rng)
        elif node.__class__ is Indexed:
            point.setdefault(_family(node.key, nodes), _Family(rng.randrange(2**32)))
        elif isinstance(node, App) and node.name not in functions:
            functions[node.name] = random_function(rng, (None,) * node.n_slots, positive=True)
    return point, functions


def _family(name: str, nodes: Collection[Term]) -> str:
    return f"{name}[]" if name in _symbols(nodes) else name


def _rational(rng: random.Random) -> Fraction:
    return Fraction(rng.randint(1, 9), rng.randint(1, 5))


class _Family:
    """A family with a random positive rational at every index."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def __call__(self, *index: Any) -> Fraction:
        return _rational(random.Random(f"{self._seed}:{index}"))

    def __repr__(self) -> str:
        return "random rationals"
