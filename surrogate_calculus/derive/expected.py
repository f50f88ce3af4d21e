"""Proving a line about expectations by what its hints name: laws of draws, weights, scores, linearity."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from ..errors import SurrogateError
from ..kernel.judgement import Rejection
from ..language.terms import App, Expect, Fn, Stop, Term, postorder
from .canonical import Canonical
from .chain import Chain, Facts, holds, rewrite
from .equate import Move, Sides, connected
from .expectations import Expectations
from .proof import Proof
from .restricted import Named, Plan, Restricted, named_move, opening
from .using import Schema, rewritten, turned

__all__ = ["Average", "averages", "carry_out_average"]


@dataclass(frozen=True, slots=True)
class Average:
    """How a line about expectations is worked out.

    Attributes:
        at: the sides at which definitions are unfolded and laws are used.
        weights: at which sides expectations are taken under the laws of the other side.
        equation: the number of the equation that the line is; None for none.
        back: whether that one is read from right to left.
        inside: the side at which equations are used wherever they may be; None for neither.
        inverse: whether these are read from right to left.
    """

    at: tuple[int, ...] = (0, 1)
    weights: tuple[int, ...] = ()
    equation: int | None = None
    back: bool = False
    inside: int | None = None
    inverse: bool = False


def averages(rules: Collection[str], named: Sequence[Named], uses: int) -> Iterator[Average]:
    """The ways worth trying, the plainest first.

    Args:
        rules: those that may be used.
        named: the moves that are named.
        uses: the number of equations that are used.
    """
    moves = {kind for kind, _ in named}
    if not (moves & {"definition", "draw"} or uses or any(r.startswith(("expect_", "cond_")) for r in rules)):
        return
    sides = [(0, 1), (0,), (1,)]
    weights = [(0,), (1,)] if "expect_weight" in rules else [()]
    using: list[tuple[int | None, bool, int | None, bool]] = [(None, False, None, False)]
    if uses and "draw" not in moves:
        using = [(n, back, None, False) for n in range(uses) for back in (False, True)]
        using += [(None, False, side, inverse) for inverse in (False, True) for side in (0, 1)]
    for use in using:
        for own in weights:
            for at in sides if moves & {"definition", "draw"} else sides[:1]:
                yield Average(at, own, *use)


def carry_out_average(
    sides: Sides,
    way: Average,
    allowed: Collection[str],
    named: Sequence[Named],
    equations: Sequence[Schema],
) -> Iterator[int]:
    """The steps that conclude a line in a way.

    Args:
        sides: the two sides.
        way: how to work them out.
        allowed: the rules that may be used.
        named: definitions to unfold and draws whose law is used, in order.
        equations: the equations to use.
    """
    proof = sides.proof
    canonical = Canonical(proof, gathers=True)
    opened = [name for kind, name in named if kind == "definition"]
    laws = [str(name) for kind, name in named if kind == "draw"]
    steps = [schema.step for schema in equations]
    moving = (r for r in allowed if r.startswith("grad_") or r.endswith("log_derivative"))
    pushes = any(rule not in ("grad_parameter", "grad_constant") for rule in moving)

    def moves(side: int) -> list[Move]:
        whole, split = Expectations(proof, False, steps), Expectations(proof, True, steps)
        out: list[Move] = []
        if opened and side in way.at:  # and where it is a recursion its guard is decided
            for name in opened:
                out += [opening(sides, name), lambda term: decided(proof, term, sides.facts)]
            out.append(formed)
        used = [turned(proof, e) for e in equations] if way.inverse else equations
        using: list[Move] = [lambda term: rewritten(proof, term, used, sides.facts)]
        using = using if side == way.inside else []
        out += using
        out += [named_move(sides, entry) for entry in named if entry[0] in ("order", "score")]
        if side in way.weights:
            out += [_weighted(split, law, hint) for law, hint in _laws(proof, sides.terms[1 - side])]
        out += using if len(out) > len(using) else []
        if side in way.at:
            for name in laws:
                out += [whole.normal, whole.drawn(name), split.normal, split.drawn(name)]
        if pushes:
            out.append(Restricted(proof, sides.params, sides.log_names, allowed, Plan(push=True)).push)
        if "stop_function" in allowed:
            out.append(lambda term: stops_inside(proof, term))
        if "cond_known" in allowed or "expect_scale" in allowed:
            out += [split.normal, formed]
        return out

    def formed(term: Term) -> int | None:
        return Expectations(proof).forms(term, canonical.step)

    with suppress(Rejection, SurrogateError):
        if way.equation is None:
            yield connected(sides, (moves(0), moves(1)), canonical)
            return
        schema = equations[way.equation]
        step = (turned(proof, schema) if way.back else schema).step
        # A = left = right = B, where the first and the last are matters of form
        ends = []
        for side, end in ((0, proof.left(step)), (1, proof.right(step))):
            own, other = Chain(proof, sides.terms[side]), Chain(proof, end)
            for move in moves(side):
                own.then(move(own.term))
            for move in moves(side):
                other.then(move(other.term))
            link = canonical.equal(own.term, other.term, sides.facts)
            back = other.step()
            ends.append(proof.chain([*own.steps, link, *([] if back is None else [_back(proof, back)])]))
        yield sides.concluded(proof.chain([ends[0], step, _back(proof, ends[1])]))


def _back(proof: Proof, step: int) -> int:
    return proof.infer("symmetry", proof.right(step), proof.left(step), [step])


def decided(proof: Proof, term: Term, facts: Facts) -> int | None:
    """The branch of cases that is taken, wherever a comparison of indices is decided."""

    def here(node: Term, facts: Facts) -> int | None:
        if node.__class__ is not Fn or node.key != "cases" or node.args[0].__class__ is not Fn:
            return None
        for rule, branch in (("true", "cases_one"), ("false", "cases_zero")):
            with suppress(Rejection):
                step = proof.infer(f"{node.args[0].key}_{rule}", node.args[0])
                if holds(proof, step, facts):
                    return Chain(proof, node).inside(step).by(branch).step()
        return None

    return rewrite(proof, term, here, facts)


def stops_inside(proof: Proof, term: Term) -> int | None:
    """⊥ moved inside wherever it moves."""
    done: dict[int, int | None] = {}

    def inner(node: Term) -> int | None:
        """The step that works out ``⊥node``, whose operands are worked out."""
        stop = proof.state.node(Stop, None, node)
        kinds = ("number", "stop", "eval", "gt", "ge", "eq", "function")
        for rule in (f"stop_{kind}" for kind in kinds):
            with suppress(Rejection):
                chain = Chain(proof, stop).by(rule)
                if rule == "stop_function":
                    parts = [inner(a.args[0]) if a.__class__ is Stop else None for a in chain.term.args]
                    chain.inside(*parts)
                return chain.step()
        return None

    for node in postorder(term):
        chain = Chain(proof, node).inside(*(done.get(id(a)) for a in node.args))
        if chain.term.__class__ is Stop:
            chain.then(inner(chain.term.args[0]))
        done[id(node)] = chain.step()
    return done[id(term)]


def _laws(proof: Proof, term: Term) -> list[tuple[App, str]]:
    """The laws of the expectations in a term, of those that nothing binds outside."""
    found: dict[Term, str] = {}
    for node in postorder(term):
        if node.__class__ is Expect and isinstance(node.args[0], App):
            found[node.args[0]] = node.hint
    return [(law, hint) for law, hint in found.items() if isinstance(law, App)]


def _weighted(moves: Expectations, law: App, hint: str) -> Move:
    return lambda term: moves.weighted(term, law, hint)
