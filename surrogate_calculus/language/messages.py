"""What to say about a token that cannot stand where it does, and what to write instead.

The advice is written by hand for the mistakes people make; it is chosen by the offending token, the
one before it, and, in a declaration, the statement's keyword.
"""

from __future__ import annotations

import re

from ..errors import ParseError, Span
from .names import CALL_WORDS
from .scanner import KEYWORDS, Token
from .terms import FUNCTIONS

__all__ = ["unexpected"]

_OPERATORS = frozenset({"PLUS", "MINUS", "STAR", "SLASH", "OTIMES", "CARET"})
_OPENERS = frozenset({"LPAR", "LSQB", "COMMA", "SEMI", "BAR", "COLON", "EQ", "RELATION", "DOTDOT", "TILDE"})
_VALUE_ENDS = frozenset({"NAME", "NUMBER", "RPAR", "RSQB", "SUPERSCRIPT", "AXIS", "DOT"})
_VALUE_STARTS = frozenset(
    {"NAME", "FUN", "BUILTIN", "NUMBER", "STOP", "ARROW", "CASES", "DERIV", "AXIS", "LPAR", "LSQB", "PARAM"}
)
_CASES = "write cases([a > b]: x, else: y)"
#: What follows the digits of ``1e5`` and ``1e-5``.
_EXPONENT = re.compile("[eE][0-9]*")
_PREFIXES = frozenset({"LOG", "EXP", "STOP", "ARROW", "PARAM"})

#: How each statement is written.
_FORMS: dict[str, str] = {
    "COUNT": "count N, T",
    "PARAMETER": "parameter θ, φ  or  parameter β[k]",
    "INDEX": "index i, j = 1..N",
    "OBSERVED": "observed y  or  observed y[t]",
    "VARIABLE": "variable x  or  variable x[i]",
    "DENSITY": "density p(x, y | z; θ)",
    "FUNCTION": "function f(x; θ)",
    "RESAMPLING": "resampling R",
    "SAMPLE": "sample x[t,i] ~ q(· | x[t-1,i]; φ)  or  sample a[t,·] ~ R(w[t-1,·])",
    "LINEAGE": "lineage x̃ of x by a",
    "DEFINE": "define w[i] = …",
    "DERIVE": "derive →(∇θ …)",
}

#: Tokens that stand only in certain places, with what is wrong and what to write.
_ONLY: dict[str, tuple[str, str]] = {
    "BAR": ("| stands only in a density", "write p(x | z; θ) or 𝔼[· | t](…); the absolute value is abs(x)"),
    "SEMI": ("; stands only before the parameters of a function", "write f(x; θ), several as f(x; θ, φ)"),
    "COLON": (": stands only in cases and in the index of a path", f"{_CASES}, f(y[1:T])"),
    "TILDE": (
        "~ stands only in an expectation or behind sample",
        "write 𝔼[x ~ p(·; θ)](…), ASCII E[x ~ p(.; theta)](…)",
    ),
    "DOTDOT": ("a range stands only in a Σ, ∏ or index statement", "write Σ[i=1..N](…)"),
    "COMMA": ("a comma stands only between arguments or indices", "write f(x, y), or * for a product"),
    "EQ": ("= stands only in square brackets, ranges and definitions", "write [a = b], which is 1 or 0"),
    "RELATION": ("a comparison stands only in square brackets", "write [a > b], which is 1 or 0"),
    "DOT": ("· is only the placeholder in a law", "for a product write *, for a decimal 0.5"),
    "AT": ("@ stands only before the number of an axis", "write @1, as in ∇[θ@1](…)"),
    "ELSE": ("else stands only last in cases", _CASES),
}  # fmt: skip


def unexpected(
    tokens: list[Token], position: int, expected: set[str], text: str, file: str | None
) -> ParseError:
    """The error for ``tokens[position]``, or for the end of the text where it is behind the last.

    Args:
        tokens: the tokens of the expression or statement.
        position: which of them could not be read.
        expected: the terminals that could have stood there.
        text: the source.
        file: where it came from.
    """
    before = tokens[position - 1] if position else None
    if position < len(tokens):
        token = tokens[position]
        span = Span(token.start, token.end)
        shown = _shown(token, text)
        what, instead = _at_token(tokens, position, token, before, shown, expected, text)
    else:
        end = before.end if before else 0
        span = Span(end, end + 1)
        what, instead = _at_end(tokens, before, text)
    return ParseError(what, instead=instead, text=text, span=span, file=file)


