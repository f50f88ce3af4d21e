"""The LALR(1) table that lark makes of a grammar, flattened, and the loop that drives it.

Both grammars, of text and of LaTeX, are driven by :func:`run`: each reduction calls one method of a
builder with the values of the rule's children, so that no parse tree is ever built and nothing recurses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from ..errors import ParseError
from .scanner import Token

__all__ = ["Table", "run", "table"]


class Table(NamedTuple):
    """What each state does at each terminal.

    A reduction is (number of children, which method, rule); the method of a rule that passes its
    only child on is -1.
    """

    starts: dict[str, int]
    ends: dict[str, int]
    shifts: dict[int, dict[str, int]]
    reductions: dict[int, dict[str, tuple[int, int, str]]]
    gotos: dict[int, dict[str, int]]
    methods: tuple[str, ...]


@cache
def table(grammar: str, *starts: str) -> Table:
    """The table of a grammar file of this package; made once, the same for every parse.

    Args:
        grammar: the file's name.
        starts: the rules that a parse may start from.
    """
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

    lark = Lark(
        files(__package__).joinpath(grammar).read_text(encoding="utf-8"),
        parser="lalr",
        lexer=NoLexer,
        start=list(starts),
        keep_all_tokens=True,
        maybe_placeholders=False,
    )
    lalr: Any = lark.parse_interactive(start=starts[0]).parser_state.parse_conf.parse_table
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
    return Table(
        dict(lalr.start_states), dict(lalr.end_states), shifts, reductions, gotos, tuple(numbers)[1:]
    )


def run(
    rules: Table,
    start: str,
    tokens: Iterable[Token],
    builder: object,
    unexpected: Callable[[int, set[str]], ParseError],
) -> Any:
    """Parse tokens from a start rule, calling the builder at each reduction; what the last call gave.

    Args:
        rules: the table.
        start: the rule to start from.
        tokens: read one by one, so that a scanner's error comes after a parser's to its left.
        builder: has a method for each name in ``rules.methods``.
        unexpected: makes the error for the token at a position, or for the end behind the last; given
            the terminals that could have stood there.

    Raises:
        ParseError: at the first token that cannot stand where it does.
    """
    callbacks = [getattr(builder, name, None) for name in rules.methods]
    shifts, reductions, gotos = rules.shifts, rules.reductions, rules.gotos
    state, final = rules.starts[start], rules.ends[start]
    states: list[int] = [state]
    values: list[Any] = []
    for position, token in enumerate(_ended(tokens)):
        kind = token.type
        while (target := shifts[state].get(kind)) is None:
            found = reductions[state].get(kind)
            if found is None:
                raise unexpected(position, {*shifts[state], *reductions[state]})
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
            if state == final:
                return values[-1]
        state = target
        states.append(state)
        values.append(token)
    raise AssertionError("the end of the text is never shifted")


def _ended(tokens: Iterable[Token]) -> Iterable[Token]:
    """The tokens, and the one that stands for the end of the text."""
    end = 0
    for token in tokens:
        end = token.end
        yield token
    yield Token("$END", "", end, end)
