"""Text to tokens: brackets checked by a linear scan, names made canonical, look-alikes folded.

The scanner tells apart what one token of lookahead cannot: a name before ``(`` is a function
(``FUN``), the name behind ``∇`` a parameter (``PARAM``), ``E`` an expectation (``EXPECT``) exactly
when the bracket behind it holds a ``~`` or begins with ``· |``, ``Σ`` a sum only before ``[k=``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ..errors import ParseError, Span
from .names import CALL_WORDS, NAME, canonical_name
from .terms import FUNCTIONS

__all__ = [
    "KEYWORDS",
    "MAX_NESTING",
    "MAX_ORDER",
    "MAX_TEXT",
    "Token",
    "check_brackets",
    "classify",
    "scan",
    "statements",
]

#: Brackets may nest this deep; more is refused before anything is parsed.
MAX_NESTING = 5_000
#: Characters of the longest text that is read.
MAX_TEXT = 100_000
#: Largest k of one ``∇^k``, and most axes of one tensor.
MAX_ORDER = 100

#: Words that begin a statement of a document, with their tokens.
KEYWORDS: dict[str, str] = {
    word: word.upper()
    for word in (
        "count", "parameter", "index", "observed", "variable", "density", "function", "resampling",
        "sample", "lineage", "define", "derive",
    )
}  # fmt: skip

_SYMBOLS: dict[str, tuple[str, str]] = {
    "+": ("PLUS", "+"), "-": ("MINUS", "-"), "−": ("MINUS", "-"), "*": ("STAR", "*"), "/": ("SLASH", "/"),
    "⊗": ("OTIMES", "⊗"), "^": ("CARET", "^"), "=": ("EQ", "="), "<": ("RELATION", "<"),
    ">": ("RELATION", ">"), "<=": ("RELATION", "<="), ">=": ("RELATION", ">="), "≤": ("RELATION", "<="),
    "≥": ("RELATION", ">="), "~": ("TILDE", "~"), "∼": ("TILDE", "~"), "(": ("LPAR", "("),
    ")": ("RPAR", ")"), "[": ("LSQB", "["), "]": ("RSQB", "]"), ",": ("COMMA", ","), ";": ("SEMI", ";"),
    "|": ("BAR", "|"), ":": ("COLON", ":"), "·": ("DOT", "·"), "⋅": ("DOT", "·"), ".": ("DOT", "·"),
    "..": ("DOTDOT", ".."), "…": ("DOTDOT", ".."), "⊥": ("STOP", "⊥"), "⟂": ("STOP", "⊥"),
    "→": ("ARROW", "→"), "∇": ("NABLA", "∇"), "𝔼": ("NAME", "E"), "∑": ("NAME", "Σ"), "∏": ("PROD", "∏"),
    "@": ("AT", "@"),
}  # fmt: skip
_TOKEN = re.compile(
    rf"(?P<blank>[^\S\n]+|\#[^\n]*)|(?P<newline>\n)|(?P<name>{NAME})|(?P<number>[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<axis>@[0-9]+)|(?P<superscript>⁻?[⁰¹²³⁴-⁹]+)|(?P<symbol>\.\.|[<>]=|[-+−*/⊗^=<>≤≥~∼()\[\],;|:·⋅.…⊥⟂→∇𝔼∑∏@])"
)
_BRACKET = re.compile(r"#[^\n]*|[()\[\]]")
_CLOSES = {")": "(", "]": "["}
_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_PLAIN_FUNCTIONS = frozenset(FUNCTIONS) - {"exp", "log", "gt", "ge", "eq", "cases", "pi", "slice"}

#: What to write for characters that belong to other notations.
_FOREIGN: dict[str, str] = {
    "×": "write * for a product",
    "{": "write round parentheses; braces are LaTeX, which parse_latex reads",
    "}": "write round parentheses; braces are LaTeX, which parse_latex reads",
    "\\": "write ⊥ or stop(…), ∇θ or grad[theta](…); LaTeX is read by parse_latex",
    "$": "leave the $ away; LaTeX is read by parse_latex",
    "∂": "write D[1](f)(x; θ) for a partial derivative, ∇θ for the whole one",
    "√": "write sqrt(…)",
    "∞": "ranges end at a number or a count: write Σ[i=1..N](…)",
    "≠": "write 1 - [a = b]",
    "≈": "write = inside square brackets: [a = b]",
    "!": "there is no factorial and no negation: write ∏[k=1..n](k), or 1 - [a = b]",
    "&": "write a product of brackets: [a > 0]*[b > 0]",
    "%": "comments begin with #",
    '"': "write the expression without quotes",
    "'": "a prime is part of a name: write it right behind one, x'",
    "_": "a name begins with a letter: write x_1",
    "÷": "write / for a quotient",
    **dict.fromkeys("∙•∗", "write * for a product"),
    **dict.fromkeys("–—", "write - for a minus"),
    **dict.fromkeys("“”„‘`", "write the expression without quotes"),
    "‖": "write sqrt(Σ[k=1..K](x[k]^2)) for a norm, p(x | z) for a condition",
    "?": "write cases([a > b]: x, else: y)",
    "∈": "write Σ[i=1..N](…)",
    "∫": "write an expectation, 𝔼[x ~ p(·; θ)](…)",
    "←": "write = in a define",
}


class Token:
    """A token: its terminal's name, its canonical text, and where it stood."""

    __slots__ = ("end", "start", "type", "value")

    def __init__(self, kind: str, value: str, start: int, end: int) -> None:
        self.type = kind
        self.value = value
        self.start = start
        self.end = end


