"""Families that are worked out once, for all their indices: what definitions become.

A definition at concrete times, ``v[t,i]`` at t = 3, is a :class:`Table`: one tensor over the particles.
A term refers to it by a name that no user can write, as ``Indexed("v@3,_", i)``; without other indices
as ``Sym("V@3")``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..language.terms import ONE, App, Indexed, Num, Sym, Term, postorder, rebuild

__all__ = ["DRAW", "PATH", "RESAMPLE", "Table", "is_draw", "is_own", "readable", "table_name"]

#: The function of which a path is the value: its elements side by side, along a last axis.
PATH = "path@"
#: ``draw@q@table(indices | given; params)`` are the draws from q that fill the table.
DRAW = "draw@"
#: ``resample@R@table(indices)`` are draws by R of positions in proportion to the table's weights.
RESAMPLE = "resample@"


@dataclass(frozen=True, eq=False, slots=True)
class Table:
    """One table.

    Attributes:
        name: as terms refer to it.
        body: a member; index ``k`` of ``n`` is ``Bound(n - 1 - k)``.
        ranges: first and last value of each index.
    """

    name: str
    body: Term
    ranges: tuple[tuple[int, int], ...]


def table_name(family: str, times: Mapping[int, int], indices: int) -> str:
    """The name of a family's table at concrete times: ``v@3,_`` for v[3,i]; of ``indices`` indices."""
    return f"{family}@{','.join(str(times.get(k, '_')) for k in range(indices))}"


def is_own(node: App) -> bool:
    """Whether an application is none of a user's function."""
    return "@" in node.name


def is_draw(node: Term) -> bool:
    """Whether a node is a random draw: it is made once, and constant under ∇."""
    return isinstance(node, App) and node.name.startswith((DRAW, RESAMPLE))


def readable(term: Term) -> Term:
    """The term as a user knows it, for a message: families instead of tables, densities for draws."""
    done: dict[int, Term] = {}
    for node in postorder(term):
        args = tuple(done[id(a)] for a in node.args)
        new = rebuild(node, args)
        if isinstance(node, (Sym, Indexed)) and "@" in node.key:
            family, _, pattern = node.key.partition("@")
            rest = iter(args)
            indices = [
                next(rest, ONE) if p == "_" else _number(p) for p in pattern.partition("#")[0].split(",") if p
            ]
            new = Indexed(family, *indices) if indices else Sym(family)
        elif isinstance(node, App) and is_own(node):
            new = App(node.name.split("@")[1] or node.name.split("@")[0], args)
        done[id(node)] = new
    return done[id(term)]


def _number(text: str) -> Term:
    return Num(int(text)) if text.lstrip("-").isdigit() else Sym(text)
