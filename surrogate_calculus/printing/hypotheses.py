"""Side conditions as sentences: ``p(x[i]; θ) ≠ 0 for every i``."""

from __future__ import annotations

from collections.abc import Callable

from ..language.binding import free_names, instantiate
from ..language.terms import Sym, Term
from .text import to_unicode

__all__ = ["statement"]

_SIGNS = {
    "nonzero": "{} ≠ 0",
    "positive": "{} > 0",
    "ge": "{} ≥ 0",
    "gt": "{} > 0",
    "int": "{} ≥ 0",
    "whole": "{} is a whole number",
    "normalised": "{} = 1",
    "interchange": "∇ and ∫ may be exchanged in {}",
    "support": "the densities of {} have one support",
}
_NAMES = ("i", "j", "k", "l", "m", "n", *(f"i{number}" for number in range(1, 100)))


def statement(kind: str, term: Term, show: Callable[[Term], str] = to_unicode) -> str:
    """A hypothesis as text.

    Args:
        kind: of a hypothesis, or of a condition on indices.
        term: what it is said of; bound indices that reach out of it stand for every index.
        show: the printer.
    """
    used = free_names(term)
    fresh = (name for name in _NAMES if name not in used)
    names = []
    while term.loose:
        names.append(next(fresh))
        term = instantiate(term, Sym(names[-1]))
    text = _SIGNS[kind].format(show(term))
    return f"{text} for every {', '.join(names)}" if names else text
