"""Definitions of a certificate: seen to define something.

They come in groups.  A body may use the names of earlier groups freely, and those of its own group only
as a recursion that ends.  Each member of a recursive group has a *measure*, a whole number made of its
indices; a member is *guarded* if its body is ``cases(measure > 0: …, else: …)``.  A recursion ends if

* where the measure is > 0, each use of a member is at a measure that is smaller by a whole number ≥ 1, or at
  the same one of a member earlier in the group: so for uses in the first branch of a guarded member, and in
  the body of one without a guard;
* where it is ≤ 0, no use increases the measure, and no chain of uses comes back to the same member: so for
  uses in the other branch of a guarded member, and in the body of one without a guard.

For from a measure m > 0 finitely many uses lead to one ≤ 0, where it stays, and from there each use leads on
along a graph without cycles.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from ..language.binding import instantiate_all, placed, shift
from ..language.terms import Add, App, Bound, Grad, Grads, Indexed, Mul, Num, Sym, Term, postorder
from .facts import Facts
from .judgement import Definition, Rejection, along_path, head, is_slice
from .matching import match
from .polynomial import Ring
from .rules import GUARDED

__all__ = ["check_group", "grouped"]


def grouped(definitions: Sequence[Definition], nodes: Sequence[Term], facts: Facts) -> list[list[Definition]]:
    """The groups of the definitions of a certificate, seen to define something.

    Raises:
        Rejection: what is no definition, a name defined twice or used before its group, a recursion that need
            not end.
    """
    groups = [list(group) for _, group in groupby(definitions, key=lambda d: d.group)]
    if [group[0].group for group in groups] != list(range(len(groups))):
        raise Rejection("the groups of definitions are not in order")
    if len({head(d.left) for d in definitions}) < len(definitions):
        raise Rejection("a name is defined twice")
    later: set[str] = set()
    laws: set[str] = set()  # functions that this group or a later one defines along a path
    for group in reversed(groups):
        names = {d.name for d in group if d.left.__class__ is not App}
        laws |= {d.name for d in group if d.left.__class__ is App}
        for d in group:
            _check_shape(d, laws)
            used = {n.key for n in postorder(d.body) if n.__class__ in (Sym, Indexed)}
            if used & later or (d.measure is None and (used & names or len(group) > 1)):
                raise Rejection(f"the definition of {d.name:.40} uses itself or a later one")
        if group[0].measure is not None:
            check_group(group)
        later |= names
    if later & facts.counts:
        raise Rejection("what is assumed to be a count is defined")
    if any(n.__class__ in (Grad, Grads) and n.key in later | facts.indices for n in nodes):
        raise Rejection("a defined name or a whole number is no parameter of ∇")
    return groups


def _check_shape(d: Definition, laws: set[str]) -> None:
    """See that a definition is of a name, of a family at any indices, or of a function along a path.

    A path ``x[1:T]`` is a thing of its own: it stands only as an argument of functions, and a function along
    a path is not defined by itself along a path.

    Raises:
        Rejection: it is not.
    """
    left, slots = d.left, d.left.args
    if left.__class__ is App:
        inner = [n for slot in slots if slot.__class__ is Indexed for n in postorder(*slot.args)]
        known = any(map(along_path, slots)) and all(s.__class__ in (Bound, Indexed, Sym) for s in slots)
        known = known and not left.key[4] and all(n.__class__ is Bound or is_slice(n) for n in inner)
    else:
        known = left.__class__ in (Sym, Indexed) and slots == tuple(map(Bound, reversed(range(d.arity))))
    if not known or any(part.loose > d.arity for part in (left, d.body, d.measure or left)):
        raise Rejection(f"the definition of {d.name:.40} has indices that it does not declare")
    for n in postorder(d.body):
        along = any(map(along_path, n.args)) and (n.__class__ is not App or n.key[0] in laws)
        if along or (n.__class__ is not Indexed and any(map(is_slice, n.args))):
            raise Rejection(f"the definition of {d.name:.40} uses a path as a number")
    if along_path(d.body) or is_slice(d.body):
        raise Rejection(f"the definition of {d.name:.40} is a path")


def check_group(group: Sequence[Definition]) -> None:
    """See that a recursion ends.

    Raises:
        Rejection: it need not.
    """
    places = {d.name: place for place, d in enumerate(group)}
    below: dict[str, set[str]] = {}  # the members that each uses where the measure may be ≤ 0
    for d in group:
        if d.measure is None or d.left.__class__ is not Indexed:
            raise Rejection(f"{d.name:.40} stands in a recursion and has no measure")
        if any(
            n.__class__ not in (Add, Bound, Mul, Num, Sym) or n.key in places for n in postorder(d.measure)
        ):
            raise Rejection("a measure is made of indices")
        found = match(GUARDED, d.body)
        guarded = found is not None and found["?A"][0] == d.measure
        for position, branch in enumerate(d.body.args[1:] if guarded else (d.body,)):
            first = guarded and position == 0
            for use, depth in placed(branch):
                if use.__class__ not in (Sym, Indexed) or use.key not in places:
                    continue
                other = group[places[use.key]]
                drop = _drop(d, other, use, depth)
                smaller = drop > 0 or (drop == 0 and places[use.key] < places[d.name])
                if drop < 0 or (not smaller and (first or not guarded)):
                    raise Rejection(f"{d.name:.40} uses {other.name:.40} at no smaller measure")
                if not first:
                    below.setdefault(d.name, set()).add(other.name)
    while below:
        ending = [name for name, used in below.items() if not used & below.keys()]
        if not ending:
            raise Rejection(f"{min(below):.40} has no base case")
        below = {name: used for name, used in below.items() if name not in ending}


def _drop(d: Definition, other: Definition, use: Term, depth: int) -> int:
    """By how much the measure decreases at a use of another member.

    Raises:
        Rejection: by no fixed whole number.
    """
    if head(other.left) != head(use) or d.measure is None or other.measure is None:
        raise Rejection(f"{other.name:.40} is used with other indices than it is defined with")
    target = instantiate_all(other.measure, use.args)
    difference = Ring(Facts()).difference(shift(d.measure, depth), target)
    if list(difference) not in ([], [()]) or difference.get((), 0).denominator != 1:
        raise Rejection(f"nothing says that {d.name:.40} uses {other.name:.40} at a smaller measure")
    return int(difference.get((), 0))
