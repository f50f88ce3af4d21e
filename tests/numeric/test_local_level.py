"""The local-level model on the Nile data: its likelihood two ways, its score three ways, its prior."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.data import nile
from surrogate_calculus.numeric.exact import exact_derivatives, kalman_log_likelihood
from surrogate_calculus.numeric.models import LocalLevel

MODEL = LocalLevel(mean=1000.0, variance=200.0**2)


def number(value: float) -> torch.Tensor:
    return torch.tensor(value, dtype=torch.float64)


def flows(count: int = 100) -> torch.Tensor:
    return torch.tensor([flow for _, flow in nile()[:count]], dtype=torch.float64)


def log_likelihood(y: torch.Tensor, r: torch.Tensor, s: torch.Tensor) -> torch.Tensor:
    return kalman_log_likelihood(MODEL, y, {"log_r": r.log(), "log_s": s.log()})


def test_the_series_is_the_classic_one() -> None:
    years, values = zip(*nile(), strict=True)
    assert years == tuple(range(1871, 1971))
    assert sum(values) / 100 == pytest.approx(919.35)
    assert (values[0], values[42], values[-1], min(values), max(values)) == (1120, 456, 740, 456, 1370)


def test_the_likelihood_is_that_of_the_joint_gaussian() -> None:
    y, r, s = flows(12), number(1500.0), number(15000.0)
    steps = torch.arange(12, dtype=torch.float64)
    covariance = MODEL.variance + r * torch.minimum(steps[:, None], steps[None, :]) + s * torch.eye(12)
    law = torch.distributions.MultivariateNormal(
        torch.full((12,), MODEL.mean, dtype=torch.float64), covariance
    )
    assert float(log_likelihood(y, r, s)) == pytest.approx(float(law.log_prob(y)), rel=1e-12)


def score_by_recursion(y: torch.Tensor, r: float, s: float) -> tuple[float, float]:
    """The score by the sensitivity equations of the filter, which carry derivatives along.

    With a, P the predicted mean and variance, F = P + s, v = y - a, K = P / F, and a dot for the
    derivative in one of the variances: v̇ = -ȧ, Ḟ = Ṗ + ṡ, ℓ̇ = -½ (Ḟ/F + 2 v v̇/F - v² Ḟ/F²).
    """
    out = []
    for r_dot, s_dot in ((1.0, 0.0), (0.0, 1.0)):
        level, spread = MODEL.mean, MODEL.variance
        level_dot = spread_dot = total = 0.0
        for t, observed in enumerate(y.tolist()):
            if t:
                spread, spread_dot = spread + r, spread_dot + r_dot
            width, width_dot = spread + s, spread_dot + s_dot
            error = observed - level
            total -= 0.5 * (
                width_dot / width - 2 * error * level_dot / width - error**2 * width_dot / width**2
            )
            gain = spread / width
            gain_dot = (spread_dot - gain * width_dot) / width
            level, level_dot = (
                level + gain * error,
                level_dot + gain_dot * error - gain * level_dot,
            )
            spread, spread_dot = spread * (1 - gain), spread_dot * (1 - gain) - spread * gain_dot
        out.append(total)
    return out[0], out[1]


@settings(max_examples=5)
@given(r=st.floats(200, 5000), s=st.floats(5000, 40000))
def test_the_score_by_autograd_recursion_and_differences(r: float, s: float) -> None:
    y = flows()
    score = exact_derivatives(lambda p: log_likelihood(y, p["r"], p["s"]), {"r": r, "s": s}, 1).score
    assert score_by_recursion(y, r, s) == pytest.approx([float(g) for g in score], rel=1e-9, abs=1e-12)
    step = 1e-4 * r
    high, low = (log_likelihood(y, number(r + h), number(s)) for h in (step, -step))
    slope = high - low
    assert float(score[0]) == pytest.approx(float(slope) / (2 * step), rel=1e-4, abs=1e-8)


def test_the_score_is_near_zero_at_the_published_estimate() -> None:
    """Durbin & Koopman give 1469.1 and 15099 under a diffuse law of the first level."""
    diffuse = LocalLevel(0.0, 1e7)
    assert (diffuse.r, diffuse.s) == (1469.1, 15099.0)
    found = exact_derivatives(lambda p: kalman_log_likelihood(diffuse, flows(), p), diffuse.defaults(), 1)
    by_variance = [float(g) / variance for g, variance in zip(found.score, (1469.1, 15099.0), strict=True)]
    assert all(abs(g) < 1e-6 for g in by_variance)


def test_the_joint_density_integrates_to_the_likelihood() -> None:
    """Two steps, on a grid."""
    y, r, s = flows(2), number(30000.0), number(15000.0)
    grid = torch.linspace(-1000, 3000, 801, dtype=torch.float64)
    paths = torch.stack(torch.meshgrid(grid, grid, indexing="ij"), -1)
    total = torch.exp(MODEL.log_joint(paths, y, r, s)).sum() * (grid[1] - grid[0]) ** 2
    assert float(total.log()) == pytest.approx(float(log_likelihood(y, r, s)), rel=1e-8)


def test_samples_have_the_law_of_the_prior() -> None:
    """Means and variances of 20,000 paths, each within 5 standard errors (false alarm < 1e-5)."""
    paths = MODEL.sample(20_000, 3, number(900.0), torch.Generator().manual_seed(7))
    for t, variance in enumerate((40000.0, 40900.0, 41800.0)):
        assert abs(float(paths[:, t].mean()) - 1000) < 5 * (variance / 20_000) ** 0.5
        assert abs(float(paths[:, t].var()) / variance - 1) < 5 * (2 / 20_000) ** 0.5


def test_an_improper_law_is_refused() -> None:
    with pytest.raises(EvaluationError, match="proper"):
        LocalLevel(0.0, 0.0)
