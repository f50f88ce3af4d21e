"""A budget of work, so that what is hostile is refused in time that is bounded by its size.

Walks over terms and the building of large nodes spend of the budget in force, a node about 1.  Where none is
in force nothing is limited.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import TypeVar

__all__ = ["TooMuch", "bounded", "charge"]

#: What plain data may take, and what besides for each row of its tables.  Derivations take 20 to 35 a row.
ALLOWED, ALLOWED_EACH = 400_000, 100

Answer = TypeVar("Answer")
#: What is left.
_LEFT: ContextVar[list[float] | None] = ContextVar("left", default=None)


class TooMuch(Exception):
    """More work than the budget in force allows."""


def charge(amount: float) -> None:
    """Spend of the budget in force.

    Raises:
        TooMuch: there is not so much left.
    """
    left = _LEFT.get()
    if left is not None:
        left[0] -= amount
        if left[0] < 0:
            raise TooMuch("it takes too much work for its size")


def bounded(answer: Callable[[object], Answer]) -> Callable[[object], Answer]:
    """A function of plain data, with a budget in proportion to the rows of its tables."""

    @wraps(answer)
    def answered(data: object) -> Answer:
        tables = data.values() if isinstance(data, dict) else ()
        rows = sum(len(table) for table in tables if isinstance(table, list))
        token = _LEFT.set([ALLOWED + ALLOWED_EACH * rows])
        try:
            return answer(data)
        finally:
            _LEFT.reset(token)

    return answered
