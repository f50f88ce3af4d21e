"""Kalman and the forward algorithm against sums and integrals that do not recur."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch
from torch import Tensor

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.exact import (
    exact_derivatives,
    forward_log_likelihood,
    kalman_log_likelihood,
)
from surrogate_calculus.numeric.models import HiddenMarkov, LinearGaussian, LocalLevel, ScalarLinearGaussian

EYE = torch.eye(2, dtype=torch.float64)
PLANE = LinearGaussian(
    torch.tensor([[0.8, 0.1], [-0.2, 0.7]], dtype=torch.float64),
    EYE + 0.3,
    torch.tensor([[1.0, 0.5], [0.0, 0.3], [1.0, -1.0]], dtype=torch.float64),
    torch.eye(3, dtype=torch.float64) * 0.4 + 0.1,
    EYE[0],
    EYE + 0.1,
)
SCALAR = ScalarLinearGaussian(mean=0.3)
LEVEL = LocalLevel(1.0, 4.0, 0.5, 2.0)


def normal(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def joint(model: Any, y: Tensor, parameters: dict[str, Tensor]) -> Tensor:
    """log p of the rows that are not missing, from the joint law of all of them: one big Gaussian."""
    s = model.system(parameters)
    q, r = s.step @ s.step.mT, s.error @ s.error.mT
    mean, spread = s.mean, s.variance
    means, spreads = [], []
    for t in range(len(y)):
        if t or not model.first_observed:
            mean, spread = s.a @ mean, s.a @ spread @ s.a.mT + q
        means.append(mean)
        spreads.append(spread)
    rows = []
    for t in range(len(y)):
        row = []
        for u in range(len(y)):
            first, power = min(t, u), torch.linalg.matrix_power(s.a, abs(t - u))
            cross = power @ spreads[first] if t >= u else spreads[first] @ power.mT
            row.append(s.c @ cross @ s.c.mT + (r if t == u else 0))
        rows.append(torch.cat(row, 1))
    flat = y.reshape(-1)
    seen = ~torch.isnan(flat)
    covariance = torch.cat(rows)[seen][:, seen]
    center = torch.cat([s.c @ m for m in means])[seen]
    return torch.distributions.MultivariateNormal(center, covariance).log_prob(flat[seen])


@pytest.mark.parametrize("model", [SCALAR, PLANE, LEVEL], ids=["scalar", "plane", "level"])
@pytest.mark.parametrize("missing", [False, True])
def test_kalman_is_the_joint_gaussian(model: Any, missing: bool) -> None:
    """Value, score and Hessian."""
    y = normal(6, *model.observed)
    if missing:
        y[[0, 3, 5]] = math.nan
    parameters = model.defaults()
    found = exact_derivatives(lambda p: kalman_log_likelihood(model, y, p), parameters)
    expected = exact_derivatives(lambda p: joint(model, y, p), parameters)
    for a, b in zip(found.orders, expected.orders, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-9)
    assert found.score.shape == (len(found.names),) and found.hessian.shape == (len(found.names),) * 2
    torch.testing.assert_close(found.hessian, found.hessian.mT)


def test_batched_parameters() -> None:
    y = normal(5, 3)
    many = {n: v + 0.05 * normal(4, *v.shape) for n, v in PLANE.defaults().items()}
    found = kalman_log_likelihood(PLANE, y, many)
    alone = torch.stack(
        [kalman_log_likelihood(PLANE, y, {n: v[k] for n, v in many.items()}) for k in range(4)]
    )
    torch.testing.assert_close(found, alone)


def test_a_nearly_singular_system_stays_stable() -> None:
    """Observations of variance 10⁻¹² for 2,000 steps."""
    model = ScalarLinearGaussian(a=0.999, r=1e-12)
    y = normal(2000)
    found = exact_derivatives(lambda p: kalman_log_likelihood(model, y, p), {"a": 0.999}, 1)
    before = torch.cat([torch.zeros(1, dtype=torch.float64), y[:-1]])
    # With r → 0 the series is observed: an autoregression, the first step from x₀ ~ N(0, 1).
    variance = torch.ones(2000, dtype=torch.float64)
    variance[0] = 1 + 0.999**2
    expected = -0.5 * ((y - 0.999 * before) ** 2 / variance + torch.log(2 * math.pi * variance)).sum()
    assert float(found.value) == pytest.approx(float(expected), rel=1e-9)
    assert bool(torch.isfinite(found.score).all())


CHAINS = [
    HiddenMarkov((0.4, 0.6), ((0.7, 0.3), (0.2, 0.8)), ((0.9, 0.1), (0.3, 0.7)), hidden_start=start)
    for start in (False, True)
]


@pytest.mark.parametrize("chain", CHAINS, ids=["observed start", "hidden start"])
def test_the_forward_algorithm_is_the_sum_over_paths(chain: HiddenMarkov) -> None:
    y = torch.tensor([1.0, math.nan, 0.0, 1.0], dtype=torch.float64)

    def by_paths(p: Any) -> Tensor:
        c = chain.natural(p)
        terms = []
        for path in itertools.product(range(2), repeat=5 if chain.hidden_start else 4):
            log = c.start[path[0]]
            steps = list(itertools.pairwise(path))
            log = log + sum(c.transition[a, b] for a, b in steps)
            seen = path[1:] if chain.hidden_start else path
            log = log + sum(c.emission[x, int(v)] for x, v in zip(seen, y.tolist(), strict=True) if v == v)
            terms.append(log)
        return torch.logsumexp(torch.stack(terms), 0)

    found = exact_derivatives(lambda p: forward_log_likelihood(chain, y, p), chain.defaults())
    expected = exact_derivatives(by_paths, chain.defaults())
    for a, b in zip(found.orders, expected.orders, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-12)
    assert found.names[:3] == ("start[0]", "start[1]", "transition[0, 0]")


def test_derivatives_of_an_order() -> None:
    found = exact_derivatives(
        lambda p: p["x"] ** 3 * p["z"][1], {"x": 2.0, "z": torch.tensor([5.0, 7.0]).double()}, 3
    )
    assert found.names == ("x", "z[0]", "z[1]")
    assert float(found.orders[3][0, 0, 0]) == 42 and float(found.orders[3][0, 0, 2]) == 12
    assert found.orders[3].shape == (3, 3, 3)
    with pytest.raises(EvaluationError, match="one number"):
        exact_derivatives(lambda p: p["x"].reshape(1), {"x": 1.0})


def test_rows_missing_in_part_are_refused() -> None:
    y = normal(3, 3)
    y[1, 2] = math.nan
    with pytest.raises(EvaluationError, match="missing in part"):
        kalman_log_likelihood(PLANE, y, {})


def test_one_series_at_a_time() -> None:
    """A batch of series is refused, and not read as one."""
    series = torch.zeros(5, 3, dtype=torch.float64)
    kalman_log_likelihood(LEVEL, series[:, 0], LEVEL.defaults())
    for batch in (series, series[:, :1]):
        with pytest.raises(EvaluationError, match="shape"):
            kalman_log_likelihood(LEVEL, batch, LEVEL.defaults())
