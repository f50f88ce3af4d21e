"""Replaying a certificate: the only place where a derivation becomes a proof."""

from __future__ import annotations

from dataclasses import replace

from ..language.nodes import LIMITS, Malformed, read_nodes, reference, sequence
from ..language.terms import Sym, Term
from .calculus import State
from .certificate import fields, read_assumptions, read_dependence
from .definitions import read_definitions
from .facts import Facts
from .inference import Inference
from .judgement import Equation, Hypothesis, Rejection, Relation, Verdict

__all__ = ["check"]

_FIELDS = ("format", "version", "nodes", "definitions", "dependence", "assumptions", "steps", "claim")


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
        inference = Inference(state)
        for name, others in read_dependence(data["dependence"]):
            state.define([name], [Sym(other) for other in others])
        for group in read_definitions(data["definitions"], nodes, state.facts):
            inference.declare(group)
        conclusions: list[Equation] = []
        for row in sequence(data["steps"], "steps", LIMITS["steps"]):
            conclusions.append(_step(row, nodes, conclusions, inference))
            done += 1
        claim = _claim(data["claim"], nodes)
        if not conclusions or replace(conclusions[-1], where=frozenset(), whole=False) != claim:
            raise Rejection("the last step does not conclude the claim")
    except (Rejection, Malformed) as reason:
        return Verdict("undecided", reason=f"rejected at step {done + 1}: {reason}", steps=done)
    except RecursionError:  # a term nested deeper than any of the language: refuse, do not guess
        return Verdict("undecided", reason=f"rejected at step {done + 1}: nested too deep", steps=done)
    return Verdict(
        "proved",
        claim=claim,
        hypotheses=(*state.facts.hypotheses, *(Hypothesis(c.kind, c.term) for c in conclusions[-1].where)),
        definitions=tuple(sorted(inference.used)),
        assumptions=tuple(f"{kind} {name}" for kind, name in state.facts.assumptions),
        steps=done,
    )


def _step(row: object, nodes: list[Term], conclusions: list[Equation], inference: Inference) -> Equation:
    if not isinstance(row, list) or len(row) != 4 or not isinstance(row[0], str):
        raise Rejection("a step is [rule, left, right, premises]")
    lhs = reference(row[1], nodes, "node")
    rhs = reference(row[2], nodes, "node")
    premises = [
        reference(p, conclusions, "earlier step") for p in sequence(row[3], "premises", LIMITS["steps"])
    ]
    return inference.infer(row[0], lhs, rhs, premises)


def _claim(row: object, nodes: list[Term]) -> Equation:
    if not isinstance(row, list) or len(row) != 3 or row[0] not in [r.value for r in Relation]:
        raise Rejection("a claim is [relation, left, right]")
    return Equation(Relation(row[0]), reference(row[1], nodes, "node"), reference(row[2], nodes, "node"))
