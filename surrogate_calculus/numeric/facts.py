"""What is known of a term before it is compiled: what its parts depend on, and where they can fail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..language.terms import (
    HAS_BARE_STOP,
    HAS_STOP,
    App,
    Eval,
    Fn,
    Grad,
    Indexed,
    Num,
    Pow,
    Prod,
    Stop,
    Sum,
    Sym,
    Term,
)
from .tables import Table, is_draw

__all__ = ["Facts", "beyond_detach", "facts"]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of every node, by its ``id``; what stands in a table counts where it is used.

    Attributes:
        depends: the differentiated parameters in it.
        partial: whether its value can be undefined.
        flags: its flags, those of tables included.
    """

    depends: dict[int, frozenset[str]]
    partial: dict[int, bool]
    flags: dict[int, int]


def facts(nodes: Sequence[Term], vectors: frozenset[str], tables: Mapping[str, Table]) -> Facts:
    """The facts of all nodes, children before parents and tables before their uses."""
    differentiated = {n.key for n in nodes if isinstance(n, Grad)}
    nothing: frozenset[str] = frozenset()
    single = {name: frozenset((name,)) for name in differentiated}
    out = Facts({}, {}, {})
    depends, partial, all_flags = out.depends, out.partial, out.flags
    for node in nodes:
        found = nothing
        undefined = _can_fail(node)
        flags = 0
        table = tables.get(node.key) if isinstance(node, (Sym, Indexed)) else None
        below = node.args if table is None else (*node.args, table.body)
        for arg in below:
            more = depends[id(arg)]
            if more is not found and not more <= found:
                found = more if found <= more else found | more
            flags |= all_flags[id(arg)]
        for arg in node.args:
            undefined = undefined or partial[id(arg)]
        if isinstance(node, Sym) or (isinstance(node, Indexed) and node.name in vectors):
            own = single.get(node.key)
            if own is not None and not own <= found:
                found = found | own
        if is_draw(node):
            found, flags = nothing, 0
        depends[id(node)] = found
        partial[id(node)] = undefined
        all_flags[id(node)] = (flags & node._clear) | node._own
    return out


def beyond_detach(root: Term, known: Facts, tables: Mapping[str, Table]) -> bool:
    """Whether a ∇ meets an → that removes a ⊥ of something it differentiates.

    Below a ⊥, in conditions, indices and ranges nothing is differentiated, until the next ∇.
    """
    nothing: frozenset[str] = frozenset()
    seen: set[tuple[int, frozenset[str]]] = set()
    todo = [(root, nothing)]
    while todo:
        node, varied = todo.pop()
        varied = varied & known.depends[id(node)]
        if not known.flags[id(node)] & HAS_STOP or (id(node), varied) in seen:
            continue
        seen.add((id(node), varied))
        if isinstance(node, Eval) and varied and known.flags[id(node.args[0])] & HAS_BARE_STOP:
            return True
        live = node.args
        constant: tuple[Term, ...] = ()
        if isinstance(node, Grad):
            todo.append((node.body, varied | {node.param}))
            live, constant = (), node.args[1:]
        elif isinstance(node, (Stop, Indexed)) or (isinstance(node, Fn) and node.op in ("gt", "ge", "eq")):
            live, constant = (), node.args
        elif isinstance(node, (Sum, Prod)):
            live, constant = node.args[2:], node.args[:2]
        elif isinstance(node, Fn) and node.op == "cases":
            live, constant = node.args[1:], node.args[:1]
        if isinstance(node, (Sym, Indexed)) and node.key in tables:
            live = (tables[node.key].body,)
        todo += [(arg, varied) for arg in live] + [(arg, nothing) for arg in constant]
    return False


def _can_fail(node: Term) -> bool:
    if isinstance(node, Pow):
        exponent = node.exponent
        return not (isinstance(exponent, Num) and exponent.value.denominator == 1 and exponent.value >= 0)
    if isinstance(node, Fn):
        return node.op in ("log", "sqrt")
    return isinstance(node, (Indexed, App))
