"""``parse``: text to terms, by the LALR(1) table that lark makes of ``grammar.lark``.

The table is made once, at first use.  Parsing drives it with the callbacks of a fresh
:class:`~surrogate_calculus.language.builder.Builder`, so that no parse tree is ever built and
nothing recurses: brackets may nest to :data:`~surrogate_calculus.language.scanner.MAX_NESTING`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import Span
from . import lalr
from .arithmetic import Node
from .builder import Builder
from .messages import unexpected
from .names import canonical_name
from .scanner import Token, check_brackets, classify, scan
from .terms import Term

if TYPE_CHECKING:
    from .declarations import Document

__all__ = ["SpanMap", "parse", "parse_with_spans"]


class SpanMap:
    """Where each part of a parsed term stood in its text.

    A path is the tuple of child positions from the root.  A part that has no text of its own, such
    as the -1 of ``a - b``, has the span of what it came with.
    """

    __slots__ = ("_root",)

    def __init__(self, root: Node) -> None:
        self._root = root

    def __getitem__(self, path: tuple[int, ...]) -> Span:
        """The span of the part at the path, or of the nearest part around it."""
        node = self._root
        for position in path:
            if position >= len(node.kids):
                break
            node = node.kids[position]
        return Span(node.start, node.end)


def parse(
    text: str,
    given: Document | None = None,
    *,
    vector: Collection[str] = (),
    file: str | None = None,
    indices: Sequence[str] = (),
) -> Term:
    """Read an expression.

    Args:
        text: the expression, in Unicode or ASCII spelling.
        given: a document whose declarations the names must obey; without one, nothing need be declared.
        vector: names of vector parameters, in addition to those that ``given`` declares.
        file: the file named in error messages.
        indices: the indices of ``given`` that stand free, for any value of their range.

    Raises:
        ParseError: text that is not of the language; the message has line, column, caret and advice.
        TermError: a term that is ill-formed, such as an 𝔼 over a bare ⊥.
        DeclarationError: a name used against its declaration in ``given``.
    """
    return _expression(text, given, vector, file, indices).term


def parse_with_spans(
    text: str,
    given: Document | None = None,
    *,
    vector: Collection[str] = (),
    file: str | None = None,
) -> tuple[Term, SpanMap]:
    """The same as :func:`parse`, with the place of every part of the term."""
    node = _expression(text, given, vector, file)
    return node.term, SpanMap(node)


def _expression(
    text: str,
    given: Document | None,
    vector: Collection[str],
    file: str | None,
    indices: Sequence[str] = (),
) -> Node:
    check_brackets(text, file)
    names = {canonical_name(v) for v in vector}
    scope = None
    if given is not None:
        scope = given.scope(indices)
        names |= given.vector_names
    builder = Builder(text, file, scope, names)
    node: Node = run("expression", classify(scan(text, file)), builder)
    builder.finish()
    if scope is not None:
        scope.settled(node, text, file)
    return node


def run(start: str, tokens: list[Token], builder: Builder) -> Any:
    """Parse tokens of the text language from a start rule: ``expression``, ``statement`` or ``heading``.

    Raises:
        ParseError: at the first token that cannot stand where it does.
    """
    rules = lalr.table("grammar.lark", "expression", "statement", "heading")
    return lalr.run(
        rules,
        start,
        tokens,
        builder,
        lambda position, expected: unexpected(tokens, position, expected, builder.text, builder.file),
    )
