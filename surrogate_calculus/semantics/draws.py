"""Random variables with finitely many values, for the exact meaning of 𝔼[· | t].

A :class:`Draw` is one random variable of a document at concrete indices.  A list of them, in the order
in which they are drawn, is all that a :class:`~.model.Model` knows of ``sample`` statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import product
from typing import NamedTuple

from ..errors import EvaluationError
from ..language.terms import HAS_EXPECT, Term

__all__ = ["Draw", "Draws"]

#: No expectation over more outcomes than this is written out.
MAX_OUTCOMES = 100_000

#: The value of each draw, None where it is that of the point.
World = tuple[Fraction | None, ...]


class Draw(NamedTuple):
    """One random variable.

    Attributes:
        name: the family that is drawn.
        indices: its indices; () for a single variable.
        time: when it is drawn.
        law: the weight of its value, in which the draw stands by its own name, ``q(x[1,2] | x[0,1]; φ)``.
            It need not be normalised; a stopped law is used at its value.
        support: the values that it may have.
    """

    name: str
    indices: tuple[int, ...]
    time: int
    law: Term
    support: Sequence[int | Fraction]


class Draws:
    """All draws, in the order in which they are drawn.

    Args:
        draws: the draws.

    Raises:
        EvaluationError: a draw is given twice, is drawn before an earlier time, or has a law that is an
            expectation itself.
    """

    def __init__(self, draws: Iterable[Draw] = ()) -> None:
        self.all = tuple(draws)
        self.place = {(d.name, d.indices): k for k, d in enumerate(self.all)}
        self.names = frozenset(d.name for d in self.all)
        #: Nothing drawn: every value is that of the point.
        self.given: World = (None,) * len(self.all)
        if len(self.place) < len(self.all):
            raise EvaluationError("a random variable is drawn twice")
        for before, after in zip(self.all, self.all[1:], strict=False):
            if after.time < before.time:
                raise EvaluationError(f"{after.name} is drawn at {after.time}, behind {before.time}")
        for draw in self.all:
            if draw.law.flags & HAS_EXPECT:
                raise EvaluationError(f"the law of {draw.name} is an expectation")

    def after(self, time: int) -> int:
        """The number of the first draw that is later than a time."""
        return next((k for k, d in enumerate(self.all) if d.time > time), len(self.all))

    def worlds(self, known: World, first: int) -> list[World]:
        """Every outcome of the draws from one on, the earlier ones being as they are.

        Raises:
            EvaluationError: there are too many.
        """
        count = 1
        for draw in self.all[first:]:
            count *= len(draw.support)
        if count > MAX_OUTCOMES:
            raise EvaluationError(f"an expectation over more than {MAX_OUTCOMES:,} outcomes")
        supports = [[Fraction(x) for x in d.support] for d in self.all[first:]]
        return [(*known[:first], *values) for values in product(*supports)]

    def until(self, world: World, last: int) -> World:
        """The same outcome with all that is drawn behind a draw left out: a law does not depend on it."""
        return (*world[: last + 1], *self.given[last + 1 :])
