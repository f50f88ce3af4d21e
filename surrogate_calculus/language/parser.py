"""``parse``: text to terms, by the LALR(1) table that lark makes of ``grammar.lark``.

The table is made once, at first use.  Parsing drives it with the callbacks of a fresh
:class:`~surrogate_calculus.language.builder.Builder`, so that no parse tree is ever built and
nothing recurses: brackets may nest to :data:`~surrogate_calculus.language.scanner.MAX_NESTING`.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from ..errors import Span
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
) -> Term:
    """Read an expression.

    Args:
        text: the expression, in Unicode or ASCII spelling.
        given: a document whose declarations the names must obey; without one, nothing need be declared.
        vector: names of vector parameters, in addition to those that ``given`` declares.
        file: the file named in error messages.

    Raises:
        ParseError: text that is not of the language; the message has line, column, caret and advice.
        TermError: a term that is ill-formed, such as an 𝔼 over a bare ⊥.
        DeclarationError: a name used against its declaration in ``given``.
    """
    return _expression(text, given, vector, file).term


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


def _expression(text: str, given: Document | None, vector: Collection[str], file: str | None) -> Node:
    check_brackets(text, file)
    names = {canonical_name(v) for v in vector}
    scope = None
    if given is not None:
        scope = given.scope()
        names |= given.vector_names
    builder = Builder(text, file, scope, names)
    node: Node = run("expression", classify(scan(text, file)), builder)
    builder.finish()
    return node




def run(start: str, tokens: list[Token], builder: Builder) -> Any:
    """Parse tokens from a start rule, calling the builder at each reduction; what the last call gave.

    Raises:
        ParseError: at the first token that cannot stand where it does.
    """
    from lark.exceptions import UnexpectedToken
    from lark.parsers.lalr_parser_state import ParseConf, ParserState

    table, rules = _table()
    callbacks: Any = {rule: getattr(builder, method, None) for rule, method in rules}
    state: Any = ParserState(ParseConf(table, callbacks, start), None)  # type: ignore[arg-type]
    feed = state.feed_token
    position = 0
    try:
        for token in tokens:
            feed(token)
            position += 1
        end = tokens[-1].end if tokens else 0
        return feed(Token("$END", "", end, end), True)
    except UnexpectedToken as error:
        raise unexpected(tokens, position, set(error.expected), builder.text, builder.file) from None


@lru_cache(maxsize=1)
def _table() -> tuple[Any, tuple[tuple[Any, str], ...]]:
    """The parse table and each rule's method; made once, the same for every parse."""
    from lark import Lark
    from lark.lexer import Lexer

    class NoLexer(Lexer):
        """Tokens come from the scanner."""

        def __init__(self, _: Any) -> None:
            pass

        def lex(self, lexer_state: Any, parser_state: Any) -> Any:
            """Nothing: never called."""
            return iter(())

    grammar = files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    lark = Lark(
        grammar,
        parser="lalr",
        lexer=NoLexer,
        start=["expression", "statement"],
        keep_all_tokens=True,
        maybe_placeholders=False,
    )
    table = lark.parse_interactive(start="expression").parser_state.parse_conf.parse_table
    rules = tuple((rule, rule.alias or str(rule.origin.name)) for rule in lark.rules)
    return table, rules
