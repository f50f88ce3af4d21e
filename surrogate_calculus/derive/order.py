"""An order of terms that does not depend on names, and names for bound indices.

Two documents that differ in their names only are to give results that differ in their names only.  So
names count by when they first occur: in the expression, then in what its names are defined to be.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..kernel.inference import Definition
from ..language.terms import App, Bound, Grad, Indexed, Num, Prod, Sum, Sym, Term, rebuild
from .proof import Proof

if TYPE_CHECKING:
    from ..language.declarations import Document

__all__ = ["Order", "named_indices"]

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
        found = self._keys.get(id(term))
        if found is None:
            name = _name(term)
            own: Any = 0
            if name is not None:
                own = self._ranks.get(name, _UNKNOWN)
            elif term.__class__ in (Num, Bound):
                own = term.key
            detail = term.key[1:] if term.__class__ is App else (str(term.key) if name is None else "")
            found = (term.tag, own, repr(detail), tuple(self.key(a) for a in term.args))
            self._keys[id(term)] = found
            self._keep.append(term)
        return found


def _name(node: Term) -> str | None:
    if node.__class__ in (Sym, Indexed, Grad):
        return str(node.key)
    return str(node.key[0]) if node.__class__ is App else None


def named_indices(term: Term, given: Document | None) -> Term:
    """The term with the document's names for its bound indices, by the ranges that they run over.

    A copy outside of any store, which would give equal terms the same names.
    """
    if given is None or not given.indices:
        return term
    done: dict[tuple[int, tuple[str, ...]], Term] = {}

    def visit(node: Term, scope: tuple[str, ...]) -> Term:
        used = scope if node.loose else ()
        found = done.get((id(node), used))
        if found is not None:
            return found
        if node.__class__ in (Sum, Prod):
            hint = _hint(node, given, scope)
            lo, hi = (visit(a, scope) for a in node.args[:2])
            new: Term = node.__class__(lo, hi, visit(node.args[2], (*scope, hint)), hint)  # type: ignore[call-arg]
        else:
            below = (*scope, "") if node.binds else scope
            new = rebuild(node, tuple(visit(a, below) for a in node.args))
        done[id(node), used] = new
        return new

    return visit(term, ())


def _hint(node: Term, given: Document, scope: tuple[str, ...]) -> str:
    own: str = node.hint  # type: ignore[attr-defined]
    lo, hi = node.args[:2]
    exact = [name for name, ends in given.indices.items() if ends == (lo, hi)]
    near = [name for name, ends in given.indices.items() if ends[1] == hi or ends[0] == lo and not hi.loose]
    ending = [name for name, ends in given.indices.items() if ends[1] == hi]
    for names in (exact, ending, near if own in near else []):
        for name in names:
            if name not in scope:
                return name
    return own
