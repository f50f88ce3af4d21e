"""A lemma about every f, at a particular f."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import DeriveError
from ..language.binding import substitute
from ..language.terms import App, Sym, Term, postorder, rebuild

if TYPE_CHECKING:
    from ..language.proofs import Binding, Line

__all__ = ["instance_of", "put_in"]


def instance_of(line: Line, bindings: Sequence[Binding]) -> Line:
    """A line of a lemma with everything put in."""
    if not bindings:
        return line
    return replace(line, left=put_in(line.left, bindings), right=put_in(line.right, bindings))


def put_in(term: Term, bindings: Sequence[Binding]) -> Term:
    """A term with values for functions, at whatever they are applied to, and for names.

    All at once: what is put in is not looked at again.  Binders being nameless, nothing is captured.

    Raises:
        DeriveError: a partial derivative of a function for which a value is put in.
    """
    functions = {b.left.key[0]: b for b in bindings if isinstance(b.left, App)}
    names = {b.left.key: b.value for b in bindings if isinstance(b.left, Sym)}
    done: dict[int, Term] = {}
    for node in postorder(term):
        args = tuple(done[id(a)] for a in node.args)
        binding = functions.get(node.key[0]) if isinstance(node, App) else None
        if binding is not None and isinstance(node, App) and node.key[:4] == binding.left.key[:4]:
            if node.partials:
                raise DeriveError(
                    f"nothing can be put in for {node.name}, of which there is a partial derivative"
                )
            slots = [slot.key for slot in binding.left.args]
            done[id(node)] = substitute(binding.value, dict(zip(slots, args, strict=True)))
        elif isinstance(node, Sym) and node.key in names:
            done[id(node)] = names[node.key]
        else:
            done[id(node)] = rebuild(node, args)
    return done[id(term)]
