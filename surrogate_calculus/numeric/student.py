"""Critical values of Student's t: what the tests of means, of filters and of losses, are compared with."""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

import mpmath

__all__ = ["critical_value"]


@lru_cache(maxsize=256)
def critical_value(rate: float, degrees: float) -> float:
    """What |t| exceeds with probability ``rate``.

    Args:
        rate: between 0 and 1, both sides together.
        degrees: of freedom; ∞ for a normal variable.
    """
    normal = NormalDist().inv_cdf(1 - rate / 2)
    if math.isinf(degrees):
        return normal

    def excess(t: mpmath.mpf) -> mpmath.mpf:
        tail = mpmath.betainc(degrees / 2, 0.5, 0, degrees / (degrees + t * t), regularized=True)
        return mpmath.log(tail / rate)

    high = normal
    while excess(high) > 0:
        high *= 2
    return float(mpmath.findroot(excess, (normal / 2, high), solver="anderson"))
