"""Definitions of a certificate: read, and seen to define something.

They come in groups.  A body may use the names of earlier groups freely, and those of its own group only
as a recursion that ends.  Each member of a recursive group has a *measure*, a whole number made of its
indices; a member is *guarded* if its body is ``cases(measure > 0: …, else: …)``.  A member may use

* in its first branch: any member at a smaller measure, an earlier one at the same measure;
* in its other branch (where nothing is left to decrease): earlier members at the same measure, if these
  look nowhere further back;
* without a guard: members at a smaller measure that are guarded or look nowhere further back, earlier
  members at the same measure.

Then each value is determined: by the measure, then the place in the group.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from ..language.binding import instantiate, shift
from ..language.nodes import LIMITS, integer, reference, sequence
from ..language.terms import Add, App, Bound, Fn, Grad, Grads, Indexed, Mul, Num, Sym, Term, postorder
from .facts import Facts
from .inference import Definition, head
from .judgement import Rejection
from .polynomial import Ring

__all__ = ["check_group", "guard", "read_definitions"]


def read_definitions(rows: object, nodes: Sequence[Term], facts: Facts) -> list[list[Definition]]:
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
    laws: set[str] = set()  # functions that this group or a later one defines along a path
    heads: set[tuple[Any, ...]] = set()
    for group_of in reversed(groups):
        names = {d.name for d in group_of if d.left.__class__ is not App}
        laws |= {d.name for d in group_of if d.left.__class__ is App}
        for d in group_of:
            _check_shape(d, laws)
            if head(d.left) in heads:
                raise Rejection(f"{d.name:.40} is defined twice")
            heads.add(head(d.left))
            used = {n.key for n in postorder(d.body) if n.__class__ in (Sym, Indexed)}
            if used & later or (d.measure is None and (used & names or len(group_of) > 1)):
                raise Rejection(f"the definition of {d.name:.40} uses itself or a later one")
        if group_of[0].measure is not None:
            check_group(group_of)
        later |= names
    if later & facts.counts:
        raise Rejection("what is assumed to be a count is defined")
    if any(n.__class__ in (Grad, Grads) and n.key in later | facts.indices for n in nodes):
        raise Rejection("a defined name or a whole number is no parameter of ∇")
    return groups


def _check_shape(d: Definition, laws: Collection[str]) -> None:
    """See that a definition is of a name, of a family at any indices, or of a function along a path.

    A path ``x[1:T]`` is a thing of its own: it stands only as an argument of functions, and a function along
    a path is not defined by itself along a path.

    Raises:
        Rejection: it is not.
    """
    left, cls, slots = d.left, d.left.__class__, d.left.args
    if cls is App:
        inner = [n for slot in slots if slot.__class__ is Indexed for n in postorder(*slot.args)]
        known = any(map(_path, slots)) and all(s.__class__ in (Bound, Indexed, Sym) for s in slots)
        known = known and not left.key[4] and all(n.__class__ is Bound or _slice(n) for n in inner)
    else:
        known = cls in (Sym, Indexed) and slots == tuple(map(Bound, reversed(range(d.arity))))
    parts = [left, d.body] if d.measure is None else [left, d.body, d.measure]
    if not known or any(part.loose > d.arity for part in parts):
        raise Rejection(f"the definition of {d.name:.40} has indices that it does not declare")
    for n in postorder(d.body):
        along = any(map(_path, n.args)) and (n.__class__ is not App or n.key[0] in laws)
        if along or (n.__class__ is not Indexed and any(map(_slice, n.args))):
            raise Rejection(f"the definition of {d.name:.40} uses a path as a number")
    if _path(d.body) or _slice(d.body):
        raise Rejection(f"the definition of {d.name:.40} is a path")


def _slice(term: Term) -> bool:
    return term.__class__ is Fn and term.key == "slice"


def _path(term: Term) -> bool:
    return term.__class__ is Indexed and any(map(_slice, term.args))


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
    looking: list[tuple[str, str]] = []  # uses without a guard at a smaller measure
    for place, d in enumerate(group):
        if d.measure is None or d.left.__class__ is not Indexed:
            raise Rejection(f"{d.name:.40} stands in a recursion and has no measure")
        if any(
            n.__class__ not in (Add, Bound, Mul, Num, Sym) or n.key in members for n in postorder(d.measure)
        ):
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
                if d.name in guarded and (drop > 0 or other.name not in resting):
                    raise Rejection(f"the base case of {d.name:.40} looks further back")
                if drop > 0:
                    looking.append((d.name, other.name))
                rests = rests and drop == 0 and other.name in resting
        if rests or d.name in guarded:
            resting.add(d.name)
    for name, used in looking:
        if used not in resting:
            raise Rejection(f"{name:.40} has no base case")


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
