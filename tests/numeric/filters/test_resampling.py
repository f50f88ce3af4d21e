"""Resampling: the joint law of the ancestors, and that no scheme ever picks a particle of weight zero."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
import torch

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.exact.enumeration import ancestor_law
from surrogate_calculus.numeric.filters import SCHEMES, resample
from surrogate_calculus.numeric.filters import resampling as module

DRAWS = 40_000


def generator(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_joint_law_of_the_ancestors(scheme: Any, counted: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Frequencies of all 27 triples, each within 5 standard errors of the exact law (false alarms 6·10⁻⁷)."""
    monkeypatch.setattr(module, "_COUNT_FROM", 0 if counted else math.inf)
    tuples = torch.tensor(list(itertools.product(range(3), repeat=3)))
    for weights in ([0.5, 0.2, 0.3], [0.0, 0.9, 0.1], [1 / 3, 1 / 3, 1 / 3], [0.05, 0.95, 0.0]):
        w = torch.tensor([weights], dtype=torch.float64)
        law = ancestor_law(scheme)(w, tuples)[0]
        assert float(law.sum()) == pytest.approx(1, abs=1e-12) and float(law.min()) >= 0
        found = resample(w.log().expand(DRAWS, 3), scheme, generator())
        codes = found @ torch.tensor([9, 3, 1])
        frequencies = torch.bincount(codes, minlength=27) / DRAWS
        error = (frequencies - law).abs()
        assert bool((error <= 5 * torch.sqrt(law * (1 - law) / DRAWS) + 1e-9).all()), (scheme, weights)
        offspring = (law[:, None] * torch.nn.functional.one_hot(tuples, 3).sum(1)).sum(0)
        torch.testing.assert_close(offspring, 3 * w[0])  # unbiased


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_particle_of_weight_zero_is_never_picked(
    scheme: Any, counted: bool, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dead heads, tails and gaps of 10⁴ particles, weights over 40 orders of magnitude."""
    monkeypatch.setattr(module, "_COUNT_FROM", 0 if counted else math.inf)
    n = 10_000
    log_w = 10 * torch.randn(6, n, generator=generator(), dtype=dtype)
    log_w[0, n // 2 :] = -math.inf
    log_w[1, : n // 2] = -math.inf
    log_w[2, ::2] = -math.inf
    log_w[3, 1:] = -math.inf
    log_w[4, :-1] = -math.inf
    log_w[5, 10:] = -90.0  # alive, and nothing beside the others
    for seed in range(20):
        found = resample(log_w, scheme, generator(seed))
        assert found.shape == (6, n) and int(found.min()) >= 0 and int(found.max()) < n
        assert bool((log_w.gather(1, found) > -math.inf).all())


def test_extreme_offsets_pass_no_end() -> None:
    """The largest and smallest uniform numbers there are, with totals that round either way."""
    for n in (1, 3, 7, 1000, 4097):
        weights = torch.rand(50, n, generator=generator(), dtype=torch.float64)
        weights[:, n // 2 + 1 :] = 0.0
        sums = weights.cumsum(-1)
        for scheme in SCHEMES:
            for counted in (False, True):
                resampler = module.Resampler(scheme, n, 50, counted=counted)
                for u in (0.0, 1 - 2.0**-53):
                    teeth = 1 if scheme == "systematic" else n
                    points = resampler.points(torch.full((50, teeth), u, dtype=torch.float64))
                    found = resampler.pick(sums, points)
                    assert int(found.min()) >= 0 and int(found.max()) <= n // 2


def test_counting_and_searching_are_one_comb() -> None:
    weights = torch.rand(20, 5000, generator=generator(), dtype=torch.float64) ** 6
    sums = weights.cumsum(-1)
    u = torch.rand(20, 1, generator=generator(), dtype=torch.float64)
    combs = (module.Resampler("systematic", 5000, 20, counted=counted) for counted in (True, False))
    found, other = (comb.pick(sums, comb.points(u)) for comb in combs)
    assert float((found != other).double().mean()) < 1e-3  # ties to rounding


def test_residual_copies_are_certain() -> None:
    log_w = torch.tensor([0.45, 0.3, 0.25], dtype=torch.float64).log().expand(200, 3)
    many = resample(torch.cat([log_w, torch.full((200, 7), -math.inf)], 1), "residual", generator())
    counts = torch.nn.functional.one_hot(many, 10).sum(1)
    assert (
        bool((counts[:, 0] >= 4).all())
        and bool((counts[:, 1] >= 3).all())
        and bool((counts[:, 2] >= 2).all())
    )


def test_errors() -> None:
    with pytest.raises(EvaluationError, match="all zero"):
        resample(torch.full((2, 3), -math.inf))
    with pytest.raises(EvaluationError, match="no resampling scheme"):
        resample(torch.zeros(3), "best")  # type: ignore[arg-type]
