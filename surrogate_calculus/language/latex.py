r"""Reading LaTeX: :func:`parse_latex`, from a formula as in a paper to a term.

What differs from the text language: products are juxtaposed, so that a prefix without parentheses
followed by a factor, ``\log p q``, is refused with both readings shown; a Σ or ∏ extends over the rest
of its product; a superscript is an index where the base is a declared family with a free slot, a power
otherwise; the subscript of a density is its parameter; ``\top`` transposes, ``T`` never does.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import ParseError, Span, SurrogateError
from . import lalr
from .arithmetic import Node
from .latex_builder import LatexBuilder
from .latex_names import latex_name
from .latex_scanner import scan_latex
from .names import canonical_name
from .scanner import Token
from .terms import Term

if TYPE_CHECKING:
    from .declarations import Document

__all__ = ["parse_latex"]


def parse_latex(
    text: str, given: Document | None = None, *, vector: Collection[str] = (), indices: Sequence[str] = ()
) -> Term:
    r"""Read a LaTeX formula, with or without its ``$``.

    Args:
        text: the formula, such as ``\frac{p_\theta(x)}{\bot(p_\theta(x))} f(x)``.
        given: a document whose declarations the names must obey; without one, nothing need be declared.
        vector: names of vector parameters, in addition to those that ``given`` declares and to those
            that the formula sets bold, ``\nabla_{\boldsymbol{\theta}}``.
        indices: the indices of ``given`` that stand free, for any value of their range.

    Raises:
        ParseError: text that is not of the language; the message has line, column, caret and advice.
        TermError: a term that is ill-formed, such as an 𝔼 over a bare ⊥.
        DeclarationError: a name used against its declaration in ``given``.
    """
    names = {canonical_name(v) for v in vector}
    known: frozenset[str] = frozenset()
    if given is not None:
        names |= given.vector_names
        known = frozenset(given.names())
    builder = LatexBuilder(text, given, names, indices)
    try:
        node: Node = _run(scan_latex(text, known), builder)
        builder.finish()
        if builder.scope is not None:
            builder.scope.settled(node, text, None)
    except SurrogateError as error:
        error.instead = None if error.instead is None else _in_latex(error.instead)
        raise
    return node.term


#: How the text language, whose checks are shared, spells what LaTeX spells otherwise.
_SPELLINGS: tuple[tuple[str, str], ...] = (
    (r"𝔼\[x ~ p\(·; θ\)\]", r"\\mathbb{E}_{x \\sim p(\\cdot; \\theta)}"),
    (r"(\w+) ~ p\(·; θ\), ASCII .*", r"\1 \\sim p(\\cdot; \\theta)"),
    (r"([Σ∏])\[(\w+)=1\.\.N\]\(…\)", r"\1_{\2=1}^{N} …"),
    (r"([Σ∏])\[(\w+)\]\(…\)", r"\1_{\2} …"),
    (r"∇\[(\w)\[k\]\]\(…\)", r"\\nabla_{\1_{k}} …"),
    (r"(\w)\[([\w, ]+)\]", r"\1_{\2}"),
    (r"@(\d+)", r"\\langle \1 \\rangle"),
    (r"\*\(", r" \\cdot ("),
    (r"∇(\w)", r"\\nabla_\1"),
    (r"A ⊗ B \(or outer\(A, B\)\)", r"A B^\\top or A \\otimes B"),
    ("Σ", r"\\sum"),
    ("∏", r"\\prod"),
    ("⊗", r"\\otimes"),
)


def _in_latex(advice: str) -> str:
    """Advice of the text language, in LaTeX."""
    if len(advice) > 500:
        return advice
    formula, declare, statement = advice.partition("declare")  # a statement of a document is no LaTeX
    for pattern, spelled in _SPELLINGS:
        formula = re.sub(pattern, spelled, formula)
    return "".join(latex_name(c) if "α" <= c <= "ω" else c for c in formula) + declare + statement


def _run(source: Iterable[Token], builder: LatexBuilder) -> Any:
    seen: list[Token] = []

    def recorded() -> Iterator[Token]:
        for token in source:
            seen.append(token)
            yield token

    return lalr.run(
        lalr.table("latex.lark", "formula"),
        "formula",
        recorded(),
        builder,
        lambda position, expected: _unexpected(seen, position, expected, builder.text),
    )


#: What is wrong and what to write, by the token that cannot stand where it does.
_AT: dict[str, tuple[str, str]] = {
    "EQ": ("an equation is no expression", r"write one of its sides; a condition as \left[a = b\right]"),
    "RELATION": ("a comparison outside square brackets", r"write \left[a > b\right], which is 1 or 0"),
    "BAR": ("a | outside the arguments of a density", r"write \left|x\right| for an absolute value"),
    "SIM": (r"a \sim outside an expectation", r"write \mathbb{E}_{x \sim p(\cdot; \theta)}\left[f(x)\right]"),
    "COMMA": ("a comma outside a list", r"write one expression, or a list in f(x, y) and w_{t, i}"),
    "SEMI": ("a semicolon outside the arguments of a function", r"write p(x; \theta)"),
    "AMP": (
        "an & outside cases",
        r"write \begin{cases} a & \text{if } x > 0 \\ b & \text{otherwise} \end{cases}",
    ),
    "LINE": ("a line break outside cases", "write one formula"),
    "IF": (
        "an “if” outside cases",
        r"write \begin{cases} a & \text{if } x > 0 \\ b & \text{otherwise} \end{cases}",
    ),
    "TOP": (r"a \top that is no superscript", r"write A B^\top"),
    "SUB": (
        "a subscript behind something that is no plain name",
        r"write w_{t, i} for two indices, \bar{w}_{i} for an accent",
    ),
    "SUP": ("a second superscript", r"write \left(x^{a}\right)^{b} or x^{a^{b}}"),
    "CDOT": (
        r"a \cdot where a factor is needed",
        r"write a \cdot b; the placeholder stands in a law, x \sim p(\cdot)",
    ),
    "OTIMES": (r"an \otimes where a factor is needed", r"write A \otimes B"),
    "PLUS": ("a + where a term is needed", "write a + b; leave a leading + away"),
    "MINUS": (
        "a - where a term is needed",
        r"write a - b, or parentheses around what is negative, \left(-x\right)",
    ),
    "LPAR": ("a ( where it cannot stand", r"write f(x) or x \cdot (a + b)"),
    "COLON": (
        "a colon outside an index",
        r"write \sum_{i=1}^{N} for a range, p(x; \theta) for parameters, y_{1:T} for a path",
    ),
}  # fmt: skip
#: The same, by the token before it, where that says more.
_BEHIND: dict[str, tuple[str, str]] = {
    "NABLA": ("∇ without its parameter", r"write \nabla_{\theta} E"),
    "BIG": ("a sum or product without its range", r"write \sum_{i=1}^{N} x_{i}"),
    "EXPECT": (
        "an expectation without its law",
        r"write \mathbb{E}_{x \sim p(\cdot; \theta)}\left[f(x)\right]",
    ),
    "PARTIAL": (
        "∂ without the number of a slot",
        r"write \partial_{2} f(x; \theta) for a slot, \nabla_{\theta} f(x; \theta) for all of them",
    ),
    "FRAC": ("a fraction without its two parts", r"write \frac{a}{b}"),
    "SQRT": ("a root of nothing", r"write \sqrt{x}"),
    "OVER": ("an arrow over nothing", r"write \overrightarrow{E}"),
    "SUB": ("a subscript that is missing or needs braces", r"write w_{t, i}"),
    "SUP": ("a superscript that is missing or needs braces", r"write x^{2}, x^{-1}"),
    "STOP": ("⊥ of nothing", r"write \bot(E)"),
    "FUNC": ("a function of nothing", r"write \log x or \exp\left(x\right)"),
    "PAIR": ("a function of nothing", r"write \max\left(a, b\right)"),
}  # fmt: skip
_EMPTY = {"RPAR": "(", "RBRACE": "{", "RSQB": "[", "RABS": "|"}


def _unexpected(tokens: list[Token], position: int, expected: set[str], text: str) -> ParseError:
    """The error for ``tokens[position]``, or for the end of the text where it is behind the last."""
    before = tokens[position - 1] if position else None
    if position >= len(tokens):
        if before is None:
            span = Span(0, max(1, len(text)))
            return ParseError("there is no formula", instead="write an expression", text=text, span=span)
        early = ("the formula ends too early", "write what the last sign stands before")
        what, instead = _BEHIND.get(before.type, early)
        return ParseError(what, instead=instead, text=text, span=Span(before.start, before.end))
    token = tokens[position]
    span = Span(token.start, token.end)
    shown = text[token.start : token.end]
    if position > 3 and tokens[position - 4].type == "EXPECT" and token.type != "RBRACE":
        what, instead = _BEHIND["EXPECT"]
    elif before is not None and before.type in _BEHIND and not (before.type == "SUP" and token.type == "TOP"):
        what, instead = _BEHIND[before.type]
        if before.type == "SUB" and position > 1 and tokens[position - 2].type in _BEHIND:
            what, instead = _BEHIND[tokens[position - 2].type]
    elif token.type in _EMPTY and before is not None and before.type in ("LPAR", "LBRACE", "LSQB", "LABS"):
        what, instead = "brackets around nothing", "write an expression between them"
        span = Span(before.start, token.end)
    elif token.type in _AT:
        what, instead = _AT[token.type]
    elif token.type in _EMPTY and "NAME" in expected:
        what = f"something is missing before this {shown}"
        instead = "write the term that the sign before it needs"
    elif token.type == "RBRACE" or "RBRACE" in expected:
        what, instead = f"unexpected {shown} between braces", r"write \frac{a}{b}, w_{t, i}, \sum_{i=1}^{N}"
    else:
        what, instead = f"unexpected {shown}", r"write a + b, a b, \frac{a}{b}, f(x; \theta)"
    return ParseError(what, instead=instead, text=text, span=span)
