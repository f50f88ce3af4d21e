"""Arguments of the assertions, looked at before anything is run."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..errors import EvaluationError

__all__ = ["fraction", "orders_of", "seed_of", "whole_number"]

#: The highest order: a derivative of order k of P numbers has P^k components.
MAX_ORDER = 12
#: Twice a seed, and one more, are 64 bits.
_SEEDS = 1 << 62


def orders_of(orders: Any) -> tuple[int, ...]:
    """The orders, sorted, each once.

    Raises:
        EvaluationError: no sequence of whole numbers from 0 to 12, or an empty one.
    """
    wanted = "orders=(1, 2); order 0 is the value of the loss"
    if isinstance(orders, (str, bytes)) or not isinstance(orders, (Sequence, set, frozenset, range)):
        raise EvaluationError(f"orders are a sequence of whole numbers, not {orders!r:.40}", instead=wanted)
    for order in orders:
        if isinstance(order, bool) or not isinstance(order, int) or not 0 <= order <= MAX_ORDER:
            raise EvaluationError(f"no derivative has order {order!r:.40}", instead=wanted)
    if not orders:
        raise EvaluationError("no order is asked for, and nothing would be compared", instead=wanted)
    return tuple(sorted(set(orders)))


def whole_number(value: Any, name: str, least: int) -> int:
    """A whole number.

    Raises:
        EvaluationError: it is none, or too small.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise EvaluationError(
            f"{name} is a whole number from {least}, not {value!r:.40}", instead=f"{name}={max(least, 3)}"
        )
    return value


def seed_of(value: Any) -> int:
    """A seed, which every generator of random numbers takes.

    Raises:
        EvaluationError: it is no whole number, or too large a one.
    """
    if whole_number(value, "seed", 0) >= _SEEDS:
        raise EvaluationError(f"the seed {value!r:.40} is too large", instead="seed=0, or below 2^62")
    return int(value)


def fraction(value: Any, name: str, default: str) -> float:
    """A number strictly between 0 and 1.

    Raises:
        EvaluationError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        value = math.nan
    if not 0 < value < 1:
        raise EvaluationError(f"{name} is a number between 0 and 1", instead=f"{name}={default}")
    return float(value)
