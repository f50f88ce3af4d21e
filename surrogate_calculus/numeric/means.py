"""Tests of means, of filters and of losses, with their false-alarm rates and powers.

All tests are two-sided, at a rate that is divided by the number of components (Bonferroni).  A test that
finds nothing says so only where it had the power to find what matters.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist
from typing import NamedTuple

import mpmath
import torch
from torch import Tensor

__all__ = ["MeanTest", "critical_value", "distortion_of", "power_of", "test_of_mean"]

_NORMAL = NormalDist()
#: Standard errors below this share of the values are rounding.
_ROUNDING = 1e-13


@lru_cache(maxsize=256)
def critical_value(rate: float, degrees: float) -> float:
    """What |t| exceeds with probability ``rate``.

    Args:
        rate: between 0 and 1, both sides together.
        degrees: of freedom; ∞ for a normal variable.
    """
    normal = -_NORMAL.inv_cdf(rate / 2)
    if math.isinf(degrees):
        return normal

    def excess(t: mpmath.mpf) -> mpmath.mpf:
        tail = mpmath.betainc(degrees / 2, 0.5, 0, degrees / (degrees + t * t), regularized=True)
        return mpmath.log(tail / rate)

    high = normal
    while excess(high) > 0:
        high *= 2
    return float(mpmath.findroot(excess, (normal / 2, high), solver="anderson"))


def power_of(effect: float, critical: float) -> float:
    """The probability that |z| exceeds a critical value where its mean is ``effect``, in standard errors."""
    if math.isnan(effect):
        return 0.0
    return _NORMAL.cdf(effect - critical) + _NORMAL.cdf(-effect - critical)


def distortion_of(skewness: float, critical: float, replicates: float) -> float:
    """What skewness makes of the rate of one side of a test, relatively, at first order.

    P(t > x) ≈ P(z > x) (1 ∓ γ x (2x² + 1) / (6 √R)) for large x (Hall 1992, The Bootstrap and Edgeworth
    Expansion, §2.6); the two sides change oppositely.
    """
    x = critical
    return abs(skewness) * x * (2 * x * x + 1) / (6 * math.sqrt(replicates))


class MeanTest(NamedTuple):
    """A test of what the mean of replicates is, by component.

    Attributes:
        mean: of the replicates, (components,).
        standard_error: of the mean, (components,).
        z: (mean - target) / standard error; 0 where both are rounding.
        critical: what |z| of each component is compared with.
        skewness: of the replicates, the largest by absolute value.
        replicates: how many.
    """

    mean: Tensor
    standard_error: Tensor
    z: Tensor
    critical: float
    skewness: float
    replicates: int

    @property
    def worst(self) -> tuple[int, float]:
        """The component with the largest |z|, and this; NaN where one is."""
        size = self.z.abs()
        at = int(torch.nan_to_num(size, nan=math.inf).argmax())
        return at, float(size[at])

    @property
    def distortion(self) -> float:
        """See :func:`distortion_of`."""
        return distortion_of(self.skewness, self.critical, self.replicates)

    @property
    def widened(self) -> float:
        """The critical value at which the stated rate holds on the worse side in spite of skewness.

        The normal density falls by a factor e^d from x to x + d/x.
        """
        return self.critical + self.distortion / self.critical

    @property
    def reliable(self) -> bool:
        """Whether the replicates are symmetric enough for any of this."""
        return self.distortion <= self.critical

    def power(self, effect: float) -> float:
        """The least power of any component against a deviation of this size, at the wider critical value."""
        errors = self.standard_error[self.standard_error > 0]
        return min((power_of(effect / e, self.widened) for e in errors.tolist()), default=1.0)

    def equal(self, effect: float, power: float) -> bool | None:
        """Whether the mean is the target: None where that is not decided.

        True needs the power to see a deviation of size ``effect``; False a |z| that skewness cannot explain.
        """
        size = self.worst[1]
        if math.isnan(size):
            return False
        if size > 2 * self.widened or (self.reliable and size > self.widened):
            return False
        seen = self.reliable and size <= self.critical and self.power(effect) >= power
        return True if seen else None


def test_of_mean(values: Tensor, target: Tensor, rate: float) -> MeanTest:
    """Test at a false-alarm rate that the mean of replicates is a target.

    Args:
        values: independent replicates, (R, components).
        target: (components,).
        rate: of the whole test.
    """
    count, components = values.shape
    mean, deviation = values.mean(0), values.std(0)
    error = deviation / math.sqrt(count)
    scale = torch.maximum(values.abs().amax(0), target.abs())
    constant = deviation <= _ROUNDING * scale
    difference = mean - target
    z = torch.where(
        constant, torch.where(difference.abs() <= 1e-10 * scale, 0.0, math.inf), difference / error
    )
    z = torch.where(torch.isfinite(mean), z, math.nan)
    moved = (values - mean) / torch.where(constant, 1.0, deviation)
    skewness = float((moved**3).mean(0).abs().max())
    tests = max(1, components - int(constant.sum()))
    error = torch.where(constant, 0.0, error)
    return MeanTest(mean, error, z, critical_value(rate / tests, count - 1), skewness, count)


test_of_mean.__test__ = False  # type: ignore[attr-defined]
