"""Rates and powers of the tests, against simulation."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from surrogate_calculus.numeric.means import critical_value, power_of, test_of_mean

ZERO = torch.zeros(1, dtype=torch.float64)


def normal(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(
    ("rate", "degrees", "table"),
    [
        (0.05, 10, 2.22814),
        (0.01, 5, 4.03214),
        (0.001, 30, 3.64596),
        (0.05, 1, 12.7062),
        (0.01, 10**6, 2.57583),
        (0.0001, 5000, 3.89373),
        (0.01, math.inf, 2.57583),
    ],
)
def test_critical_values_are_those_of_the_tables(rate: float, degrees: int, table: float) -> None:
    assert critical_value(rate, degrees) == pytest.approx(table, abs=6e-5)


def test_the_rate_of_false_alarms_is_the_stated_one() -> None:
    """20,000 tests of 12 normal numbers whose mean is 0, and of 3 components at once: 4 standard errors."""
    values = normal(12, 20_000) * 3
    z = test_of_mean(values, torch.zeros(20_000, dtype=torch.float64), 0.01).z
    share = float((z.abs() > critical_value(0.01, 11)).double().mean())
    assert abs(share - 0.01) <= 4 * math.sqrt(0.01 * 0.99 / 20_000)
    alarms = sum(
        test_of_mean(row, torch.zeros(3, dtype=torch.float64), 0.1).worst[1]
        > test_of_mean(row, torch.zeros(3, dtype=torch.float64), 0.1).critical
        for row in normal(1000, 12, 3, seed=2)
    )
    assert 0.06 <= alarms / 1000 <= 0.13  # Bonferroni is a bound: 1 - (1 - 0.1/3)³ = 0.097


def test_the_power_is_the_stated_one() -> None:
    """Replicates with mean 0.25 and deviation 1: how often a mean of 0 is refused."""
    rate, count = 0.01, 200
    values = normal(count, 10_000, seed=3) + 0.25
    found = test_of_mean(values, torch.zeros(10_000, dtype=torch.float64), rate)
    critical = critical_value(rate, count - 1)
    seen = float((found.z.abs() > critical).double().mean())
    assert seen == pytest.approx(power_of(0.25 * math.sqrt(count), critical), abs=0.02)
    one = test_of_mean(values[:, :1], ZERO, rate)
    assert one.power(0.25) == pytest.approx(seen, abs=0.1)  # from one sample's standard error
    assert power_of(0.0, critical_value(0.01, math.inf)) == pytest.approx(0.01)


@pytest.mark.parametrize("count", [60, 240])
def test_skewness_is_allowed_for(count: int) -> None:
    """Exponential numbers: a false alarm is more frequent than stated, and not so at the wider value."""
    rate = 0.002
    generator = torch.Generator().manual_seed(5)
    values = torch.rand((count, 40_000), generator=generator, dtype=torch.float64).log()  # their negatives
    minus_one = -torch.ones(40_000, dtype=torch.float64)
    size = test_of_mean(values, minus_one, rate).z.abs()
    one = test_of_mean(values[:, :1], minus_one[:1], rate)._replace(skewness=-2.0)
    assert float((size > one.critical).double().mean()) > 1.5 * rate
    assert float((size > one.widened).double().mean()) <= rate
    assert one.reliable and one.power(0.3) < power_of(0.3 / float(one.standard_error), one.critical)


def test_three_answers() -> None:
    values = normal(400, 2, seed=7)
    target = torch.zeros(2, dtype=torch.float64)
    found = test_of_mean(values, target, 1e-4)
    assert found.equal(0.5, 0.9) is True
    assert found.equal(0.05, 0.9) is None  # no power
    assert test_of_mean(values + 1, target, 1e-4).equal(0.5, 0.9) is False
    assert test_of_mean(torch.cat([values, values * math.nan]), target, 1e-4).equal(0.5, 0.9) is False
    skew = found._replace(skewness=1e3)
    assert skew.equal(0.5, 0.9) is None and not skew.reliable
    between = found._replace(z=torch.tensor([found.critical + 0.01, 0.0]), skewness=1.0)
    assert between.equal(0.5, 0.9) is None and between.widened > found.critical + 0.01


def test_constant_replicates() -> None:
    """Rounding is no deviation; a constant that is not the target is infinitely many standard errors off."""
    values = torch.full((50, 2), 0.1, dtype=torch.float64)
    values[::2] *= 1 + 1e-16
    right = test_of_mean(values, torch.tensor([0.1, 0.1], dtype=torch.float64), 0.01)
    assert right.worst[1] == 0 and right.equal(0.01, 0.9) is True
    wrong = test_of_mean(values, torch.tensor([0.1, 0.1001], dtype=torch.float64), 0.01)
    assert wrong.worst == (1, math.inf) and wrong.equal(0.01, 0.9) is False
