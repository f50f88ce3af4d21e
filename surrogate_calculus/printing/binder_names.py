"""Names for bound indices, chosen so that what is printed parses back."""

from __future__ import annotations

from collections.abc import Sequence

from ..language.names import is_name
from ..language.terms import App, Bound, Grad, Grads, Indexed, Sym, Term, postorder

__all__ = ["BinderNames"]


class BinderNames:
    """Chooses the names of bound indices, so that the text of a term parses back.

    Shared by all printers.  A binder keeps its hint unless the hint is a free name of its body, or
    the name of an enclosing binder that the body uses; then it is primed until it is new.

    Args:
        root: the term to be printed.
        scope: names of binders around it, outermost first.
    """

    __slots__ = ("_free", "_root", "_used", "stack")

    def __init__(self, root: Term, scope: Sequence[str] = ()) -> None:
        #: Names of the enclosing binders, innermost last; None in the law of an 𝔼, where ``·`` stands.
        self.stack: list[str | None] = list(scope)
        self._root = root
        self._free: frozenset[str] | None = None
        self._used: dict[int, tuple[frozenset[str], frozenset[int]]] | None = None

    def bound(self, index: int) -> str | None:
        """The name of a bound index at this point; None for the placeholder of a law."""
        return self.stack[-1 - index] if index < len(self.stack) else f"#{index - len(self.stack)}"

    def choose(self, hint: str, body: Term) -> str:
        """A name for the binder around ``body``, whose enclosing binders are on the stack."""
        if not is_name(hint):
            hint = "i"
        if self._free is None:
            self._free = frozenset(_own_name(n) for n in postorder(self._root)) - {""}
        if hint not in self._free and hint not in self.stack:
            return hint
        names, indices = self._uses(body)
        taken = set(names)
        for index in indices:
            if index > 0 and (name := self.bound(index - 1)) is not None:
                taken.add(name)
        name, primes = hint, 0
        while name in taken:
            primes += 1
            name = hint + "'" * primes if primes < 4 else f"{hint}_{primes}"
        return name

    def _uses(self, body: Term) -> tuple[frozenset[str], frozenset[int]]:
        """Free names and loose indices of a term; computed for all nodes at the first question."""
        used = self._used
        if used is None:
            used = self._used = {}
            for node in postorder(self._root):
                used[id(node)] = _merge(node, used)
        found = used.get(id(body))
        if found is None:
            for node in postorder(body):
                used[id(node)] = _merge(node, used)
            found = used[id(body)]
        return found


def _own_name(node: Term) -> str:
    if isinstance(node, (Sym, Indexed, Grad, Grads)):
        return node.key
    return node.name if isinstance(node, App) else ""


def _merge(
    node: Term, used: dict[int, tuple[frozenset[str], frozenset[int]]]
) -> tuple[frozenset[str], frozenset[int]]:
    name = _own_name(node)
    names = frozenset((name,)) if name else frozenset()
    indices: frozenset[int] = frozenset((node.key,)) if isinstance(node, Bound) else frozenset()
    for position, arg in enumerate(node.args):
        below, loose = used[id(arg)]
        names = below if names <= below else names if below <= names else names | below
        if node.binds and node.binds[position]:
            loose = frozenset(k - 1 for k in loose if k > 0)
        indices = loose if indices <= loose else indices if loose <= indices else indices | loose
    return names, indices
