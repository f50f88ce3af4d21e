"""``parse``: text to terms, by the LALR(1) table that lark makes of ``grammar.lark``.

The table is made once, at first use.  Parsing drives it with the callbacks of a fresh
:class:`~surrogate_calculus.language.builder.Builder`, so that no parse tree is ever built and
nothing recurses: brackets may nest to :data:`~surrogate_calculus.language.scanner.MAX_NESTING`.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, NamedTuple

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
    table = _table()
    callbacks = [getattr(builder, name, None) for name in table.methods]
    state = table.starts[start]
    states: list[int] = [state]
    values: list[Any] = []
    shifts, reductions, gotos = table.shifts, table.reductions, table.gotos
    end = tokens[-1].end if tokens else 0
    for position, token in enumerate((*tokens, Token("$END", "", end, end))):
        kind = token.type
        while (target := shifts[state].get(kind)) is None:
            found = reductions[state].get(kind)
            if found is None:
                expected = {*shifts[state], *reductions[state]}
                raise unexpected(tokens, position, expected, builder.text, builder.file)
            size, method, origin = found
            if size == 1:
                states.pop()
                if method >= 0:
                    values[-1] = callbacks[method](values[-1:])  # type: ignore[misc]
            elif size:
                children = values[-size:]
                del values[-size:], states[-size:]
                values.append(callbacks[method](children))  # type: ignore[misc]
            else:
                values.append(callbacks[method]([]))  # type: ignore[misc]
            state = gotos[states[-1]][origin]
            states.append(state)
            if state == table.ends[start]:
                return values[-1]
        state = target
        states.append(state)
        values.append(token)
    raise AssertionError("the end of the text is never shifted")


class _Table(NamedTuple):
    """Lark's LALR(1) table, flattened: what each state does at each terminal.

    A reduction is (number of children, which method, rule); the method of a rule that passes its
    only child on is -1.
    """

    starts: dict[str, int]
    ends: dict[str, int]
    shifts: dict[int, dict[str, int]]
    reductions: dict[int, dict[str, tuple[int, int, str]]]
    gotos: dict[int, dict[str, int]]
    methods: tuple[str, ...]


@lru_cache(maxsize=1)
def _table() -> _Table:
    """The parse table of ``grammar.lark``; made once, the same for every parse."""
    from lark import Lark
    from lark.lexer import Lexer
    from lark.parsers.lalr_analysis import Shift

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
    lalr: Any = lark.parse_interactive(start="expression").parser_state.parse_conf.parse_table
    numbers: dict[str, int] = {"same": -1}
    shifts: dict[int, dict[str, int]] = {}
    reductions: dict[int, dict[str, tuple[int, int, str]]] = {}
    gotos: dict[int, dict[str, int]] = {}
    for state, actions in lalr.states.items():
        shifts[state], reductions[state], gotos[state] = {}, {}, {}
        for symbol, (action, argument) in actions.items():
            if action is not Shift:
                method = argument.alias or str(argument.origin.name)
                number = numbers.setdefault(method, len(numbers) - 1)
                reductions[state][symbol] = len(argument.expansion), number, str(argument.origin.name)
            elif symbol.isupper() or symbol.startswith("$"):
                shifts[state][symbol] = argument
            else:
                gotos[state][str(symbol)] = argument
    return _Table(
        dict(lalr.start_states), dict(lalr.end_states), shifts, reductions, gotos, tuple(numbers)[1:]
    )
