r"""LaTeX to tokens: one linear pass that joins names, matches brackets and drops what only spaces.

Done here, because one token of lookahead could not: letters with their accents, fonts and primes are
one ``NAME`` (``\bar{w}'``, ``\mathrm{loss}``); the ``(`` right behind a name or its scripts is
``CALL``, any other one ``LPAR``; the arguments of ``\frac12`` get their braces.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from typing import NoReturn

from ..errors import ParseError, Span
from .latex_names import ACCENT_COMMANDS, FONTS, GREEK_COMMANDS, SCRIPT_FONTS
from .names import CALL_WORDS, GREEK, canonical_name, closest, is_name
from .scanner import MAX_NESTING, MAX_TEXT, Token
from .terms import FUNCTIONS

__all__ = ["NameToken", "scan_latex"]

#: Commands that change only how a formula looks.
_IGNORED = frozenset(
    {
        "left", "right", "big", "Big", "bigg", "Bigg", "bigl", "Bigl", "biggl", "Biggl", "bigr", "Bigr",
        "biggr", "Biggr", "bigm", "Bigm", "quad", "qquad", "thinspace", "limits", "nolimits", "displaystyle",
        "textstyle", "scriptstyle", "mathstrut", "strut",
    }
)  # fmt: skip
_OPENING = frozenset({"left", "bigl", "Bigl", "biggl", "Biggl"})
_CLOSING = frozenset({"right", "bigr", "Bigr", "biggr", "Biggr"})
_COMMANDS: dict[str, tuple[str, str]] = {
    "bot": ("STOP", "⊥"), "perp": ("STOP", "⊥"), "to": ("ARROW", "→"), "rightarrow": ("ARROW", "→"),
    "overrightarrow": ("OVER", "→"), "nabla": ("NABLA", "∇"), "partial": ("PARTIAL", "∂"),
    "frac": ("FRAC", "frac"), "dfrac": ("FRAC", "frac"), "tfrac": ("FRAC", "frac"), "sqrt": ("SQRT", "sqrt"),
    "sum": ("BIG", "Σ"), "prod": ("BIG", "∏"), "cdot": ("CDOT", "·"), "times": ("CDOT", "·"),
    "ast": ("CDOT", "·"), "otimes": ("OTIMES", "⊗"), "top": ("TOP", "⊤"), "intercal": ("TOP", "⊤"),
    "mid": ("BAR", "|"), "vert": ("BAR", "|"), "sim": ("SIM", "~"), "colon": ("COLON", ":"),
    "lvert": ("LABS", "|"), "rvert": ("RABS", "|"), "langle": ("LANGLE", "⟨"), "rangle": ("RANGLE", "⟩"),
    "lbrack": ("LSQB", "["), "rbrack": ("RSQB", "]"), "lparen": ("LPAR", "("), "rparen": ("RPAR", ")"),
    "gt": ("RELATION", ">"), "lt": ("RELATION", "<"), "ge": ("RELATION", ">="), "geq": ("RELATION", ">="),
    "geqslant": ("RELATION", ">="), "le": ("RELATION", "<="), "leq": ("RELATION", "<="),
    "leqslant": ("RELATION", "<="),
}  # fmt: skip
_SYMBOLS: dict[str, tuple[str, str]] = {
    "(": ("LPAR", "("), ")": ("RPAR", ")"), "[": ("LSQB", "["), "]": ("RSQB", "]"), "{": ("LBRACE", "{"),
    "}": ("RBRACE", "}"), "+": ("PLUS", "+"), "-": ("MINUS", "-"), "−": ("MINUS", "-"), "*": ("CDOT", "·"),
    "·": ("CDOT", "·"), "⋅": ("CDOT", "·"), "×": ("CDOT", "·"), "⊗": ("OTIMES", "⊗"), "_": ("SUB", "_"),
    "^": ("SUP", "^"), "=": ("EQ", "="), ">": ("RELATION", ">"), "<": ("RELATION", "<"),
    "≥": ("RELATION", ">="), "≤": ("RELATION", "<="), ",": ("COMMA", ","), ":": ("COLON", ":"),
    ";": ("SEMI", ";"), "|": ("BAR", "|"),
    "&": ("AMP", "&"), "⊥": ("STOP", "⊥"), "∇": ("NABLA", "∇"), "→": ("ARROW", "→"),
    "∂": ("PARTIAL", "∂"), "∑": ("BIG", "Σ"), "∏": ("BIG", "∏"),
}  # fmt: skip
_FUNCTIONS = frozenset(FUNCTIONS) - {"max", "min", "gt", "ge", "eq", "cases", "pi", "slice"}
_PAIRS = frozenset({"max", "min"})
#: Functions with a command of their own; the others are written ``\operatorname{…}``.
_OWN_COMMAND = frozenset({"exp", "log", "sin", "cos", "tan", "tanh", "max", "min"})
_OPENS = {
    "LPAR": ")",
    "LSQB": "]",
    "LBRACE": "}",
    "LABS": r"\right|",
    "LANGLE": r"\rangle",
    "BCASES": r"\end{cases}",
}
_CLOSES = {
    "RPAR": "LPAR",
    "RSQB": "LSQB",
    "RBRACE": "LBRACE",
    "RABS": "LABS",
    "RANGLE": "LANGLE",
    "ECASES": "BCASES",
}
_ADVICE: dict[str, str] = {
    "/": r"write \frac{a}{b}",
    "\\{": "write round parentheses",
    "\\}": "write round parentheses",
    "\\|": r"write \left| x \right| for an absolute value, \mid for a condition",
    ".": r"leave the full stop away; the placeholder of a law is \cdot",
    "!": r"there is no factorial: write \prod_{k=1}^{n} k",
    "ln": r"write \log",
    "int": r"write an expectation, \mathbb{E}_{x \sim p(\cdot)}[…], or a sum",
    "infty": r"ranges end at a number or a count: \sum_{i=1}^{N}",
    "binom": r"write the quotient of products, \frac{…}{…}",
    "argmax": "there is no argmax in the language",
    "prime": "write ' right behind the name",
    "propto": "write one side only: an expression",
    "neq": r"write 1 - [a = b]",
    "ne": r"write 1 - [a = b]",
    "in": r"write \sum_{i=1}^{N} for a range",
    "arg": "there is no argmax in the language",
    "ldots": r"write \sum_{i=1}^{N} or \prod_{i=1}^{N}",
    "dots": r"write \sum_{i=1}^{N} or \prod_{i=1}^{N}",
    "cdots": r"write \sum_{i=1}^{N} or \prod_{i=1}^{N}",
    "underbrace": "write what stands over the brace alone",
    "underset": r"write \sum_{i=1}^{N} for a range",
    "mathop": r"write \mathbb{E}_{x \sim p(\cdot; \theta)}\left[…\right], \sum_{i=1}^{N}",
    "mathbbm": r"write the bracket alone: \left[a > b\right]",
    "norm": r"write \sqrt{\sum_{k=1}^{K} x_k^2}",
    "Pr": r"write a density, p(x; \theta)",
    "Vert": r"write \left| x \right| for an absolute value, \mid for a condition",
    "parallel": r"write \mid for a condition",
    **dict.fromkeys(("color", "label", "tag", "notag", "nonumber", "hspace", "phantom"), "leave it away"),
    "approx": r"write one side only: an expression",
    "det": "there are no determinants in the language",
    "ell": r"write l, or \mathrm{ell}",
}
_TOKEN = re.compile(
    r"(?P<blank>(?:\s|~|\$|%[^\n]*|\\[,;:!>\s()\[\]])+)|\\(?P<command>[A-Za-z]+)|(?P<line>\\\\)|(?P<number>[0-9]+(?:\.[0-9]+)?)"
    r"|(?P<letter>[^\W\d_][\u0300-\u036f]*)|(?P<symbol>\\.|.)",
    re.DOTALL,
)
_PRIMES = re.compile(r"['′’]+|\^\s*\\prime(?![A-Za-z])|\^\s*\{\s*(?:\\prime\s*)+\}")
_WORD = re.compile(r"[A-Za-z]{2,}")
_BRACKET = re.compile(r"\\.|%[^\n]*|[()\[\]{}]", re.DOTALL)
_PARTNERS = {"(": ")", "[": "]", "{": "}"}
_BLANKS = re.compile(r"(?:\s|~|\\[,;:! ])*")
_CALLED = re.compile(r"(?:\s|\\left(?![A-Za-z])|\\[bB]ig+l?(?![A-Za-z]))*\(")
_ONE_LETTER = re.compile(r"\s+([A-Za-z0-9])(?![A-Za-z0-9])")
_BRACED = re.compile(r"\s*\{([^{}]*)\}")


def _may_stand(name: str) -> bool:
    """Whether this is a name; ``sum`` and its like are words of the language only before brackets."""
    return is_name(name) or name in CALL_WORDS


class NameToken(Token):
    """A name; ``bold`` where the source sets it bold, as the printer does for vectors."""

    __slots__ = ("bold",)

    def __init__(self, value: str, start: int, end: int, bold: bool = False) -> None:
        super().__init__("NAME", value, start, end)
        self.bold = bold


def scan_latex(text: str, known: Collection[str] = ()) -> Iterator[Token]:
    r"""The tokens of a formula, one by one; linear, and limited in size and nesting.

    Args:
        text: the formula, with or without ``$``.
        known: names that are declared, so that ``loss`` for ``\mathrm{loss}`` is noticed.

    Raises:
        ParseError: unbalanced or too deep brackets, before the first token; unknown commands and
            characters, when they are reached.
    """
    if len(text) > MAX_TEXT:
        raise ParseError(
            f"the text has {len(text):,} characters; the limit is {MAX_TEXT:,}",
            instead="build large terms with the Python constructors",
            text=text,
            span=Span(0, 1),
        )
    _check_brackets(text)
    return _Scanner(text, known).run()


def _check_brackets(text: str) -> None:
    """Match all brackets by one scan, before anything else is read."""
    opened: list[tuple[str, int]] = []
    for match in _BRACKET.finditer(text):
        bracket, place = match.group(), Span(match.start(), match.end())
        if bracket in _PARTNERS:
            if len(opened) >= MAX_NESTING:
                raise ParseError(
                    f"brackets nest deeper than {MAX_NESTING:,}",
                    instead="give inner parts a name, or build the term in Python",
                    text=text,
                    span=place,
                )
            opened.append((bracket, match.start()))
        elif bracket in ")]}":
            if not opened:
                raise ParseError(
                    f"this {bracket} closes nothing",
                    instead="leave it away, or open one before",
                    text=text,
                    span=place,
                )
            partner, _ = opened.pop()
            if _PARTNERS[partner] != bracket:
                raise ParseError(
                    f"this {bracket} meets the {partner} that was opened last",
                    instead=f"close with {_PARTNERS[partner]} first",
                    text=text,
                    span=place,
                )
    if opened:
        partner, start = opened[-1]
        raise ParseError(
            f"this {partner} is never closed",
            instead=f"add the missing {_PARTNERS[partner]}",
            text=text,
            span=Span(start, start + 1),
        )


class _Scanner:
    """The state of one pass."""

    def __init__(self, text: str, known: Collection[str]) -> None:
        self.text = text
        self.known = known
        self.tokens: list[Token] = []
        #: Open brackets: position in ``tokens``, and how many arguments a command still wants behind it.
        self.opened: list[tuple[int, int]] = []
        #: For each closing token, the position of its partner.
        self.partner: dict[int, int] = {}
        self.wanted = 0  # arguments that the command just read still wants

    def fail(self, what: str, instead: str, start: int, end: int) -> NoReturn:
        raise self.error(what, instead, start, end)

    def error(self, what: str, instead: str, start: int, end: int) -> ParseError:
        return ParseError(what, instead=instead, text=self.text, span=Span(start, end))

    def run(self) -> Iterator[Token]:
        """The whole text."""
        given = 0
        text, position, end = self.text, 0, len(self.text)
        while position < end:
            match = _TOKEN.match(text, position)
            assert match is not None  # the last alternative matches anything
            kind = match.lastgroup
            if kind == "blank":
                position = match.end()
            elif kind == "command":
                position = self.command(match.group("command"), position, match.end())
            elif kind == "line":
                position = self.emit("LINE", r"\\", position, match.end())
            elif kind == "number":
                position = self.number(match.group(), position, match.end())
            elif kind == "letter":
                position = self.letter(match.group(), position, match.end())
            else:
                position = self.symbol(match.group(), position, match.end())
            while given < len(self.tokens):
                yield self.tokens[given]
                given += 1
        if self.opened:
            token = self.tokens[self.opened[-1][0]]
            closing = _OPENS["LPAR" if token.type == "CALL" else token.type]
            self.fail(
                f"this {text[token.start : token.end]} is never closed",
                f"add the missing {closing}",
                token.start,
                token.end,
            )
        if self.wanted:
            advice = r"write \frac{a}{b}, \sqrt{x}"
            self.fail("the formula ends too early", advice, max(0, end - 1), max(1, end))

    # ---- emitting ----

    def emit(self, kind: str, value: str, start: int, end: int) -> int:
        """One token that is no name; brackets are matched."""
        return self.put(Token(kind, value, start, end))

    def put(self, token: Token) -> int:
        kind, tokens = token.type, self.tokens
        if self.wanted and kind != "LBRACE":
            if kind not in ("NAME", "NUMBER"):
                advice = r"write \frac{a}{b}, \sqrt{x}"
                self.fail("an argument without braces", advice, token.start, token.end)
            self.wanted -= 1
            tokens.append(Token("LBRACE", "{", token.start, token.start))
            tokens.append(token)
            tokens.append(Token("RBRACE", "}", token.end, token.end))
            self.partner[len(tokens) - 1] = len(tokens) - 3
            return token.end
        if kind in _OPENS:
            if kind == "LPAR" and self.applies(len(tokens) - 1):
                token.type = "CALL"
            if len(self.opened) >= MAX_NESTING:
                self.fail(
                    f"brackets nest deeper than {MAX_NESTING:,}",
                    "give inner parts a name, or build the term in Python",
                    token.start,
                    token.end,
                )
            self.opened.append((len(tokens), max(0, self.wanted - 1)))
            self.wanted = 0
        elif kind in _CLOSES:
            self.close(token)
        tokens.append(token)
        return token.end

    def close(self, token: Token) -> None:
        shown = self.text[token.start : token.end]
        if not self.opened:
            advice = "leave it away, or open one before"
            self.fail(f"this {shown} closes nothing", advice, token.start, token.end)
        position, wanted = self.opened.pop()
        partner = self.tokens[position]
        opened = "LPAR" if partner.type == "CALL" else partner.type
        if opened != _CLOSES[token.type]:
            self.fail(
                f"this {shown} meets the {self.text[partner.start : partner.end]} that was opened last",
                f"close with {_OPENS[opened]} first",
                token.start,
                token.end,
            )
        self.partner[len(self.tokens)] = position
        self.wanted = wanted

    def applies(self, last: int) -> bool:
        """Whether a ``(`` behind the token ``last`` opens the arguments of a name."""
        tokens = self.tokens
        while last >= 1:
            first = last
            if tokens[last].type == "RBRACE":
                first = self.partner[last]
            elif tokens[last].type not in ("NAME", "NUMBER", "TOP"):
                return False
            if first >= 2 and tokens[first - 1].type in ("SUB", "SUP"):
                last = first - 2  # a script: its base decides
                continue
            break
        return last >= 0 and tokens[last].type == "NAME"

    # ---- kinds of tokens ----

    def number(self, found: str, start: int, end: int) -> int:
        before = self.tokens[-1].type if self.tokens else ""
        if self.wanted:  # \frac12
            end = start + 1
            found = found[0]
        elif before in ("SUB", "SUP") and len(found) > 1:
            sign = self.tokens[-1].value
            self.fail(
                f"without braces only the {found[0]} belongs to the {sign}",
                f"write {sign}{{{found}}}",
                start,
                end,
            )
        return self.emit("NUMBER", found, start, end)

    def letter(self, found: str, start: int, end: int) -> int:
        before = self.text[start - 1 : start]
        if not (before.isascii() and before.isalpha()) or (self.tokens and self.tokens[-1].end != start):
            word = _WORD.match(self.text, start)
            if word is not None:
                self.word(word.group(), start, word.end())
        if len(found) > 1 or not found.isascii():
            name = canonical_name(found)
            if len(unicodedata.normalize("NFD", name)) == 1 and name in "⊥∇":
                return self.symbol(name, start, end)
            return self.name(name, start, end)
        return self.name(found, start, end)

    def word(self, word: str, start: int, end: int) -> None:
        """Letters side by side are a product; complain where they spell something."""
        if len(word) > 40:
            advice = r"write \mathrm{loss} for a name, a b for a product"
            self.fail("a long row of letters", advice, start, end)
        spaced = " ".join(word)
        if word in GREEK:
            self.fail(f"{word} is a product of letters here", rf"write \{word}", start, end)
        if word in _OWN_COMMAND:
            self.fail(f"{word} is a product of letters here", rf"write \{word}", start, end)
        if word in FUNCTIONS or word in CALL_WORDS:
            self.fail(f"{word} is a product of letters here", rf"write \operatorname{{{word}}}", start, end)
        if canonical_name(word) in self.known or len(word) > 3:
            self.fail(
                f"{word} is a product of letters here",
                rf"write \mathrm{{{word}}} for one name, {spaced} for a product",
                start,
                end,
            )

    def name(self, name: str, start: int, end: int, bold: bool = False) -> int:
        """A name, with the primes behind it."""
        primes = _PRIMES.match(self.text, end)
        if primes is not None:
            found = primes.group()
            name += "'" * (found.count("\\prime") if "\\" in found else len(found))
            end = primes.end()
        name = canonical_name(name)
        if not _may_stand(name):
            self.fail(f"{name} is no name of the language", "write a letter, or \\mathrm{name}", start, end)
        return self.put(NameToken(name, start, end, bold))

    def symbol(self, found: str, start: int, end: int) -> int:
        known = _SYMBOLS.get(found)
        if known is not None:
            return self.emit(*known, start, end)
        if found in "'′’":
            self.fail("a prime is part of a name", "write it right behind one, x'", start, end)
        if found == "\\":
            self.fail("a lone backslash", r"write the command's name behind it, \theta", start, end)
        advice = _ADVICE.get(found, "write the formula in letters, commands and brackets")
        raise self.error(f"{found} is no LaTeX of this language", advice, start, end)

    def command(self, name: str, start: int, end: int) -> int:
        """A command, from its backslash on."""
        text = self.text
        if name in _IGNORED:
            return self.delimiter(name, start, end)
        if name == "middle":
            return end
        if name in _COMMANDS:
            end = self.emit(*_COMMANDS[name], start, end)
            if name in ("frac", "dfrac", "tfrac"):
                self.wanted = 2
            elif name in ("sqrt", "overrightarrow"):
                if name == "sqrt" and text[end:].lstrip().startswith("["):
                    self.fail("a root other than the square root", r"write x^{\frac{1}{n}}", start, end)
                self.wanted = 1
            return end
        if name in _OWN_COMMAND:
            return self.emit("PAIR" if name in _PAIRS else "FUNC", name, start, end)
        if name in ("begin", "end"):
            environment = _BRACED.match(text, end)
            if environment is None or environment.group(1).strip() != "cases":
                advice = r"write one formula, or \begin{cases}…"
                self.fail("an environment other than cases", advice, start, end)
            return self.emit("BCASES" if name == "begin" else "ECASES", "cases", start, environment.end())
        if name == "mathbb":
            letter = _BRACED.match(text, end) or _ONE_LETTER.match(text, end)
            if letter is None or letter.group(1).strip() not in ("E", "1"):
                advice = r"write \mathbb{E}, or \mathrm{R}"
                self.fail(r"a \mathbb other than the expectation", advice, start, end)
            if letter.group(1).strip() == "1":
                self.fail("an indicator", r"write the bracket alone: \left[a > b\right]", start, letter.end())
            return self.emit("EXPECT", "𝔼", start, letter.end())
        if name in ("text", "mathrm", "operatorname", "mathit", "mathsf"):
            upright = self.upright(name, start, end)
            if upright is not None:
                return upright
        if name in ACCENT_COMMANDS or name in FONTS or name in GREEK_COMMANDS:
            return self.name(*self.composed(start))
        if name in _ADVICE:
            self.fail(f"\\{name} is no command of this language", _ADVICE[name], start, end)
        near = closest(name, sorted({*_COMMANDS, *_OWN_COMMAND, *GREEK_COMMANDS, *ACCENT_COMMANDS, *FONTS}))
        near = near if near is not None and abs(len(near) - len(name)) <= 2 and near[0] == name[0] else None
        advice = rf"write \{near}" if near else rf"write \mathrm{{{name}}} for a name"
        raise self.error(f"\\{name} is no command of this language", advice, start, end)

    def delimiter(self, name: str, start: int, end: int) -> int:
        r"""``\left``, ``\right`` and the like: nothing, but for what they say of a ``|``."""
        if name not in _OPENING and name not in _CLOSING:
            return end
        blank = _BLANKS.match(self.text, end)
        at = blank.end() if blank else end
        if self.text.startswith("|", at):
            return self.emit("LABS" if name in _OPENING else "RABS", "|", start, at + 1)
        if self.text.startswith(".", at):
            self.fail("a bracket that is not seen", r"write \left( and \right)", start, at + 1)
        return end

    def upright(self, name: str, start: int, end: int) -> int | None:
        r"""``\mathrm{…}`` and its like where they hold a word: a function, a word of cases, π, a name."""
        braced = _BRACED.match(self.text, end)
        if braced is None:
            return None  # an accent or a command inside: a composed name
        word = braced.group(1).strip().replace(r"\_", "_")
        end = braced.end()
        if word == r"\pi":
            return self.emit("PI", "pi", start, end)
        if name == "text" and word.lower() in ("if", "when", "for"):
            return self.emit("IF", "if", start, end)
        if name == "text" and word.lower() in ("otherwise", "else"):
            return self.emit("OTHERWISE", "otherwise", start, end)
        if name == "operatorname" or _CALLED.match(self.text, end) is not None:
            if word in _PAIRS:
                return self.emit("PAIR", word, start, end)
            if word in _FUNCTIONS:
                return self.emit("FUNC", word, start, end)
            if CALL_WORDS.get(word) in ("STOP", "ARROW"):
                return self.emit(CALL_WORDS[word], word, start, end)
        if word.startswith("\\"):
            return None
        if not _may_stand(canonical_name(word)):
            advice = r"write letters and digits, \mathrm{loss}"
            self.fail(f"{word or 'nothing'} is no name", advice, start, end)
        return self.name(word, start, end)

    def composed(self, start: int) -> tuple[str, int, int, bool]:
        """A letter under accents and fonts: (name, start, end, bold)."""
        text, position = self.text, start
        marks: list[str] = []
        open_braces = 0
        bold = False
        script = False
        core = ""
        while not core:
            blank = _BLANKS.match(text, position)
            position = blank.end() if blank else position
            match = _TOKEN.match(text, position)
            command = match.group("command") if match else None
            if match is None or len(marks) > 8 or open_braces > 16:
                self.fail("an accent over nothing", r"write \bar{w}", start, min(len(text), position + 1))
            elif command in ACCENT_COMMANDS:
                marks.append(ACCENT_COMMANDS[command])
            elif command in FONTS:
                bold = bold or command in ("boldsymbol", "mathbf", "bm")
                script = script or command in SCRIPT_FONTS
                word = _BRACED.match(text, match.end())
                if word is not None and not script and word.group(1).strip()[:1].isalpha():
                    core = word.group(1).strip().replace(r"\_", "_")
                    position = word.end()
                    break
            elif command in GREEK_COMMANDS:
                core = GREEK_COMMANDS[command]
            elif match.lastgroup == "letter":
                core = match.group()
            elif match.group() == "{":
                open_braces += 1
            else:
                self.fail(
                    "an accent or font over something that is no name",
                    r"write \bar{w}_{i}, \overrightarrow{E}, \mathrm{loss}",
                    start,
                    match.end(),
                )
            position = match.end()
        primes = ""
        while open_braces:
            blank = _BLANKS.match(text, position)
            position = blank.end() if blank else position
            found = text[position : position + 1]
            if found in ("'", "′", "’"):
                primes += "'"
            elif found == "}":
                open_braces -= 1
            else:
                self.fail(
                    "an accent or font over more than one letter",
                    r"write \bar{w}_{i} for an index, \mathrm{loss} for a long name",
                    start,
                    min(len(text), position + 1),
                )
            position += 1
        if script and len(core) == 1:
            for pattern in ("SCRIPT CAPITAL {}", "MATHEMATICAL SCRIPT CAPITAL {}"):
                try:
                    core = unicodedata.lookup(pattern.format(core.upper()))
                    break
                except KeyError:
                    continue
        return core + "".join(reversed(marks)) + primes, start, position, bold