def _shown(token: Token, text: str) -> str:
    """The token as it was written, cut to a length that fits a message."""
    written = text[token.start : token.end]
    return written if len(written) <= 40 else written[:38] + "…"


def _statement(tokens: list[Token], position: int) -> str | None:
    """The form of the statement, where a declaration and not an expression is being read."""
    keyword = tokens[0].type if tokens else ""
    if keyword not in _FORMS or keyword == "DERIVE":
        return None
    if keyword in ("DEFINE", "INDEX") and any(t.type == "EQ" for t in tokens[:position]):
        return None
    if keyword == "SAMPLE" and any(t.type == "TILDE" for t in tokens[:position]):
        return None
    return _FORMS[keyword]


def _at_end(tokens: list[Token], before: Token | None, text: str) -> tuple[str, str]:
    if before is None:
        return "there is no expression", "write one, such as f(x; θ)*∇θ log p(x; θ)"
    form = _statement(tokens, len(tokens))
    if form is None and tokens[0].type == "INDEX" and not any(t.type == "DOTDOT" for t in tokens):
        form = _FORMS["INDEX"]
    if before.type == "TILDE" and tokens[0].type == "SAMPLE":
        form = _FORMS["SAMPLE"]
    if form is not None or before.type == "DERIVE":
        return "the statement ends too early", f"write {form or _FORMS['DERIVE']}"
    shown = _shown(before, text)
    if before.type in _OPERATORS or before.type == "EQ":
        return f"nothing stands behind {shown}", f"write what comes after {shown}, or leave it away"
    return _missing(tokens, len(tokens), before, shown) or (
        f"the expression ends too early, behind {shown}",
        _only_form(before) or "write the rest, or leave the end away",
    )


def _only_form(before: Token) -> str | None:
    found = _ONLY.get(before.type)
    return found[1] if found else None


def _missing(tokens: list[Token], position: int, before: Token, shown: str) -> tuple[str, str] | None:
    """What is missing behind a word, a ∇ or the bracket of a Σ."""
    kind = before.type
    if _at_symbolic_order(tokens, position):
        return (
            "∇ to a power that is no number needs its parameter in square brackets",
            "write ∇^k[θ](…), ∇^(k+1)[θ](…)",
        )
    if kind in ("NABLA", "ORDER"):
        if shown in CALL_WORDS:
            return f"{shown} needs its parameter in square brackets", f"write {shown}[theta](…)"
        if position < len(tokens) and tokens[position].type == "CARET":
            return "∇ has one order", "write ∇²θ(…), ∇^3[θ](…), ∇^k[θ](…)"
        return "∇ needs the parameter behind it", "write ∇θ(…), ∇²θ(…) or ∇[θ](…)"
    if kind == "HESS":
        return "hess needs its parameter in square brackets", "write hess[theta](…)"
    if kind in ("SUM", "PROD", "EXPECT"):
        sign = {"SUM": "sum", "PROD": "prod"}.get(kind, shown) if shown.isascii() else shown
        form = f"{sign}[x ~ p(·; θ)](…)" if kind == "EXPECT" else f"{sign}[i=1..N](…)"
        return f"{shown} needs square brackets with what it runs over", f"write {form}"
    if kind in ("CASES", "BUILTIN", "FUN"):
        return f"{shown} needs its arguments", f"write {shown}(…)"
    if kind == "PARAM":
        return f"∇{shown} of nothing", f"write ∇{shown}(…)"
    if kind in _PREFIXES:
        return f"{shown} of nothing", f"write {shown}(x)"
    if kind == "DERIV":
        return "a partial derivative needs its slots", "write D[2](f)(x; θ)"
    if kind == "RSQB":
        head = _head(tokens, position - 1)
        symbolic = head is not None and (
            head.type == "RPAR" or _at_symbolic_order(tokens, tokens.index(head) + 1)
        )
        if symbolic or (head is not None and head.type in ("SUM", "PROD", "EXPECT", "NABLA", "HESS")):
            return "nothing stands behind the square brackets", "write the rest in parentheses: (…)"
        if head is not None and head.type == "DERIV":
            return "a partial derivative needs its function and arguments", "write D[2](f)(x; θ)"
    if kind == "RPAR" and position > 4 and tokens[position - 4].type == "RSQB":
        head = _head(tokens, position - 4)
        if head is not None and head.type == "DERIV":
            return "a partial derivative needs its arguments", "write D[2](f)(x; θ)"
    return None


