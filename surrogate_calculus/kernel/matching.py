"""Matching a pattern rule against a term, and building its other side.

Metavariables are symbols ``?A``.  One that stands under binders in the pattern matches what stands
under the same binders in the term; where the two sides of a rule put it under a different number of
binders, its value is shifted, and the match fails if the value uses an index that would be lost.
``?A(e)`` on the other side is the value with ``e`` for the index of the binder it stood under.
"""

from __future__ import annotations

from collections.abc import Callable

from ..language.binding import instantiate_all, placed, shift
from ..language.terms import HAS_EXPECT, App, Grad, Store, Sym, Term
from .judgement import Rejection
from .rules import LAW, PARAM

__all__ = ["Substitution", "instance", "match"]

#: What each metavariable stands for, and under how many binders of the pattern; ``?θ`` is a name.
Substitution = dict[str, tuple[Term, int]]


def match(pattern: Term, term: Term, found: Substitution | None = None) -> Substitution | None:
    """The substitution that makes the pattern equal to the term, or None.

    What ``found`` determines already matches anything, and so does ``?A(e)``.  ``∇`` with the parameter
    ``?θ`` and the coordinate ``?k`` matches any ∇, without a coordinate too.
    """
    found = {} if found is None else found
    determined = frozenset(found)
    todo: list[tuple[Term, Term, int]] = [(pattern, term, 0)]
    while todo:
        p, t, depth = todo.pop()
        if name := _metavariable(p):
            free = name in determined or p.__class__ is App
            if not free and not _same(found.setdefault(name, (t, depth)), t, depth):
                return None
            continue
        if p.__class__ is not t.__class__:
            return None
        args = t.args
        if p.key == PARAM:
            parameter = Sym(t.key), 0
            if found.setdefault(PARAM, parameter) != parameter:
                return None
            if p.__class__ is Grad and len(args) < len(p.args):  # no coordinate: scalar parameter
                args = *args, _NONE
        elif p.key != t.key:
            return None
        if len(p.args) != len(args):
            return None
        if p.binds:
            found.setdefault("?hint", (Sym(t.hint), 0))  # type: ignore[attr-defined]
        todo.extend((a, b, depth + k) for a, b, k in zip(p.args, args, _binds(p), strict=True))
    return found


#: Stands for the coordinate that a ∇ does not have.
_NONE = Sym("?none")


def _metavariable(p: Term) -> str:
    """The name of a metavariable, ``?A`` or ``?A(e)``; empty for any other term."""
    name = p.key if p.__class__ is Sym else p.key[0] if p.__class__ is App else ""
    return str(name) if name.startswith("?") else ""


def _binds(p: Term) -> tuple[int, ...]:
    return p.binds or (0,) * len(p.args)


def _same(before: tuple[Term, int], term: Term, depth: int) -> bool:
    """Whether a value found under some binders is the term under more or fewer of them."""
    try:
        return shift(before[0], depth - before[1]) == term
    except ValueError:
        return False


def instance(
    pattern: Term,
    found: Substitution,
    store: Store,
    random: Callable[[Term], bool] = lambda term: False,
    *,
    free: bool = False,
) -> Term:
    """The pattern with its metavariables replaced, by terms of the store; in the store.

    Args:
        pattern: a side of a rule, or a condition.
        found: what its metavariables stand for.
        store: where the result goes.
        random: whether a drawn family occurs in a term: it may not become an index under 𝔼.
        free: the pattern stands by itself (a side condition), under as many binders as its
            metavariables did, which it says something of for every value of their indices.

    Raises:
        Rejection: a value uses an index that does not exist where the pattern puts it, or the
            pattern has a metavariable without a value.
    """

    def build(p: Term, depth: int) -> Term:  # recursion to the depth of a rule, not of a term
        args = [build(a, depth + k) for a, k in zip(p.args, _binds(p), strict=True)]
        if name := _metavariable(p):
            return applied(name, args, depth)
        key = p.key
        if key == PARAM:
            key = found[PARAM][0].key
            if args[-1] == _NONE:
                args.pop()
        hint = found["?hint"][0].key if p.binds and "?hint" in found else getattr(p, "hint", None)
        return store.node(p.__class__, key, tuple(args), hint)

    def applied(name: str, indices: list[Term], depth: int) -> Term:
        if name not in found:
            raise Rejection(f"nothing determines {name}")
        value, at = found[name]
        if value.flags & HAS_EXPECT and any(map(random, indices)):
            raise Rejection("an index that is drawn may not be put under 𝔼")
        own = len(indices) or int(name.startswith(LAW))  # a law keeps the index that it is the law of
        by = depth + len(indices) - at  # the other indices belong to binders of the pattern outside
        if not by and not indices:
            return value
        try:
            return store.add(instantiate_all(shift(value, by, cutoff=own), indices))
        except ValueError:
            raise Rejection(f"{name} uses a bound index that it would lose") from None

    metas = (
        (found[p.key][1], depth) for p, depth in placed(pattern) if p.__class__ is Sym and p.key in found
    )
    return build(pattern, max((at - depth for at, depth in metas), default=0) if free else 0)
