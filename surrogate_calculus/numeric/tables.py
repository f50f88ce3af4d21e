"""Families that are worked out once, for all their indices: what definitions become.

A definition at concrete times, ``v[t,i]`` at t = 3, is a :class:`Table`: one tensor over the particles.
A term refers to it by a name that no user can write, ``v@3``, as ``Indexed("v@3", i)``; without
indices as ``Sym("v@3")``.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..language.terms import App, Term

__all__ = ["DRAW", "PATH", "RESAMPLE", "Table", "is_draw", "is_own", "shown_name", "table_name"]

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


def table_name(family: str, times: tuple[int, ...]) -> str:
    """The name of a family's table at concrete times."""
    return f"{family}@{','.join(map(str, times))}"


def is_own(node: App) -> bool:
    """Whether an application is none of a user's function."""
    return "@" in node.name


def is_draw(node: Term) -> bool:
    """Whether a node is a random draw: it is made once, and constant under ∇."""
    return isinstance(node, App) and node.name.startswith((DRAW, RESAMPLE))


def shown_name(name: str) -> str:
    """A table's name for a message."""
    family, _, times = name.partition("@")
    return f"{family}[{times}, …]" if times else family