def _at_symbolic_order(tokens: list[Token], position: int) -> bool:
    """Whether what stands before a position is ``∇^`` or ``∇^k``."""
    before = [t.type for t in tokens[max(position - 3, 0) : position]]
    return before[-2:] == ["NABLA", "CARET"] or before in (["NABLA", "CARET", k] for k in ("NAME", "FUN"))


def _opening(tokens: list[Token], position: int) -> int:
    """The position of the innermost bracket that is open at a position; 0 where none is."""
    depth = 0
    for k in range(position - 1, -1, -1):
        kind = tokens[k].type
        if kind in ("RSQB", "RPAR"):
            depth += 1
        elif kind in ("LSQB", "LPAR"):
            if depth == 0:
                return k
            depth -= 1
    return 0


def _around(tokens: list[Token], position: int) -> Token | None:
    """The token before the innermost bracket that is open at a position."""
    opening = _opening(tokens, position)
    return tokens[opening - 1] if opening else None


def _head(tokens: list[Token], close: int) -> Token | None:
    """The token before the bracket that closes at a position."""
    depth = 0
    for k in range(close, -1, -1):
        kind = tokens[k].type
        if kind in ("RSQB", "RPAR"):
            depth += 1
        elif kind in ("LSQB", "LPAR"):
            depth -= 1
            if depth == 0:
                return tokens[k - 1] if k else None
    return None


def _at_token(
    tokens: list[Token],
    position: int,
    token: Token,
    before: Token | None,
    shown: str,
    expected: set[str],
    text: str,
) -> tuple[str, str]:
    form = _statement(tokens, position)
    if form is not None:
        return f"unexpected {shown} in this statement", f"write {form}"
    if before is not None and before.type not in KEYWORDS.values():
        found = _behind(tokens, position, token, before, shown, expected, text)
        if found is not None:
            return found
    kind = token.type
    if kind in _OPERATORS and (before is None or before.type in _OPENERS or before.type not in _VALUE_ENDS):
        if kind == "PLUS":
            return "a sum does not begin with +", "leave the + away"
        return f"nothing stands before {shown}", f"write what comes before {shown}, or leave it away"
    if kind == "RPAR" and before is not None and before.type == "LPAR":
        return "nothing stands between the parentheses", "write an expression between them"
    if kind == "RSQB" and before is not None and before.type == "LSQB":
        return "nothing stands between the square brackets", "write an index, w[i], or a comparison, [a > b]"
    if kind in _ONLY:
        return _ONLY[kind]
    if kind in KEYWORDS.values():
        return f"{shown} begins a statement", "write each statement on a line of its own"
    return f"unexpected {shown}", "leave it away, or write what is missing before it"


