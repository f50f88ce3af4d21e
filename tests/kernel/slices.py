"""Each step of a certificate as a certificate of its own: what it rests on, and itself as the claim."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import surrogate_calculus as sc
from surrogate_calculus.derive.proof import Proof

__all__ = ["KNOWN", "Certificate", "as_read", "below", "recorded", "slice_of"]

Certificate = dict[str, Any]

#: The fields that a slice may be renumbered with; a certificate with others keeps its whole node table.
KNOWN = {"format", "version", "nodes", "definitions", "dependence", "assumptions", "steps", "claim"}
#: Constructors of which the kernel remembers what they were worked out to be.
_OPERATORS = ("grad", "eval", "stop")


def as_read(certificate: Certificate) -> Certificate:
    """A certificate as it comes from a file."""
    out: Certificate = json.loads(json.dumps(certificate))
    return out


@contextmanager
def recorded() -> Iterator[list[Certificate]]:
    """Collects every certificate that is made, as ``json.loads`` would give it."""
    made: list[Certificate] = []
    certificate = Proof.certificate

    def record(self: Proof, *args: Any, **fields: Any) -> Certificate:
        out = certificate(self, *args, **fields)
        made.append(as_read(out))
        return out

    Proof.certificate = record  # type: ignore[method-assign]
    try:
        yield made
    finally:
        Proof.certificate = certificate  # type: ignore[method-assign]


def needed(certificate: Certificate, step: int) -> list[int]:
    """The steps that a step rests on: its premises, and what was worked out of operators at its operands."""
    nodes, steps = certificate["nodes"], certificate["steps"]
    found, worked_out = {step}, set[tuple[str, int]]()
    for number in range(step, -1, -1):
        _, lhs, rhs, premises = steps[number][:4]
        tag, _, children = nodes[lhs][:3]
        operator = tag in _OPERATORS
        if number not in found and not (operator and (tag, children[0]) in worked_out):
            continue
        found.add(number)
        found.update(premises)
        if operator:
            operand = children[0]
            worked_out |= {(tag, child) for child in nodes[operand][2]}
            if nodes[operand][0] in _OPERATORS:  # ∇ of what ∇A was found to be
                worked_out.add((nodes[operand][0], nodes[operand][2][0]))
                worked_out |= {(tag, nodes[k][2][0]) for k in (rhs,) if nodes[k][0] == tag}
    return sorted(found)


def below(nodes: list[Any], roots: list[int]) -> set[int]:
    """The rows that roots are made of."""
    found: set[int] = set()
    todo = list(roots)
    while todo:
        row = todo.pop()
        if row not in found:
            found.add(row)
            todo.extend(nodes[row][2])
    return found


def slice_of(certificate: Certificate, step: int, whole: bool = False) -> Certificate:
    """A certificate of one step.

    Args:
        certificate: one that replays.
        step: the step, which becomes the claim and the last one.
        whole: keep all steps before it, and all nodes.
    """
    steps, nodes = certificate["steps"], certificate["nodes"]
    kept = list(range(step + 1)) if whole else needed(certificate, step)
    place = {n: k for k, n in enumerate(kept)}
    rows = [[s[0], s[1], s[2], [place[p] for p in s[3]], *s[4:]] for s in (steps[n] for n in kept)]
    out = {**certificate, "steps": rows}
    if not whole and set(certificate) == KNOWN and all(len(s) == 4 for s in rows):
        roots = [n for s in rows for n in s[1:3]]
        for left, _, body, measure, _ in certificate["definitions"]:
            roots += [left, body] if measure is None else [left, body, measure]
        used = sorted(below(nodes, roots))
        at = {n: k for k, n in enumerate(used)}
        out["nodes"] = [[r[0], r[1], [at[c] for c in r[2]], *r[3:]] for r in (nodes[n] for n in used)]
        out["steps"] = [[s[0], at[s[1]], at[s[2]], s[3]] for s in rows]
        out["definitions"] = [
            [at[d[0]], d[1], at[d[2]], None if d[3] is None else at[d[3]], d[4]]
            for d in certificate["definitions"]
        ]
    last = out["steps"][-1]
    out["claim"] = ["=", last[1], last[2]]
    verdict = sc.check(out)
    if not verdict:
        out["claim"] = ["=→", last[1], last[2]]
    return out
