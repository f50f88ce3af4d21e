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
KNOWN = {
    "format", "version", "nodes", "definitions", "dependence", "assumptions", "samples", "steps", "claim"
}  # fmt: skip
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
    steps = certificate["steps"]
    kept = list(range(step + 1)) if whole else needed(certificate, step)
    place = {n: k for k, n in enumerate(kept)}
    rows = [[s[0], s[1], s[2], [place[p] for p in s[3]], *s[4:]] for s in (steps[n] for n in kept)]
    out = {**certificate, "steps": rows}
    if not whole and set(certificate) <= KNOWN:
        _renumber(out)
    last = out["steps"][-1]
    out["claim"] = ["=", last[1], last[2]]
    verdict = sc.check(out)
    if not verdict:
        out["claim"] = ["=→", last[1], last[2]]
    return out


def _renumber(certificate: Certificate) -> None:
    """Leave out the nodes that nothing uses."""
    nodes, tables = certificate["nodes"], ("definitions", "samples")
    roots = [n for s in certificate["steps"] for n in (*s[1:3], *(e[2] for d in s[4:] for e in d))]
    # of a definition: left, arity, body, measure, group; of a draw: left, arity, law, first time
    roots += [
        row[k] for t in tables for row in certificate.get(t, ()) for k in (0, 2, 3) if row[k] is not None
    ]
    used = sorted(below(nodes, roots))
    at: dict[Any, Any] = {n: k for k, n in enumerate(used)} | {None: None}
    certificate["nodes"] = [[r[0], r[1], [at[c] for c in r[2]], *r[3:]] for r in (nodes[n] for n in used)]
    certificate["steps"] = [
        [s[0], at[s[1]], at[s[2]], s[3], *([[e[0], e[1], at[e[2]]] for e in d] for d in s[4:])]
        for s in certificate["steps"]
    ]
    for table in tables:
        if table in certificate:
            rows = certificate[table]
            certificate[table] = [[at[r[0]], r[1], at[r[2]], at[r[3]], *r[4:]] for r in rows]