def check_brackets(text: str, file: str | None = None) -> None:
    """Find unbalanced brackets and too deep nesting by one linear scan, before anything is parsed.

    Raises:
        ParseError: at the bracket that has no partner, or the first one too deep, or for a text
            longer than :data:`MAX_TEXT`.
    """
    if len(text) > MAX_TEXT:
        raise ParseError(
            f"the text has {len(text):,} characters; the limit is {MAX_TEXT:,}",
            instead="build large terms with the Python constructors",
            text=text,
            span=Span(0, 1),
            file=file,
        )
    opened: list[tuple[str, int]] = []
    for match in _BRACKET.finditer(text):
        bracket = match.group()
        if bracket in "([":
            opened.append((bracket, match.start()))
            if len(opened) > MAX_NESTING:
                raise ParseError(
                    f"brackets nest deeper than {MAX_NESTING:,}",
                    instead="give inner parts a name with define, or build the term in Python",
                    text=text,
                    span=Span(match.start(), match.end()),
                    file=file,
                )
        elif bracket in _CLOSES:
            place = Span(match.start(), match.end())
            if not opened:
                raise ParseError(
                    f"this {bracket} closes nothing",
                    instead=f"leave it away, or open a {_CLOSES[bracket]} before it",
                    text=text,
                    span=place,
                    file=file,
                )
            partner, _ = opened.pop()
            if partner != _CLOSES[bracket]:
                right = ")" if partner == "(" else "]"
                raise ParseError(
                    f"this {bracket} meets the {partner} that was opened last",
                    instead=f"close with {right} first",
                    text=text,
                    span=place,
                    file=file,
                )
    if opened:
        partner, start = opened[-1]
        right = ")" if partner == "(" else "]"
        raise ParseError(
            f"this {partner} is never closed",
            instead=f"add the missing {right}",
            text=text,
            span=Span(start, start + 1),
            file=file,
        )


def scan(text: str, file: str | None = None) -> list[Token]:
    """All tokens of a text, line ends included as ``NEWLINE``; blanks and ``#`` comments left out.

    Raises:
        ParseError: at a character that begins no token.
    """
    out: list[Token] = []
    position, end = 0, len(text)
    match_at = _TOKEN.match
    while position < end:
        match = match_at(text, position)
        if match is None:
            raise _foreign(text, position, file)
        kind, start, position = match.lastgroup, position, match.end()
        if kind == "blank":
            continue
        found = match.group()
        if kind == "name":
            out.append(Token("NAME", canonical_name(found), start, position))
        elif kind == "symbol":
            name, value = _SYMBOLS[found]
            out.append(Token(name, value, start, position))
        elif kind == "number":
            out.append(Token("NUMBER", found, start, position))
        elif kind == "newline":
            out.append(Token("NEWLINE", "\n", start, position))
        elif kind == "axis":
            out.append(Token("AXIS", found[1:], start, position))
        else:
            out.append(Token("SUPERSCRIPT", found.translate(_SUPERSCRIPTS), start, position))
    return out


def _foreign(text: str, position: int, file: str | None) -> ParseError:
    found = text[position]
    advice = _FOREIGN.get(found, "leave it away; names are letters, digits, _, primes and accents")
    if found == "_" and text[:position].rstrip().endswith(("∇", "∇²")):
        advice = "write ∇θ, without the _"
    return ParseError(
        f"the character {found!r} is not of the language",
        instead=advice,
        text=text,
        span=Span(position, position + 1),
        file=file,
    )


