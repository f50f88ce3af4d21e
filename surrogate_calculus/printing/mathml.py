"""Presentation MathML: one complete ``<math>`` element, valid XML, for pages and screen readers.

The layout is that of the LaTeX printer.  Products and applications carry the invisible operators
U+2062 and U+2061, so that a reader says "times" and "of"; accents are ``<mover accent="true">``.  An
evaluation is an arrow over its term, or over a long one, where browsers do not stretch it so far, an arrow
before the term in parentheses.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from ..language.latex_names import parts_of_name
from ..language.terms import Term
from .layout import layout, raised

if TYPE_CHECKING:
    from ..language.declarations import Document

__all__ = ["to_mathml"]

_NAMESPACE = "http://www.w3.org/1998/Math/MathML"
#: Signs that an arrow is set over.
_UNDER_AN_ARROW = 24
_TAGS = {"frac": "mfrac", "sup": "msup", "sub": "msub", "underover": "munderover"}
_FENCES = {"paren": "()", "tall": "()", "bracket": "[]", "abs": "||", "angle": "⟨⟩"}
_OPERATORS = {
    "-": "<mo>−</mo>",
    "−": '<mo form="prefix">−</mo>',
    "·": "<mo>⋅</mo>",
    "Σ": "<mo>∑</mo>",
    "∏": "<mo>∏</mo>",
    "from": "<mo>=</mo>",
    "~": "<mo>∼</mo>",
    "𝔼": "<mi>𝔼</mi>",
    "∇": "<mo>∇</mo>",
    "∂": "<mo>∂</mo>",
    "⊥": '<mo form="prefix" lspace="0" rspace="0">⊥</mo>',
    "|": "<mo>∣</mo>",
    ",": '<mo separator="true">,</mo>',
    ";": '<mo separator="true">;</mo>',
}
#: Accents as spacing characters, by their combining marks.
_ACCENTS = {
    "\u0304": "¯",
    "\u0303": "~",
    "\u0302": "^",
    "\u0307": "˙",
    "\u0308": "¨",
    "\u030c": "ˇ",
    "\u0306": "˘",
    "\u0301": "´",
    "\u0300": "`",
    "\u030a": "˚",
}


def to_mathml(term: Term, *, scope: Sequence[str] = (), given: Document | None = None) -> str:
    """The term as a ``<math>`` element of presentation MathML.

    Args:
        term: any term.
        scope: names for loose bound indices, of the outermost binder first.
        given: a document; its families of two and more indices are set as in papers, ``w_t^i``.

    Raises:
        TermError: where the formula, written out as a tree, is too large to print.
    """
    out = [f'<math xmlns="{_NAMESPACE}" display="block"><mrow>']
    events = list(layout(term, scope, raised(given)))
    opened: list[int] = []  # where in ``out`` the structures begin that are not closed yet
    scripts: set[int] = set()  # those of them that are a base with both scripts
    for (kind, text), after in zip(events, [*events[1:], ("", "")], strict=True):
        if kind == "name" or kind == "bold":
            out.append(_name(text, kind == "bold"))
        elif kind == "number":
            out.append(f"<mn>{text}</mn>")
        elif kind == "operator":
            out.append(_OPERATORS.get(text) or f"<mo>{escape(text)}</mo>")
        elif kind == "times":
            out.append("<mo>&#x2062;</mo>")
        elif kind == "apply":
            # A thin space about a function's name, unless a parenthesis keeps it apart.
            named = after[0] == "function" or out[-1].startswith('<mi mathvariant="normal">')
            spaced = named and after not in (("open", "paren"), ("open", "tall"))
            out.append('<mo rspace="0.167em">&#x2061;</mo>' if spaced else "<mo>&#x2061;</mo>")
        elif kind == "open":
            opened.append(len(out))
            out.append(_opened(text))
        elif kind == "next":
            if text == "cell":
                out.append("</mrow></mtd><mtd><mrow>")
            elif text == "line":
                out.append("</mrow></mtd></mtr><mtr><mtd><mrow>")
            else:
                out.append("</mrow><mrow>")
        elif kind == "close":
            start = opened.pop()
            if text == "sub" and after == ("next", "sup") and opened and opened[-1] == start - 1:
                # The base of a superscript is a base with its subscript: one stands above the other.
                out[start - 1], out[start] = "<msubsup><mrow>", ""
                scripts.add(start - 1)
            elif start in scripts:
                scripts.remove(start)
                out.append("</mrow></msubsup>")
            elif text == "arrow" and len(out) - start > _UNDER_AN_ARROW:
                out[start] = f'<mrow><mo form="prefix" lspace="0" rspace="0">→</mo>{_opened("paren")}'
                out.append(f"{_closed('paren')}</mrow>")
            else:
                out.append(_closed(text))
        elif kind == "text":
            out.append(f"<mtext>{escape(text).replace(' ', '&#xA0;')}</mtext>")
        elif kind == "placeholder":
            out.append("<mo>·</mo>")
        else:  # a function, π
            out.append(f'<mi mathvariant="normal">{escape(text)}</mi>')
    out.append("</mrow></math>")
    return "".join(out)


def _opened(kind: str) -> str:
    if kind in _TAGS:
        return f"<{_TAGS[kind]}><mrow>"
    if kind in _FENCES:
        return f'<mrow><mo fence="true" form="prefix">{_FENCES[kind][0]}</mo>'
    if kind == "sqrt":
        return "<msqrt><mrow>"
    if kind == "arrow":
        return '<mover accent="true"><mrow>'
    if kind == "cases":
        return '<mrow><mo fence="true" form="prefix">{</mo><mtable columnalign="left"><mtr><mtd><mrow>'
    return "<mrow>"  # a factor of a denominator


def _closed(kind: str) -> str:
    if kind in _TAGS:
        return f"</mrow></{_TAGS[kind]}>"
    if kind in _FENCES:
        return f'<mo fence="true" form="postfix">{_FENCES[kind][1]}</mo></mrow>'
    if kind == "sqrt":
        return "</mrow></msqrt>"
    if kind == "arrow":
        return "</mrow><mo>→</mo></mover>"
    if kind == "cases":
        return "</mrow></mtd></mtr></mtable></mrow>"
    return "</mrow>"


def _name(name: str, bold: bool) -> str:
    """An identifier under its accents, with its primes."""
    core, marks, primes = parts_of_name(name)
    variant = ' mathvariant="bold-italic"' if bold else ""
    spelled = f"<mi{variant}>{escape(core)}</mi>"
    for mark in marks:
        spelled = f'<mover accent="true">{spelled}<mo>{_ACCENTS[mark]}</mo></mover>'
    if primes:
        spelled = f"<msup>{spelled}<mo>{'′' * primes}</mo></msup>"
    return spelled
