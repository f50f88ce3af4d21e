"""Writing terms as the node table of a certificate (the kernel reads it: ``kernel.certificate``)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..language.terms import App, Num, Term

__all__ = ["NodeTable"]


class NodeTable:
    """Writes terms as rows, each shared node once."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self._where: dict[int, int] = {}
        self._keep: list[Term] = []

    def add(self, nodes: Iterable[Term]) -> None:
        """Add nodes that come children first."""
        for node in nodes:
            if id(node) not in self._where:
                self._where[id(node)] = len(self.rows)
                self._keep.append(node)
                row: list[Any] = [node.tag, _write_key(node), [self._where[id(a)] for a in node.args]]
                hint = getattr(node, "hint", None)
                if hint is not None:
                    row.append(hint)
                self.rows.append(row)

    def __getitem__(self, node: Term) -> int:
        """The row of a node that was added."""
        return self._where[id(node)]


def _write_key(node: Term) -> Any:
    if isinstance(node, Num):
        return str(node.key)
    if isinstance(node, App):
        name, a, g, p, partials = node.key
        return [name, a, g, p, [[slot, int(has)] for slot, has in partials]]
    return node.key
