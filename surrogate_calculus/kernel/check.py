"""Replaying a certificate: the only place where a derivation becomes a proof."""

from __future__ import annotations

from typing import Any

from ..language.terms import Grad, Indexed, Sym, Term, postorder
from .calculus import State
from .certificate import LIMITS, fields, read_assumptions, read_nodes, sequence, shown
from .facts import Facts
from .inference import Definition, Inference
from .judgement import Equation, Rejection, Relation, Verdict

__all__ = ["check"]

_FIELDS = ("format", "version", "nodes", "definitions", "assumptions", "steps", "claim")


def check(certificate: object) -> Verdict:
    """Replay a certificate, step by step, from plain data.

    Args:
        certificate: what ``json.loads`` gives for a certificate (see :mod:`.certificate`).

    Returns:
        ``proved`` with the claim and everything it rests on, or ``undecided`` with the reason for which
        the certificate was rejected.  Nothing is believed that is not replayed; an unknown field, rule
        or reference is a reason to reject.
    """
    done = 0
    try:
        data = fields(certificate, _FIELDS)
        state = State(Facts(read_assumptions(data["assumptions"])))
        nodes = read_nodes(data["nodes"], state.store)
        inference = Inference(state, _definitions(data["definitions"], nodes))
        for definition in inference.definitions.values():
            state.define(definition.name, definition.body)
        conclusions: list[Equation] = []
        for row in sequence(data["steps"], "steps", LIMITS["steps"]):
            conclusions.append(_step(row, nodes, conclusions, inference))
            done += 1
        claim = _claim(data["claim"], nodes)
        if not conclusions or conclusions[-1] != claim:
            raise Rejection("the last step does not conclude the claim")
    except Rejection as reason:
        return Verdict("undecided", reason=f"rejected at step {done + 1}: {reason}", steps=done)
    except RecursionError:  # a term nested deeper than any of the language: refuse, do not guess
        return Verdict("undecided", reason=f"rejected at step {done + 1}: nested too deep", steps=done)
    return Verdict(
        "proved",
        claim=claim,
        hypotheses=state.facts.hypotheses,
        definitions=tuple(sorted(inference.used)),
        assumptions=tuple(f"{kind} {name}" for kind, name in state.facts.assumptions),
        steps=done,
    )


def _reference(value: object, items: list[Any], what: str) -> Any:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < len(items):
        raise Rejection(f"there is no {what} {shown(value)}")
    return items[value]


def _step(row: object, nodes: list[Term], conclusions: list[Equation], inference: Inference) -> Equation:
    if not isinstance(row, list) or len(row) != 4 or not isinstance(row[0], str):
        raise Rejection("a step is [rule, left, right, premises]")
    lhs = _reference(row[1], nodes, "node")
    rhs = _reference(row[2], nodes, "node")
    premises = [
        _reference(p, conclusions, "earlier step") for p in sequence(row[3], "premises", LIMITS["steps"])
    ]
    return inference.infer(row[0], lhs, rhs, premises)


def _definitions(rows: object, nodes: list[Term]) -> dict[str, Definition]:
    """The definitions; a body may use earlier names only, so that unfolding ends and proves nothing odd."""
    out: dict[str, Definition] = {}
    rows = sequence(rows, "definitions", LIMITS["nodes"])
    names = [str(row[0]) for row in rows if isinstance(row, list) and row]
    for number, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != 3 or not isinstance(row[0], str) or row[0] in out:
            raise Rejection("a definition is [name, number of indices, node], each name once")
        body = _reference(row[2], nodes, "node")
        if isinstance(row[1], bool) or not isinstance(row[1], int) or body.loose > row[1] or row[1] > 100:
            raise Rejection(f"the definition of {row[0]:.40} has indices that it does not declare")
        later = set(names[number:])
        if any(n.__class__ in (Sym, Indexed) and n.key in later for n in postorder(body)):
            raise Rejection(f"the definition of {row[0]:.40} uses itself or a later one")
        out[row[0]] = Definition(row[0], row[1], body)
    if any(n.__class__ is Grad and n.key in out for n in nodes):
        raise Rejection("a defined name is no parameter of ∇")
    return out


def _claim(row: object, nodes: list[Term]) -> Equation:
    if not isinstance(row, list) or len(row) != 3 or row[0] not in [r.value for r in Relation]:
        raise Rejection("a claim is [relation, left, right]")
    return Equation(Relation(row[0]), _reference(row[1], nodes, "node"), _reference(row[2], nodes, "node"))
