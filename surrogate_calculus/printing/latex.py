r"""LaTeX that reads like a paper and that :func:`~surrogate_calculus.language.latex.parse_latex` reads back.

For every closed term ``parse_latex(to_latex(e)) == e``, with nothing declared.  What is particular:

* densities and functions show their parameters, ``p(x; \theta)``, not ``p_\theta(x)``;
* families carry their indices below, ``w_{t, i}``: a superscript would be a power;
* a vector parameter is bold, and ``\nabla_{\boldsymbol{\theta}}`` opens the next axis;
* ``\frac{a}{{b} {c}}``, whose inner braces are not seen, is ``a*b^-1*c^-1``; ``\frac{a}{b c}`` is
  ``a/(b*c)``, and ``\frac{{a b}}{c}`` the product a b, kept one, over c;
* the number π is upright, ``\mathrm{\pi}``; the axis 2 by itself is ``\langle 2 \rangle``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..language.latex_names import latex_name
from ..language.terms import Term
from .layout import layout, raised

if TYPE_CHECKING:
    from ..language.declarations import Document

__all__ = ["to_latex"]

_OPEN = {
    "frac": r"\frac{",
    "sup": "",
    "sub": "",
    "underover": "",
    "arrow": r"\overrightarrow{",
    "sqrt": r"\sqrt{",
    "paren": "(",
    "tall": r"\left(",
    "bracket": r"\left[",
    "abs": r"\left|",
    "angle": r"\langle ",
    "unit": "{",
    "cases": r"\begin{cases} ",
}
_CLOSE = {
    "frac": "}",
    "sup": "}",
    "sub": "}",
    "underover": "} ",
    "arrow": "}",
    "sqrt": "}",
    "paren": ")",
    "tall": r"\right)",
    "bracket": r"\right]",
    "abs": r"\right|",
    "angle": r" \rangle",
    "unit": "}",
    "cases": r" \end{cases}",
}
_NEXT = {"frac": "}{", "sup": "^{", "sub": "_{", "cell": " & ", "line": r" \\ "}
_OPERATORS = {
    "+": " + ",
    "-": " - ",
    "−": "-",
    "·": r" \cdot ",
    "⊗": r" \otimes ",
    ",": ", ",
    ";": "; ",
    "|": r" \mid ",
    "=": " = ",
    "from": "=",
    ">": " > ",
    "≥": r" \geq ",
    "~": r" \sim ",
    ":": ":",
    "⊥": r"\bot",
    "∇": r"\nabla",
    "∂": r"\partial",
    "Σ": r"\sum",
    "∏": r"\prod",
    "𝔼": r"\mathbb{E}",
    "⊤": r"\top",
}
_CONSTANTS = {"π": r"\mathrm{\pi}", "ℱ": r"\mathcal{F}"}
_FUNCTIONS = {"exp", "log", "sin", "cos", "tan", "tanh", "max", "min"}
_COMMAND = re.compile(r"\\[A-Za-z]+\Z")


def to_latex(term: Term, *, scope: Sequence[str] = (), given: Document | None = None) -> str:
    r"""The term as LaTeX for math mode, such that ``parse_latex(to_latex(term)) == term``.

    With a document, it is ``parse_latex(text, given)`` that reads it back.

    Args:
        term: any term.
        scope: names for loose bound indices, of the outermost binder first.
        given: a document; its families of two and more indices are set as in papers, ``w_t^i``.

    Raises:
        TermError: where the formula, written out as a tree, is too large to print.
    """
    out: list[str] = []
    #: The part reached in each open ``underover``: its limits are set one below, one above.
    limits: list[int] = []
    applied = False  # whether an operand follows
    command = False  # whether what was written last would swallow a letter
    for kind, text in layout(term, scope, raised(given)):
        if kind == "name":
            piece = latex_name(text)
        elif kind == "bold":
            piece = rf"\boldsymbol{{{latex_name(text)}}}"
        elif kind == "number":
            piece = text
        elif kind == "operator":
            piece = _OPERATORS[text]
        elif kind == "times":
            piece = " "
        elif kind == "apply":
            applied = True
            continue
        elif kind == "open":
            piece = _OPEN[text]
            if text == "underover":
                limits.append(0)
        elif kind == "next":
            if text == "underover":
                limits[-1] += 1
                piece = "_{" if limits[-1] == 1 else "}^{"
            else:
                piece = _NEXT[text]
        elif kind == "close":
            piece = _CLOSE[text]
            if text == "underover":
                limits.pop()
        elif kind == "function":
            piece = "\\" + text if text in _FUNCTIONS else rf"\operatorname{{{text}}}"
        elif kind == "placeholder":
            piece = r"\cdot"
        elif kind == "constant":
            piece = _CONSTANTS[text]
        else:
            escaped = text.replace("#", r"\#")
            piece = rf"\text{{{escaped}}}"
        if not piece:
            continue
        # A space where a command would swallow a letter, and, to be readable, behind \nabla_{\theta}.
        if (command and piece[0].isalpha()) or (
            applied and (command or out[-1] == "}") and not piece.endswith("(")
        ):
            out.append(" ")
        out.append(piece)
        applied = False
        command = _COMMAND.search(piece) is not None
    return "".join(out)
