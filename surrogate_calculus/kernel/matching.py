"""Matching a pattern rule against a term, and building its other side.

Metavariables are symbols ``?A``.  One that stands under binders in the pattern matches what stands
under the same binders in the term; where the two sides of a rule put it under a different number of
binders, its value is shifted, and the match fails if the value uses an index that would be lost.
``?A(e)`` on the other side is the value with ``e`` for the index of the binder it stood under.
"""

from __future__ import annotations

from collections.abc import Callable

from ..language.binding import instantiate, shift
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
        if p.__class__ is Sym and p.key.startswith("?"):
            before = found.get(p.key)
            if p.key in determined:
                continue
            if before is None:
                found[p.key] = (t, depth)
            elif not _same(before, t, depth):
                return None
            continue
        if p.__class__ is App and p.key[0].startswith("?"):
            continue
        if p.__class__ is not t.__class__:
            return None
        if p.key == PARAM:
            name = (Sym(t.key), 0)
            if found.setdefault(PARAM, name) != name:
                return None
            if p.__class__ is Grad and len(t.args) < len(p.args):  # no coordinate: scalar parameter
                if found.setdefault("?k", (Sym("?none"), 0)) != (Sym("?none"), 0):
                    return None
                todo.append((p.args[0], t.args[0], depth))
                continue
        elif p.key != t.key:
            return None
        if p.binds:
            found.setdefault("?hint", (Sym(t.hint), 0))  # type: ignore[attr-defined]
        if len(p.args) != len(t.args):
            return None
        binds = p.binds or (0,) * len(p.args)
        todo.extend((a, b, depth + k) for a, b, k in zip(p.args, t.args, binds, strict=True))
    return found


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
        if p.__class__ is Sym and p.key.startswith("?"):
            if p.key not in found:
                raise Rejection(f"nothing determines {p.key}")
            value, at = found[p.key]
            if depth == at:
                return value
            try:  # a law keeps the index that it is the law of
                return store.add(shift(value, depth - at, cutoff=int(p.key.startswith(LAW))))
            except ValueError:
                raise Rejection(f"{p.key} uses a bound index that it would lose") from None
        binds = p.binds
        if binds:
            args = [build(a, depth + k) for a, k in zip(p.args, binds, strict=True)]
        else:
            args = [build(a, depth) for a in p.args]
        key = p.key
        if p.__class__ is App and key[0].startswith("?"):
            return applied(key[0], args, depth)
        if key == PARAM:
            key = found[PARAM][0].key
            if args[-1] == Sym("?none"):
                args.pop()
        hint = found["?hint"][0].key if binds and "?hint" in found else getattr(p, "hint", None)
        return store.node(p.__class__, key, tuple(args), hint)

    def applied(name: str, indices: list[Term], depth: int) -> Term:
        if name not in found:
            raise Rejection(f"nothing determines {name}")
        value, at = found[name]
        if value.flags & HAS_EXPECT and any(map(random, indices)):
            raise Rejection("an index that is drawn may not be put under 𝔼")
        outside = at - len(indices)  # how many binders of the pattern its other indices belong to
        try:
            if indices:
                value = shift(value, depth - outside, cutoff=len(indices))
                for position in range(len(indices) - 1, -1, -1):
                    value = instantiate(value, shift(indices[position], position))
            else:
                value = shift(value, depth - at)
        except ValueError:
            raise Rejection(f"{name} uses a bound index that it would lose") from None
        return store.add(value)

    if not free:
        return build(pattern, 0)

    def outside(p: Term, depth: int) -> int:
        """How many binders around the pattern its metavariables want."""
        if p.__class__ is Sym and p.key in found:
            return found[p.key][1] - depth
        inner = zip(p.args, p.binds or (0,) * len(p.args), strict=True)
        return max((outside(a, depth + k) for a, k in inner), default=0)

    return build(pattern, outside(pattern, 0))