def statements(tokens: list[Token], text: str) -> Iterator[list[Token]]:
    """The statements of a document.

    It is split at each ``;`` outside brackets, and at each line end outside brackets unless the next
    line is indented.
    """
    current: list[Token] = []
    depth = 0
    for token in tokens:
        kind = token.type
        if kind == "NEWLINE":
            after = text[token.end : token.end + 1]
            if depth == 0 and not (after and after in " \t"):
                yield current
                current = []
            continue
        if kind in ("LPAR", "LSQB"):
            depth += 1
        elif kind in ("RPAR", "RSQB"):
            depth -= 1
        elif kind == "SEMI" and depth == 0:
            yield current
            current = []
            continue
        current.append(token)
    yield current


def classify(tokens: list[Token]) -> list[Token]:
    """Give names their grammatical role by what stands around them; line ends are dropped.

    Expects balanced brackets.
    """
    out: list[Token] = []
    if any(t.type == "NEWLINE" for t in tokens):
        tokens = [t for t in tokens if t.type != "NEWLINE"]
    opened: list[int] = []  # positions in out of the brackets that are open
    last_square = -1  # position in out of the [ whose ] came last
    count = len(tokens)
    skip = False
    for k, token in enumerate(tokens):
        if skip:
            skip = False
            continue
        kind = token.type
        before = out[-1] if out else None
        after = tokens[k + 1].type if k + 1 < count else ""
        if kind == "NAME":
            _classify_name(token, before, after, tokens, k)
        elif kind == "LPAR":
            if before is not None and before.type == "RSQB" and last_square > 0:
                _classify_called(out, last_square)
            opened.append(len(out))
        elif kind == "LSQB":
            opened.append(len(out))
        elif kind in ("RPAR", "RSQB"):
            last_square = opened.pop() if kind == "RSQB" else opened.pop() and -1
        elif kind == "TILDE" or (kind == "BAR" and opened and _is_dot(out, opened[-1])):
            if opened and opened[-1] > 0:
                head = out[opened[-1] - 1]
                if head.type == "NAME" and head.value == "E" and out[opened[-1]].type == "LSQB":
                    head.type = "EXPECT"
        elif before is not None and before.type == "NABLA":
            if kind == "SUPERSCRIPT":
                token.type = "ORDER"
            elif kind == "CARET" and after == "NUMBER":
                number = tokens[k + 1]
                token = Token("ORDER", number.value, token.start, number.end)
                skip = True
        out.append(token)
    return out


def _is_dot(out: list[Token], opening: int) -> bool:
    """Whether a placeholder is all that stands behind a bracket so far."""
    return len(out) == opening + 2 and out[-1].type == "DOT"


def _classify_name(token: Token, before: Token | None, after: str, tokens: list[Token], k: int) -> None:
    """Set the type of a name from its neighbours."""
    name = token.value
    if name == "log" or name == "exp":
        token.type = name.upper()
    elif before is not None and before.type in ("NABLA", "ORDER"):
        token.type = "PARAM"
    elif after == "LPAR":
        if name in CALL_WORDS:
            token.type = CALL_WORDS[name]
        elif name in _PLAIN_FUNCTIONS:
            token.type = "BUILTIN"
        elif name == "π" and k + 2 < len(tokens) and tokens[k + 2].type == "RPAR":
            token.type, token.value = "BUILTIN", "pi"
        else:
            token.type = "FUN"
    elif after == "LSQB":
        if name in CALL_WORDS:
            token.type = CALL_WORDS[name]
        elif name in ("Σ", "Π") and [t.type for t in tokens[k + 2 : k + 4]] == ["NAME", "EQ"]:
            token.type = "SUM" if name == "Σ" else "PROD"
    elif after == "CARET" and name == "grad":
        _classify_power(token, tokens, k)
    elif after == "COLON" and name == "else":
        token.type = "ELSE"


def _classify_power(token: Token, tokens: list[Token], k: int) -> None:
    """``grad^k[…]`` and ``grad^(k+1)[…]``; ``grad^2`` alone is a power of a name."""
    following = [t.type for t in tokens[k + 2 : k + 4]]
    brackets = following[1:] in (["LSQB"], ["LPAR"])
    if following[:1] == ["LPAR"] or (following[:1] in (["NAME"], ["NUMBER"]) and brackets):
        token.type = CALL_WORDS["grad"]


def _classify_called(out: list[Token], square: int) -> None:
    """``NAME[…](``: a derivative D[…](, or a sum over a declared index Σ[i](."""
    head = out[square - 1]
    if head.type != "NAME" or [t.type for t in out[max(square - 3, 0) : square - 1]] == ["NABLA", "CARET"]:
        return
    if head.value == "D":
        head.type = "DERIV"
    elif head.value in ("Σ", "Π") and len(out) == square + 3:
        head.type = "SUM" if head.value == "Σ" else "PROD"
