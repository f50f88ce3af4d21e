"""Replaying a certificate: the only place where a derivation becomes a proof."""

from __future__ import annotations

from ..language.nodes import LIMITS, Malformed, a_name, integer, read_nodes, reference, sequence
from ..language.terms import CondExpect, Expect, Grad, Grads, Sym, Term
from .calculus import State
from .certificate import fields, read_assumptions, read_dependence
from .definitions import read_definitions
from .facts import Facts
from .filtration import Draw
from .inference import Inference
from .judgement import Equation, Hypothesis, Rejection, Relation, Verdict

__all__ = ["check"]

_FIELDS = (
    "format", "version", "nodes", "definitions", "dependence", "assumptions", "samples", "steps", "claim",
)  # fmt: skip


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
        inference.sample(_samples(data["samples"], nodes))
        for node in nodes:
            if node.__class__ in (Expect, CondExpect) and any(map(state.bare, node.args)):
                raise Rejection("⊥ outside every → under 𝔼")
            if node.__class__ in (Grad, Grads) and node.key in inference.filtration.names:
                raise Rejection("what is drawn is no parameter of ∇")
        conclusions: list[Equation] = []
        for row in sequence(data["steps"], "steps", LIMITS["steps"]):
            conclusions.append(_step(row, nodes, conclusions, inference))
            done += 1
        claim = _claim(data["claim"], nodes)
        last = conclusions[-1] if conclusions else None
        if last is None or Equation(last.relation, last.lhs, last.rhs) != claim:
            raise Rejection("the last step does not conclude the claim")
    except (Rejection, Malformed) as reason:
        return Verdict("undecided", reason=f"rejected at step {done + 1}: {reason}", steps=done)
    except (RecursionError, MemoryError):  # larger than any of the language: refuse, do not guess
        return Verdict("undecided", reason=f"rejected at step {done + 1}: nested too deep", steps=done)
    return Verdict(
        "proved",
        claim=claim,
        hypotheses=(*state.facts.hypotheses, *(Hypothesis(c.kind, c.term) for c in last.where)),
        axioms=tuple(sorted(last.given, key=lambda s: (str(s.relation), hash(s.lhs)))),
        definitions=tuple(sorted(inference.used)),
        assumptions=(
            *(f"{kind} {name}" for kind, name in state.facts.assumptions),
            *(f"draw {row.left.key}" for row in inference.filtration.rows),
        ),
        steps=done,
    )


def _step(row: object, nodes: list[Term], conclusions: list[Equation], inference: Inference) -> Equation:
    if not isinstance(row, list) or len(row) not in (4, 5) or not isinstance(row[0], str):
        raise Rejection("a step is [rule, left, right, premises] or has a detail behind")
    lhs = reference(row[1], nodes, "node")
    rhs = reference(row[2], nodes, "node")
    premises = [
        reference(p, conclusions, "earlier step") for p in sequence(row[3], "premises", LIMITS["steps"])
    ]
    detail = []
    for entry in sequence(row[4], "a detail", LIMITS["args"]) if len(row) == 5 else ():
        name, arity, term = sequence(entry, "an entry of a detail", 3, exactly=True)
        slots = integer(arity, 100, "a number of slots")
        detail.append((a_name(name, "a name"), slots, reference(term, nodes, "node")))
    return inference.infer(row[0], lhs, rhs, premises, detail)


def _samples(rows: object, nodes: list[Term]) -> list[Draw]:
    out = []
    for row in sequence(rows, "samples", LIMITS["args"]):
        left, arity, law, first = sequence(row, "a draw", 4, exactly=True)
        start = None if first is None else reference(first, nodes, "node")
        slots = integer(arity, 9, "a number of indices")
        how = None if law is None else reference(law, nodes, "node")
        out.append(Draw(reference(left, nodes, "node"), slots, how, start))
    return out


def _claim(row: object, nodes: list[Term]) -> Equation:
    if not isinstance(row, list) or len(row) != 3 or row[0] not in [r.value for r in Relation]:
        raise Rejection("a claim is [relation, left, right]")
    return Equation(Relation(row[0]), reference(row[1], nodes, "node"), reference(row[2], nodes, "node"))
