"""How a canonical name is spelled in LaTeX and taken apart for MathML: letter, accents, primes.

The printers and the LaTeX scanner share this table, so that each name is read back as it was written.
"""

from __future__ import annotations

import unicodedata

from .names import GREEK

__all__ = ["ACCENT_COMMANDS", "FONTS", "GREEK_COMMANDS", "SCRIPT_FONTS", "latex_name", "parts_of_name"]

#: Combining marks by their LaTeX commands.
ACCENT_COMMANDS: dict[str, str] = {
    "bar": "\u0304",
    "tilde": "\u0303",
    "hat": "\u0302",
    "dot": "\u0307",
    "ddot": "\u0308",
    "check": "\u030c",
    "breve": "\u0306",
    "acute": "\u0301",
    "grave": "\u0300",
    "mathring": "\u030a",
}
_COMMAND_OF_MARK = {mark: command for command, mark in ACCENT_COMMANDS.items()}
#: Wider forms of the same accents.
ACCENT_COMMANDS.update(
    {"overline": "\u0304", "widebar": "\u0304", "widetilde": "\u0303", "widehat": "\u0302"}
)

#: Greek letters that have a LaTeX command of their own (the others look like Latin ones).
GREEK_COMMANDS: dict[str, str] = {
    name: letter
    for name, letter in GREEK.items()
    if name.islower()
    or letter in "ΓΔΘΛΞΠΣΥΦΨΩ"
}
del GREEK_COMMANDS["omicron"]
#: Other forms that fold onto the same letters.
_VARIANTS = {"varepsilon": "ε", "vartheta": "θ", "varphi": "φ", "varrho": "ρ", "varsigma": "σ", "varpi": "π"}
_COMMAND_OF_LETTER = {letter: name for name, letter in GREEK_COMMANDS.items()}
GREEK_COMMANDS.update(_VARIANTS)
#: Fonts with capital script letters, which are letters of their own: ``\\mathcal{L}`` is ``ℒ``.
SCRIPT_FONTS = frozenset({"mathcal", "mathscr"})
#: Commands that set a name in another font.
FONTS = SCRIPT_FONTS | {"mathrm", "mathit", "mathsf", "mathbf", "boldsymbol", "bm", "text", "operatorname"}


def parts_of_name(name: str) -> tuple[str, str, int]:
    """(what is left, its combining marks from inside out, number of primes behind).

    The marks are empty where the name is more than one letter with accents that have commands.
    """
    core = name.rstrip("'")
    primes = len(name) - len(core)
    letters = unicodedata.normalize("NFD", core)
    if len(letters) > 1 and all(mark in _COMMAND_OF_MARK for mark in letters[1:]):
        return letters[0], letters[1:], primes
    return core, "", primes


def latex_name(name: str) -> str:
    r"""The name in LaTeX: ``w̄'`` is ``\bar{w}'``, ``θ`` is ``\theta``, ``loss_1`` is ``\mathrm{loss\_1}``."""
    core, marks, primes = parts_of_name(name)
    if core in _COMMAND_OF_LETTER:
        spelled = "\\" + _COMMAND_OF_LETTER[core]
    elif len(core) == 1 and "SCRIPT CAPITAL" in unicodedata.name(core, ""):
        spelled = rf"\mathcal{{{unicodedata.normalize('NFKC', core)}}}"
    elif len(core) == 1:
        spelled = core
    else:
        escaped = core.replace("_", r"\_")
        spelled = rf"\mathrm{{{escaped}}}"
    for mark in marks:
        spelled = rf"\{_COMMAND_OF_MARK[mark]}{{{spelled}}}"
    return spelled + "'" * primes
