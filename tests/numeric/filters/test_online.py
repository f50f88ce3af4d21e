"""The online score: the number that autograd makes of DPF's and DPF2's log Ẑ on the same run."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from surrogate_calculus.numeric.filters import ParticleFilter, online_score
from surrogate_calculus.numeric.models import (
    Growth,
    HiddenMarkov,
    LinearGaussian,
    LinearGuide,
    LocalLevel,
    OptimalGuide,
    ScalarLinearGaussian,
    StochasticVolatility,
)

EYE = torch.eye(2, dtype=torch.float64)
PLANE = LinearGaussian(0.6 * EYE + 0.1, EYE + 0.3, EYE[:1] + 0.5, 0.4 * EYE[:1, :1], 0 * EYE[0], EYE)
MODELS: dict[str, Any] = {
    "lgssm": ScalarLinearGaussian(),
    "volatility": StochasticVolatility(),
    "growth": Growth(),
    "local level": LocalLevel(0.0, 3.0, 1.0, 2.0),
    "plane": PLANE,
    "hmm": HiddenMarkov((0.4, 0.6), ((0.7, 0.3), (0.2, 0.8)), ((0.9, 0.1), (0.3, 0.7))),
    "hidden start": HiddenMarkov(
        (0.4, 0.6), ((0.7, 0.3), (0.2, 0.8)), ((0.9, 0.1), (0.3, 0.7)), hidden_start=True
    ),
}
STEPS = 70  # more than a block


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(
    ("method", "when"), [("sis", "never"), ("dpf", "always"), ("dpf", 0.5), ("dpf2", "always")]
)
@pytest.mark.parametrize("kind", ["stopped", "live"])
def test_the_online_score_is_autograd(name: str, method: Any, when: Any, kind: Any) -> None:
    """To 1e-10 of the largest component and 1: sums in another order."""
    model = MODELS[name]
    generator = torch.Generator().manual_seed(3)
    y = torch.randn(STEPS, *model.observed, generator=generator, dtype=torch.float64)
    if model.discrete:
        y = (y > 0).double()
    y[3] = torch.nan
    guides: list[Any] = [None]
    if not model.discrete:
        guides.append(OptimalGuide(model) if model.event else LinearGuide())
    for guide in guides:
        how = ParticleFilter(8, method, guide, kind, when=when)
        own = {**model.defaults(), **({} if guide is None else guide.defaults())}
        for batch, spread in (((), False), ((3,), False), ((3,), True)):
            shift = 0.1 * torch.arange(3, dtype=torch.float64)
            parameters: dict[str, Tensor] = {
                n: (v + shift.reshape(3, *(1,) * v.dim()) if spread else v.clone()).requires_grad_()
                for n, v in own.items()
            }
            run = how.run(model, y, parameters, seed=1, batch=batch)
            online = online_score(how, model, y, parameters, seed=1, batch=batch)
            torch.testing.assert_close(
                online.log_likelihood, run.log_likelihood.detach(), rtol=1e-13, atol=1e-13
            )
            found = torch.autograd.grad(
                run.log_likelihood.sum(), list(parameters.values()), allow_unused=True
            )
            for n, g in zip(parameters, found, strict=True):
                score = online.score[n]
                assert score.shape == (*batch, *own[n].shape)
                if batch and not spread:
                    score = score.sum(0)
                g = torch.zeros_like(score) if g is None else g
                assert float((score - g).abs().max()) <= 1e-10 * max(1.0, float(g.abs().max())), n


def test_names_that_are_asked_for() -> None:
    model, y = ScalarLinearGaussian(), torch.randn(5, dtype=torch.float64)
    whole = online_score(ParticleFilter(6), model, y, seed=1)
    assert list(whole.score) == ["a", "c", "log_q", "log_r"]
    some = online_score(ParticleFilter(6), model, y, wrt=["log_r"], seed=1)
    assert list(some.score) == ["log_r"]
    torch.testing.assert_close(some.score["log_r"], whole.score["log_r"])
    given = online_score(ParticleFilter(6), model, y, {"c": 1.0}, seed=1, dtype=torch.float32)
    assert (
        list(given.score) == ["c"] and given.score["c"].dtype == given.log_likelihood.dtype == torch.float32
    )
