"""Definitions of a certificate: read, and seen to define something.

They come in groups.  A body may use the names of earlier groups freely, and those of its own group only
as a recursion that ends.  Each member of a recursive group has a *measure*, a whole number made of its
indices; a member is *guarded* if its body is ``cases(measure > 0: …, else: …)``.  A member may use

* in its first branch: any member at a smaller measure, an earlier one at the same measure;
* in its other branch (where nothing is left to decrease): earlier members at the same measure, if these
  look nowhere further back;
* without a guard: guarded members at a smaller measure, earlier members at the same.

Then each value is determined: by the measure, then the place in the group.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..language.binding import instantiate, shift
from ..language.terms import Bound, Fn, Grad, Indexed, Num, Sym, Term, postorder
from .certificate import LIMITS, integer, reference, sequence
from .facts import Facts
from .inference import Definition, head
from .judgement import Rejection
from .polynomial import Ring

__all__ = ["check_group", "guard", "read_definitions"]


def read_definitions(rows: object, nodes: Sequence[Term]) -> list[list[Definition]]:
    """The groups of definitions of a certificate.

    Raises:
        Rejection: a row that is no definition, a name defined twice or used before its group, a recursion
            that need not end.
    """
    groups: list[list[Definition]] = []
    for row in sequence(rows, "definitions", LIMITS["nodes"]):
        left, arity, body, measure, group = sequence(row, "a definition", 5, exactly=True)
        definition = Definition(
            reference(left, nodes, "node"),
            integer(arity, 100, "a number of indices"),
            reference(body, nodes, "node"),
            None if measure is None else reference(measure, nodes, "node"),
            integer(group, len(groups) + 1, "a group"),
        )
        if definition.group == len(groups):
            groups.append([])
        elif definition.group != len(groups) - 1:
            raise Rejection("the groups of definitions are not in order")
        groups[-1].append(definition)
    later: set[str] = set()
    heads: set[tuple[Any, ...]] = set()
    for group_of in reversed(groups):
        names = {str(d.name) for d in group_of}
        for d in group_of:
            if head(d.left) in heads:
                raise Rejection(f"{d.name:.40} is defined twice")
            heads.add(head(d.left))
            used = {n.key for n in postorder(d.body) if n.__class__ in (Sym, Indexed)}
            if used & later or (d.measure is None and (used & names or len(group_of) > 1)):
                raise Rejection(f"the definition of {d.name:.40} uses itself or a later one")
        if group_of[0].measure is not None:
            check_group(group_of)
        later |= names
    if any(n.__class__ is Grad and n.key in later for n in nodes):
        raise Rejection("a defined name is no parameter of ∇")
    return groups


def guard(definition: Definition) -> bool:
    """Whether the body is ``cases(measure > 0: …, else: …)``."""
    body = definition.body
    condition = body.args[0] if body.__class__ is Fn and body.key == "cases" else body
    return (
        condition.__class__ is Fn
        and condition.key == "gt"
        and condition.args[0] == definition.measure
        and condition.args[1] == Num(0)
    )


def check_group(group: Sequence[Definition]) -> None:
    """See that a recursion ends.

    Raises:
        Rejection: it need not.
    """
    members = {d.name: (place, d) for place, d in enumerate(group)}
    guarded = {d.name for d in group if guard(d)}
    resting: set[str] = set()  # members that look no further back where nothing is left to decrease
    for place, d in enumerate(group):
        if d.measure is None or d.left.__class__ is not Indexed:
            raise Rejection(f"{d.name:.40} stands in a recursion and has no measure")
        if any(n.__class__ not in (Bound, Num, Sym) and not n.args for n in postorder(d.measure)):
            raise Rejection("a measure is made of indices")
        branches = [(d.body, False)]
        if d.name in guarded:
            branches = [(d.body.args[1], True), (d.body.args[2], False)]
        rests = True
        for branch, first in branches:
            for node, depth in _uses(branch, members):
                other_place, other = members[node.key]
                drop = _drop(d, other, node, depth)
                if drop < 0 or (drop == 0 and other_place >= place):
                    raise Rejection(f"{d.name:.40} uses {other.name:.40} at no smaller measure")
                if first:
                    continue
                if drop > 0 and (d.name in guarded or other.name not in guarded):
                    raise Rejection(f"{d.name:.40} has no base case")
                if d.name in guarded and other.name not in resting:
                    raise Rejection(f"the base case of {d.name:.40} looks further back")
                rests = rests and drop == 0 and other.name in resting
        if rests or d.name in guarded:
            resting.add(d.name)


def _uses(root: Term, members: dict[str, Any]) -> list[tuple[Term, int]]:
    """Where members of the group occur, each with the number of binders that it stands under."""
    out: list[tuple[Term, int]] = []
    seen: set[tuple[int, int]] = set()
    todo = [(root, 0)]
    while todo:
        node, depth = todo.pop()
        if (id(node), depth) in seen:
            continue
        seen.add((id(node), depth))
        if node.__class__ in (Sym, Indexed) and node.key in members:
            out.append((node, depth))
        binds = node.binds or (0,) * len(node.args)
        todo.extend((a, depth + k) for a, k in zip(node.args, binds, strict=True))
    return out


def _drop(d: Definition, other: Definition, use: Term, depth: int) -> int:
    """By how much the measure decreases at a use of another member.

    Raises:
        Rejection: by no fixed whole number.
    """
    if head(other.left) != head(use) or d.measure is None or other.measure is None:
        raise Rejection(f"{other.name:.40} is used with other indices than it is defined with")
    target = other.measure
    for position in range(other.arity - 1, -1, -1):
        target = instantiate(target, shift(use.args[position], position))
    difference = Ring(Facts()).difference(shift(d.measure, depth), target)
    if list(difference) not in ([], [()]) or difference.get((), 0).denominator != 1:
        raise Rejection(f"nothing says that {d.name:.40} uses {other.name:.40} at a smaller measure")
    return int(difference.get((), 0))
