"""Binders: shifting, instantiating, abstracting, substituting; never a capture.

Bound indices are de Bruijn indices (see :class:`~surrogate_calculus.language.terms.Bound`), so
that a term put under a binder has its loose indices *shifted* and can never be captured.  All
walks are memoised by (node, number of binders crossed) and iterative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from .budget import charge
from .terms import App, Bound, Indexed, Sym, Term, postorder, rebuild

__all__ = [
    "abstract",
    "free_names",
    "instantiate",
    "instantiate_all",
    "placed",
    "put_functions",
    "replace_nodes",
    "shift",
    "substitute",
    "uses_index",
]


def map_under_binders(
    root: Term,
    leaf: Callable[[Term, int], Term | None],
    skip: Callable[[Term, int], bool],
) -> Term:
    """Rebuild ``root`` bottom-up, telling ``leaf`` how many binders each node stands under.

    ``leaf(node, depth)`` is asked with the *original* node and returns its replacement, or None to
    rebuild the node from its children.  ``skip(node, depth)`` says that nothing changes inside.
    """
    done: dict[tuple[int, int], Term] = {}
    todo: list[tuple[Term, int, bool]] = [(root, 0, False)]
    while todo:
        node, depth, ready = todo.pop()
        place = (id(node), depth)
        binds = node.binds
        if ready:
            if binds:
                args = tuple(done[id(a), depth + b] for a, b in zip(node.args, binds, strict=True))
            else:
                args = tuple(done[id(a), depth] for a in node.args)
            done[place] = rebuild(node, args)
            continue
        if place in done:
            continue
        charge(4)  # what is remembered of a place is large
        if skip(node, depth):
            done[place] = node
            continue
        replacement = leaf(node, depth)
        if replacement is not None:
            done[place] = replacement
            continue
        todo.append((node, depth, True))
        if binds:
            todo.extend((a, depth + b, False) for a, b in zip(node.args, binds, strict=True))
        else:
            todo.extend((a, depth, False) for a in node.args)
    return done[id(root), 0]


def shift(term: Term, by: int, cutoff: int = 0) -> Term:
    """The term moved under ``by`` more binders: loose indices from ``cutoff`` on grow by ``by``.

    A negative ``by`` moves it out of binders.

    Raises:
        ValueError: moving out of a binder whose index the term uses.
    """
    if by == 0 or term.loose <= cutoff:
        return term

    def leaf(node: Term, depth: int) -> Term | None:
        if node.__class__ is not Bound:
            return None
        if by < 0 and node.key < cutoff + depth - by:
            raise ValueError("the term uses the index of the binder it is moved out of")
        return Bound(node.key + by)

    return map_under_binders(term, leaf, lambda node, depth: node.loose <= cutoff + depth)


def instantiate(body: Term, value: Term) -> Term:
    """The body of a binder with its index replaced by ``value`` (a term outside the binder)."""

    def leaf(node: Term, depth: int) -> Term | None:
        if node.__class__ is not Bound:
            return None
        return shift(value, depth) if node.key == depth else Bound(node.key - 1)

    return map_under_binders(body, leaf, lambda node, depth: node.loose <= depth)


def instantiate_all(body: Term, values: Sequence[Term]) -> Term:
    """The term with its innermost loose indices replaced, the last of the values for the innermost one."""
    for position in range(len(values) - 1, -1, -1):
        body = instantiate(body, shift(values[position], position))
    return body


def placed(*roots: Term, reaching: int = -1) -> Iterator[tuple[Term, int]]:
    """Every distinct node with the number of binders that it stands under, in each such place.

    Args:
        roots: where to begin.
        reaching: 0 for nodes with an index bound outside the roots alone; more for one bound so much further
            outside; by default every node.
    """
    seen: set[tuple[int, int]] = set()
    todo = [(root, 0) for root in roots]
    while todo:
        node, depth = todo.pop()
        if (id(node), depth) in seen or (reaching >= 0 and node.loose <= depth + reaching):
            continue
        charge(1)
        seen.add((id(node), depth))
        yield node, depth
        binds = node.binds or (0,) * len(node.args)
        todo.extend((a, depth + k) for a, k in zip(node.args, binds, strict=True))


def uses_index(term: Term, index: int = 0) -> bool:
    """Whether a term uses a bound index of somewhere else, by default that of the innermost binder around."""
    return any(
        node.__class__ is Bound and node.key == depth + index
        for node, depth in placed(term, reaching=index)
    )


def abstract(term: Term, name: str) -> Term:
    """The body of a binder over the free name ``name``: inverse to instantiating with ``Sym(name)``."""

    def leaf(node: Term, depth: int) -> Term | None:
        if node.__class__ is Sym and node.key == name:
            return Bound(depth)
        if node.__class__ is Bound and node.key >= depth:
            return Bound(node.key + 1)
        return None

    return map_under_binders(term, leaf, _nowhere)


def substitute(term: Term, values: Mapping[str, Term]) -> Term:
    """The term with free names replaced, all at once; loose indices of the values are shifted.

    Only :class:`Sym` leaves are replaced: names of functions, families and of the parameter of a ∇
    are not variables.
    """

    def leaf(node: Term, depth: int) -> Term | None:
        if node.__class__ is Sym and node.key in values:
            return shift(values[node.key], depth)
        return None

    return map_under_binders(term, leaf, _nowhere)


def put_functions(root: Term, bodies: Mapping[str, tuple[int, Term]]) -> Term:
    """The term with free variables and functions replaced by terms over their slots, all at once.

    Args:
        root: the term.
        bodies: by the name, the number of slots and the term; its innermost loose indices are the slots, the
            last slot the innermost, and the others are those of the root.

    Raises:
        ValueError: a function is differentiated in a slot, or has another number of slots.
    """

    def leaf(node: Term, depth: int) -> Term | None:
        name = node.key[0] if node.__class__ is App else node.key
        if node.__class__ not in (App, Sym) or name not in bodies:
            return None
        arity, body = bodies[name]
        if len(node.args) != arity or (node.__class__ is App and node.key[4]):
            raise ValueError(f"{name} has other slots, or is differentiated in one")
        slots = [map_under_binders(a, lambda n, d: leaf(n, depth + d), _nowhere) for a in node.args]
        return instantiate_all(shift(body, depth, cutoff=arity), slots)

    return map_under_binders(root, leaf, _nowhere)


def _nowhere(node: Term, depth: int) -> bool:
    return False


def replace_nodes(root: Term, values: Mapping[int, Term]) -> Term:
    """The term with the nodes whose ``id`` is a key replaced, wherever they occur.

    Meant for interned terms; a replacement must have the same loose indices as what it replaces.
    """
    done: dict[int, Term] = {}
    for node in postorder(root):
        found = values.get(id(node))
        done[id(node)] = rebuild(node, tuple(done[id(a)] for a in node.args)) if found is None else found
    return done[id(root)]


def free_names(term: Term) -> frozenset[str]:
    """Names of the free symbols and families (not of functions and densities) in the term."""
    return frozenset(n.key for n in postorder(term) if n.__class__ is Sym or n.__class__ is Indexed)
