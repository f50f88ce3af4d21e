r"""Formulas as papers print them: chains of members, abbreviations, and how far a prefix reaches.

A printed chain is longer than a formula: relation signs between its members, alignment, punctuation, the
number at the margin.  :func:`printed_members` takes it apart.  :class:`Notation` replaces what a paper
abbreviates, sign by sign.  :func:`readings` gives every term that a formula may be read as where print is
ambiguous: ``\nabla_\theta a b`` is ∇θ(a) b or ∇θ(a b), ``\sum_i a + b`` may sum the b too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import SurrogateError
from .latex import parse_latex
from .latex_products import AmbiguousError
from .terms import Term

if TYPE_CHECKING:
    from .declarations import Document

__all__ = ["Notation", "PrintedMember", "printed_members", "readings", "signs"]

#: No formula is read in more ways.
MAX_READINGS = 64
_SIGN = re.compile(
    r"\\(?:text|mathrm|mathcal|mathbb|operatorname|begin|end)\s*\{[^{}]*\}"
    r"|\\[A-Za-z]+|\\.|[0-9]+|\S'*",
    re.DOTALL,
)
_LAYOUT = frozenset(
    {"&", r"\\", r"\left", r"\right", r"\quad", r"\qquad", r"\begin{aligned}", r"\end{aligned}", r"\,", r"\;"}
)
_RELATIONS = {"=": "=", r"\approx": "≈"}
_OPENING, _CLOSING = frozenset("([{"), frozenset(")]}")
_OPERATORS = frozenset("+-")


def signs(latex: str) -> list[str]:
    r"""The signs of a formula without blanks, alignment and braces around single signs in scripts."""
    found = [re.sub(r"\s", "", s) if s.startswith(("\\begin", "\\end")) else s for s in _SIGN.findall(latex)]
    kept: list[str] = []
    for position, sign in enumerate(found):
        null = sign == "." and position and found[position - 1] in (r"\left", r"\right")
        if sign not in _LAYOUT and not null:
            kept.append(sign)
    out: list[str] = []
    position = 0
    while position < len(kept):
        if kept[position] in ("_", "^") and kept[position + 1 : position + 4 : 2] == ["{", "}"]:
            out += [kept[position], kept[position + 2]]
            position += 4
        else:
            out.append(kept[position])
            position += 1
    return out


@dataclass(frozen=True, slots=True)
class PrintedMember:
    """A member of a printed chain.

    Attributes:
        numbers: the equation numbers on whose lines it stands.
        relation: the sign before it: ``=``, ``≈``, or nothing.
        latex: its signs, separated by blanks.
    """

    numbers: tuple[str, ...]
    relation: str
    latex: str


def printed_members(displays: Iterable[tuple[str, str]]) -> list[PrintedMember]:
    r"""The members of a chain that is printed as one or more numbered displays.

    A sign of relation or operation at the end of a display joins the next one to it.

    Args:
        displays: (number, LaTeX with or without its ``\quad (22)``) in the order of print.
    """
    members: list[PrintedMember] = []
    relation, numbers, piece = "", [], []  # type: ignore[var-annotated]

    def close(then: str) -> None:
        nonlocal relation, numbers, piece
        if piece:
            members.append(PrintedMember(tuple(numbers), relation, " ".join(piece)))
        relation, numbers, piece = then, [], []

    for number, latex in displays:
        found = signs(_without_number(latex, number))
        while found and found[-1] in (",", "."):
            found.pop()
        if piece and piece[-1] not in _OPERATORS:
            close("")
        depth = 0
        for sign in found:
            depth += (sign in _OPENING) - (sign in _CLOSING)
            if depth == 0 and sign in _RELATIONS:
                close(_RELATIONS[sign])
                continue
            if number not in numbers:
                numbers.append(number)
            piece.append(sign)
    close("")
    return members


def _without_number(latex: str, number: str) -> str:
    return re.sub(rf"\\quad\s*\({re.escape(number)}\)", "", latex)


class Notation:
    r"""What a document reads for what is printed: ``\hat{Z}_{\text{DPF}}`` is ``\hat{Z}``.

    Args:
        pairs: (printed, read), both LaTeX.  Where several apply the longest does.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        known = [(signs(printed), signs(read)) for printed, read in pairs]
        self._pairs = sorted(known, key=lambda pair: -len(pair[0]))

    def apply(self, latex: str) -> str:
        """The formula as it is to be read."""
        found, out, position = signs(latex), list[str](), 0
        while position < len(found):
            for printed, read in self._pairs:
                if found[position : position + len(printed)] == printed:
                    out += read
                    position += len(printed)
                    break
            else:
                out.append(found[position])
                position += 1
        return " ".join(out)


def readings(
    latex: str, given: Document | None = None, *, vector: Collection[str] = (), indices: Sequence[str] = ()
) -> Iterator[Term]:
    r"""Every term that a printed formula may be read as, the narrowest reach of each prefix first.

    Takes what :func:`~.latex.parse_latex` takes.

    Raises:
        SurrogateError: it is no formula of the language, whatever the reach of its prefixes.
    """
    waiting = [latex, *_wide_sums(latex)]
    waiting.reverse()
    failed: SurrogateError | None = None
    count = given_out = 0
    while waiting and count < MAX_READINGS:
        count += 1
        text = waiting.pop()
        try:
            yield parse_latex(text, given, vector=vector, indices=indices)
            given_out += 1
        except AmbiguousError as error:
            waiting += reversed(error.readings)
        except SurrogateError as error:
            failed = failed or error
    if not given_out and failed is not None:
        raise failed


def _wide_sums(latex: str) -> list[str]:
    r"""The formula with all behind its first ``\sum``\ s in parentheses, where more summands follow."""
    found = signs(latex)
    level = [0]
    for sign in found:
        level.append(level[-1] + (sign in _OPENING) - (sign in _CLOSING))
    heads = [k for k, s in enumerate(found) if s == r"\sum" and level[k] == 0]
    later = [k for k, s in enumerate(found) if heads and k > heads[0] and s in _OPERATORS and level[k] == 0]
    if not later:
        return []
    end = _behind_scripts(found, max(k for k in heads if k < later[0]) + 1)
    return [" ".join([*found[:end], "(", *found[end:], ")"])]


def _behind_scripts(found: Sequence[str], position: int) -> int:
    """The position behind the scripts that begin at ``position``."""
    while position < len(found) and found[position] in ("_", "^"):
        position += 1
        depth = 0
        while True:
            depth += (found[position] in _OPENING) - (found[position] in _CLOSING)
            position += 1
            if depth == 0:
                break
    return position