def _behind(
    tokens: list[Token],
    position: int,
    token: Token,
    before: Token,
    shown: str,
    expected: set[str],
    text: str,
) -> tuple[str, str] | None:
    """Mistakes that show in two neighbouring tokens."""
    kind, last = token.type, before.type
    left = _shown(before, text)
    around = _around(tokens, position)
    inside = around.type if around is not None else ""
    if left in CALL_WORDS and kind == "LSQB" and last in ("STOP", "ARROW", "BUILTIN", "CASES"):
        return f"{left} takes round parentheses", f"write {left}(…)"
    if kind == "MINUS" and last in _OPERATORS | _PREFIXES:
        if last in _PREFIXES:
            sign = f"∇{left}" if last == "PARAM" else left
            return f"a minus right behind {sign}", f"write {sign}(-x)"
        usual = f"write a {left} (-b)"
        advice = {"PLUS": "write a - b", "MINUS": "write a + b, or a - (-b)"}.get(last, usual)
        return f"a minus right behind {left}", advice
    if kind in ("LOG", "EXP") and last == "LPAR" and inside == "RSQB":
        return f"{shown} is built in, and D[…] is for opaque functions", f"write ∇x {shown}(…)"
    if kind == "STAR" and last == "STAR":
        return "powers are written with ^", "write a^b"
    if kind == "EQ" and last == "EQ":
        return "one = compares", "write [a = b]"
    if kind in _OPERATORS | {"RPAR", "RSQB", "COMMA", "SEMI"} and last in _OPERATORS:
        return f"nothing stands behind {left}", f"write what comes after {left}, or leave it away"
    if kind in ("CARET", "SUPERSCRIPT", "ORDER") and last in ("LOG", "EXP"):
        return f"a power of {left} itself", f"write {left}(x)^2"
    found = _missing(tokens, position, before, left)
    if found is not None and (last != "RSQB" or kind not in _VALUE_STARTS):
        return found
    if kind == "DOT" and last == "NUMBER":
        return "a decimal needs digits on both sides of its point", "write 0.5"
    if kind == "NUMBER" and last == "DOT":
        return "a decimal needs digits on both sides of its point", f"write 0.{shown}"
    if kind == "DOT" or last == "DOT":
        return _dotted(token if kind == "DOT" else before, tokens, position, text)
    if inside in ("SUM", "PROD"):
        if kind in ("COMMA", "SEMI") and "DOTDOT" in {
            t.type for t in tokens[_opening(tokens, position) : position]
        }:
            return "one index for each Σ or ∏", "nest them: Σ[i=1..N](Σ[j=1..M](…))"
        return "a range has two ends with .. between them", "write Σ[i=1..N](…)"
    if tokens[0].type == "INDEX" and around is None:
        return "a range has two ends with .. between them", f"write {_FORMS['INDEX']}"
    if kind == "EQ" and around is not None and around.type == "NAME":
        word = _shown(around, text)
        return f"a range belongs to Σ or ∏, and {word} is a name", "write Σ[i=1..N](…), ASCII sum[i=1..N](…)"
    if kind in ("SEMI", "COMMA", "BAR"):
        found = _listed(tokens, position, kind, last, around)
        if found is not None:
            return found
    if inside == "CASES" and kind in ("COMMA", "RPAR", "ELSE"):
        if "COLON" in expected:
            return "cases need a condition for each value, and an else", _CASES
        if kind == "RPAR" and last != "LPAR":
            return "cases end with an else", _CASES
    if kind == "RPAR" and last in ("COMMA", "SEMI", "BAR"):
        sign = "the comma" if last == "COMMA" else left
        return f"nothing stands behind {sign}", f"write one more argument, or leave {sign} away"
    if kind == "RELATION" and any(t.type in ("RELATION", "EQ") for t in tokens[:position]):
        return "one comparison for each bracket", "write [a < b]*[b < c]"
    if kind == "RSQB" and last != "LSQB" and "RELATION" in expected:
        if around is not None and text[around.start : around.end] in CALL_WORDS:
            word = text[around.start : around.end]
            return f"{word} takes round parentheses", f"write {word}(…)"
        return "square brackets without a name hold a comparison", "write (a) to group, [a > b] to compare"
    if kind == "BAR" and any(t.type == "SEMI" for t in tokens[:position]):
        return "conditions stand before parameters", "write p(x | z; θ)"
    if last in _VALUE_ENDS and kind in _VALUE_STARTS:
        return _juxtaposed(tokens, position, token, before, left, shown)
    return None


