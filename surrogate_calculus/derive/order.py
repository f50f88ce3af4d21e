"""An order of terms that does not depend on names, and names for bound indices.

Two documents that differ in their names only are to give results that differ in their names only.  So
names count by when they first occur: in the expression, then in what its names are defined to be.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..kernel.inference import Definition
from ..language.terms import (
    HAS_BINDER,
    App,
    Bound,
    Grad,
    Indexed,
    Num,
    Prod,
    Sum,
    Sym,
    Term,
    postorder,
    rebuild,
    tree_size,
)
from .proof import Proof

if TYPE_CHECKING:
    from ..language.declarations import Document

__all__ = ["Order", "named_indices"]

#: Indices are named in terms up to this size, and this depth.
MAX_TREE, MAX_DEPTH = 20_000, 200
#: The rank of a name that is not known yet.
_UNKNOWN = 1 << 30


class Order:
    """Sort keys for the terms of one proof.

    Args:
        proof: whose definitions are followed.
        roots: where to begin: the expression, then what else there is.
    """

    def __init__(self, proof: Proof, roots: Iterable[Term]) -> None:
        self._proof = proof
        self._ranks: dict[str, int] = {}
        self._keys: dict[int, tuple[Any, ...]] = {}
        self._keep: list[Term] = []
        for root in roots:
            self._visit(root)
        self._rest()

    def _visit(self, root: Term) -> None:
        """Rank the names of a term in order of reading, those of definitions behind them."""
        later, seen = [root], set[int]()
        for start in later:
            todo = [start]
            while todo:
                node = todo.pop()
                if id(node) in seen:
                    continue
                seen.add(id(node))
                name = _name(node)
                if name is not None and name not in self._ranks:
                    self._ranks[name] = len(self._ranks)
                definition = self._proof.definition_of(node)
                if definition is not None:
                    later.append(definition.body)
                todo.extend(reversed(node.args))

    def _rest(self) -> None:
        """Rank what is defined and not reached, by what it is defined to be."""
        rest = [d for d in self._proof.definitions.values() if d.name not in self._ranks]

        def place(d: Definition) -> tuple[Any, ...]:
            return self.key(d.body), d.arity, d.name

        while rest:
            known = [d for d in rest if self._known(d)] or rest
            first = min(known, key=place)
            rest.remove(first)
            self._visit(first.left)
            self._keys.clear()

    def _known(self, definition: Definition) -> bool:
        todo, seen = [definition.body], set[int]()
        while todo:
            node = todo.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            name = _name(node)
            if name is not None and name not in self._ranks and name != definition.name:
                return False
            todo.extend(node.args)
        return True

    def key(self, term: Term) -> tuple[Any, ...]:
        """What terms are sorted by."""
        keys = self._keys
        if id(term) not in keys:
            for node in postorder(term):
                if id(node) not in keys:
                    keys[id(node)] = self._own(node)
                    self._keep.append(node)
        return keys[id(term)]

    def _own(self, node: Term) -> tuple[Any, ...]:
        name = _name(node)
        own: Any = node.key if node.__class__ in (Num, Bound) else 0
        if name is not None:
            own = self._ranks.get(name, _UNKNOWN)
        detail = node.key[1:] if node.__class__ is App else (str(node.key) if name is None else "")
        return node.tag, own, repr(detail), tuple(self._keys[id(a)] for a in node.args)


def _name(node: Term) -> str | None:
    if node.__class__ in (Sym, Indexed, Grad):
        return str(node.key)
    return str(node.key[0]) if node.__class__ is App else None


def named_indices(term: Term, given: Document | None) -> Term:
    """The term with the document's names for its bound indices, by the ranges that they run over.

    A copy outside of any store, which would give equal terms the same names.
    """
    if given is None or not given.indices or not term.flags & HAS_BINDER or _deep(term):
        return term
    done: dict[tuple[int, tuple[str, ...]], Term] = {}

    def visit(node: Term, scope: tuple[str, ...]) -> Term:
        new: Term
        used = scope if node.loose else ()
        found = done.get((id(node), used))
        if found is not None:
            return found
        if node.__class__ in (Sum, Prod):
            hint = _hint(node, given, scope)
            lo, hi = (visit(a, scope) for a in node.args[:2])
            body = visit(node.args[2], (*scope, hint))
            new = Sum(lo, hi, body, hint) if node.__class__ is Sum else Prod(lo, hi, body, hint)
        else:
            below = (*scope, "") if node.binds else scope
            new = rebuild(node, tuple(visit(a, below) for a in node.args))
        done[id(node), used] = new
        return new

    return visit(term, ())


def _deep(term: Term) -> bool:
    """Whether a term is larger or deeper than what anybody reads."""
    if tree_size(term, MAX_TREE) > MAX_TREE:
        return True
    depth: dict[int, int] = {}
    for node in postorder(term):
        depth[id(node)] = 1 + max((depth[id(a)] for a in node.args), default=0)
    return depth[id(term)] > MAX_DEPTH


def _hint(node: Term, given: Document, scope: tuple[str, ...]) -> str:
    own: str = node.hint  # type: ignore[attr-defined]
    lo, hi = node.args[:2]
    exact = [name for name, ends in given.indices.items() if ends == (lo, hi)]
    near = [name for name, ends in given.indices.items() if ends[0] == lo]
    ending = [name for name, ends in given.indices.items() if ends[1] == hi]
    for names in (exact, ending, near if own in near else []):
        for name in names:
            if name not in scope:
                return name
    return own
