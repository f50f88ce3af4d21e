"""Random variables of a document with finitely many values, for counterexamples to claims about 𝔼[· | t].

What is drawn from a density is drawn from one of finitely many values; ancestors are drawn one by one by the
weights that their law is given, normalised, which has unbiased offspring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from typing import TYPE_CHECKING

from ..errors import SurrogateError
from ..language.binding import substitute
from ..language.declarations import ROW
from ..language.terms import App, Indexed, Num, Stop, Sym, Term, add
from ..semantics import draws_of
from ..semantics.unroll import unroll, whole

if TYPE_CHECKING:
    from ..language.declarations import Document, Sample
    from ..semantics import Draw

__all__ = ["drawn"]

#: The values of what is drawn from a density; few, since all outcomes are written out.
VALUES = (0, 1)
#: With more outcomes than this a claim is not looked at.
MAX_OUTCOMES = 1024


def drawn(document: Document, counts: Mapping[str, int]) -> list[Draw] | None:
    """The random variables of a document at concrete counts; None where they cannot be written out."""
    supports: dict[str, tuple[int, ...]] = {}
    rows: dict[str, Callable[..., Term]] = {}
    try:
        for sample in document.samples:
            law = sample.law.args[0] if isinstance(sample.law, Stop) else sample.law
            if not isinstance(law, App):
                return None
            if sample.is_map:
                lo, hi = (whole(unroll(e, document, counts), "a range", e) for e in _values(sample, document))
                supports[sample.name] = tuple(range(lo, hi + 1))
                rows[sample.name] = partial(_by_weight, sample, law.args[0], supports[sample.name])
            elif len(law.arguments) == 1:
                supports[sample.name] = VALUES
            else:
                return None  # a joint density, of which another argument is given
        draws = draws_of(document, counts, supports, rows)
    except (SurrogateError, TypeError):
        return None
    return draws if prod(len(d.support) for d in draws) <= MAX_OUTCOMES else None


def _values(sample: Sample, document: Document) -> tuple[Term, Term]:
    """The range of the values of an ancestor map: that of the row that it is drawn for.

    Raises:
        TypeError: it has none.
    """
    bounds = (document.shape(sample.name) or ())[sample.indices.index(ROW)]
    if bounds is None:
        raise TypeError("the rows of a map have no known length")
    return bounds


def _by_weight(sample: Sample, weights: Term, support: tuple[int, ...], *place: int) -> Term:
    """The probability of the ancestor at a place: its weight among those of the row."""
    put = {i.name: Num(k) for i, k in zip(sample.indices, place, strict=True) if isinstance(i, Sym)}
    del put[ROW.name]
    one = substitute(weights, put)
    own = Indexed(sample.name, *map(Num, place))
    return substitute(one, {ROW.name: own}) / add(*(substitute(one, {ROW.name: Num(k)}) for k in support))