def _dotted(dot: Token, tokens: list[Token], position: int, text: str) -> tuple[str, str]:
    """A dot that is no placeholder: a product sign, a method, half a decimal."""
    if text[dot.start : dot.end] != ".":
        return "· is only the placeholder in a law", "for a product write *"
    behind = tokens[position + 1] if position + 1 < len(tokens) else None
    if tokens[position] is dot and behind is not None and behind.type not in ("NUMBER", "DOT"):
        word = _shown(behind, text)
        call = f"{word}(…)" if behind.type in ("STOP", "FUN", "BUILTIN") else "stop(…)"
        return "a dot, as before a method", f"functions stand before their arguments: {call}"
    return "a decimal needs digits on both sides of its point", "write 0.5"


def _listed(
    tokens: list[Token], position: int, kind: str, last: str, around: Token | None
) -> tuple[str, str] | None:
    """A separator inside brackets that are no argument list, or with nothing before it."""
    if around is None:
        return None
    if around.type in ("NABLA", "ORDER", "HESS"):
        return "one ∇ for each parameter", "nest them: ∇[θ](∇[φ](…))"
    if around.type == "PARAM":
        name = around.value
        return f"∇{name} is the derivative in {name}", f"write ∇θ {name}(x; θ), with the parameter behind ∇"
    if kind == "COMMA" and last in ("LPAR", "LSQB", "COMMA"):
        return "nothing stands before the comma", "write one more argument, or leave the comma away"
    return None


#: Words of other languages, with what is written here.
_WORDS: dict[str, str] = {
    "in": "write Σ[i=1..N](…)",
    "if": "write cases([a > b]: x, else: y)",
    "ln": "write log(x)",
    "d": "write ∇θ(…)",
}


def _juxtaposed(
    tokens: list[Token], position: int, token: Token, before: Token, left: str, shown: str
) -> tuple[str, str]:
    """Two values next to each other."""
    kind = token.type
    if kind == "LSQB" and before.type == "RSQB":
        return "a second pair of square brackets", "write all indices in one: w[i,j]"
    if kind == "LSQB" and before.type == "RPAR":
        return "an index behind parentheses", "index a name: w[i]; for a product write *[a > b]"
    if kind == "LPAR":
        if position > 2 and tokens[position - 2].type == "CARET":
            word = tokens[position - 3]
            if word.value in FUNCTIONS:
                return f"a power of {word.value} itself", f"write {word.value}(x){'^'}{left}"
        head = _head(tokens, position - 1)
        if head is not None and head.value == "D":
            return "a partial derivative needs the number of its slot", "write D[2](f)(x; θ)"
        if head is not None and before.type == "RSQB":
            return f"the family {head.value} is applied", f"for a product write {head.value}[…]*(…)"
        if before.type == "NUMBER":
            return f"the number {left} is applied", f"for a product write {left}*(…)"
        return "a product needs its *", "write (…)*(…)"
    name: str = "in" if shown == "in" else before.value
    if name in _WORDS:
        return f"{name} is not a word of the language", _WORDS[name]
    if before.type == "NAME" and (name in FUNCTIONS or name in CALL_WORDS):
        call = f"{name}[θ](…)" if name in ("grad", "hess") else f"{name}(…)"
        return f"{name} needs brackets", f"write {call}"
    if position > 2 and tokens[position - 2].type == "SLASH" and tokens[position - 3].value == "d":
        return f"{left} behind d/ is a name", "write ∇θ(…) for the derivative in θ"
    if before.type == "NUMBER" and token.start == before.end and _EXPONENT.fullmatch(shown):
        return "a number in the notation of a programming language", f"write {left}*10^…, or all its digits"
    head = _head(tokens, position - 1) if before.type in ("RPAR", "RSQB") else None
    if head is not None and head.value == "D":
        return "a partial derivative needs its function in parentheses", "write D[2](f)(x; θ)"
    left = left if before.type not in ("RPAR", "RSQB") else f"…{left}"
    right = shown + {"FUN": "(…)", "BUILTIN": "(…)", "CASES": "(…)", "LSQB": "…]"}.get(kind, "")
    if kind in ("STOP", "ARROW"):
        return f"a product needs its * before {shown}", f"write {left}*{shown}(…)"
    return f"two values, {left} and {right}, stand side by side", f"for a product write {left}*{right}"
