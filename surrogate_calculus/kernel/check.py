"""Replaying a certificate: the only place where a derivation becomes a proof."""

from __future__ import annotations

from ..language.budget import TooMuch, bounded
from ..language.nodes import (
    LIMITS,
    Malformed,
    a_name,
    item_of,
    list_of,
    number_below,
    one_of,
    or_none,
    read_nodes,
    row_of,
    sequence,
)
from ..language.terms import CondExpect, Expect, Grad, Grads, Sym
from .certificate import fields, read_assumptions
from .definitions import grouped
from .facts import Facts
from .inference import Inference
from .judgement import Definition, Draw, Equation, Rejection, Relation, Verdict
from .rules import RULES
from .state import State

__all__ = ["check"]

_FIELDS = (
    "format", "version", "nodes", "definitions", "dependence", "assumptions", "samples", "steps", "claim",
)  # fmt: skip


@bounded
def check(certificate: object) -> Verdict:
    """Replay a certificate, step by step, from plain data.

    Args:
        certificate: what ``json.loads`` gives for a certificate (see :mod:`.certificate`).

    Returns:
        ``proved`` with the claim and everything it rests on, or ``undecided`` with the reason for which
        the certificate was rejected.  Nothing is believed that is not replayed; an unknown field, rule
        or reference is a reason to reject.
    """
    conclusions: list[Equation] = []
    try:
        data = fields(certificate, _FIELDS)
        state = State(Facts(read_assumptions(data["assumptions"])))
        nodes = read_nodes(data["nodes"], state.store)
        inference = Inference(state)
        # how the tables are read
        node, slots = item_of(nodes, "node"), number_below(100, "a number of slots")
        dependence = row_of("a dependence", a_name, list_of(lambda name: Sym(a_name(name)), "names"))
        group = number_below(LIMITS["nodes"], "a group")
        definition = row_of("a definition", node, slots, node, or_none(node), group)
        draw = row_of("a draw", node, number_below(9, "a number of indices"), or_none(node), or_none(node))
        premises = list_of(item_of(conclusions, "earlier step"), "premises")
        told = list_of(row_of("an entry of a detail", a_name, slots, node), "a detail")
        step = (one_of(RULES, "rule"), node, node, premises)
        brief, detailed = row_of("a step", *step), row_of("a step", *step, told)

        state.define(list_of(dependence, "dependence")(data["dependence"]))
        definitions = [Definition(*row) for row in list_of(definition, "definitions")(data["definitions"])]
        for members in grouped(definitions, nodes, state.facts):
            state.declare(members)
        inference.sample([Draw(*row) for row in list_of(draw, "samples")(data["samples"])])
        if any(n.__class__ in (Expect, CondExpect) and any(map(state.bare, n.args)) for n in nodes):
            raise Rejection("⊥ outside every → under 𝔼")
        if any(n.__class__ in (Grad, Grads) and n.key in inference.filtration.names for n in nodes):
            raise Rejection("what is drawn is no parameter of ∇")
        for row in sequence(data["steps"], "steps", LIMITS["steps"]):
            read = detailed if isinstance(row, list) and len(row) == 5 else brief
            conclusions.append(inference.infer(*read(row)))
        kind, lhs, rhs = row_of("a claim", one_of(list(Relation), "relation"), node, node)(data["claim"])
        claim = Equation(Relation(kind), lhs, rhs)
        last = conclusions[-1] if conclusions else None
        if last is None or Equation(last.relation, last.lhs, last.rhs) != claim:
            raise Rejection("the last step does not conclude the claim")
    except (Rejection, Malformed, TooMuch, RecursionError, MemoryError) as reason:
        # a term larger than any of the language: refuse, do not guess
        why = "nested too deep" if isinstance(reason, RecursionError | MemoryError) else reason
        done = len(conclusions)
        return Verdict("undecided", reason=f"rejected at step {done + 1}: {why}", steps=done)
    return Verdict(
        "proved",
        claim=claim,
        hypotheses=(*state.facts.hypotheses, *last.where),
        axioms=tuple(sorted(last.given, key=lambda s: (str(s.relation), hash(s.lhs)))),
        definitions=tuple(sorted(inference.used)),
        assumptions=(
            *(f"{kind} {name}" for kind, name in state.facts.assumptions),
            *(f"draw {row.left.key}" for row in inference.filtration.rows),
        ),
        steps=len(conclusions),
    )
