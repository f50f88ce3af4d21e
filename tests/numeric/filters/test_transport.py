"""The transport plan, its marginals and its gradient."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.filters import ParticleFilter, Transport
from surrogate_calculus.numeric.filters.transport import plan
from surrogate_calculus.numeric.models import ScalarLinearGaussian

CONVERGED = Transport(tolerance=1e-12, iterations=10_000)


def case(n: int = 6, d: int = 2, dead: bool = False) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(3, n, d, generator=generator, dtype=torch.float64)
    log_w = torch.log_softmax(torch.randn(3, n, generator=generator, dtype=torch.float64), -1)
    if dead:
        log_w[1, 2] = -math.inf
        log_w = torch.log_softmax(log_w, -1)
    return x, log_w


@pytest.mark.parametrize("dead", [False, True])
def test_the_marginals_are_the_weights_and_uniform(dead: bool) -> None:
    x, log_w = case(dead=dead)
    p = plan(x, log_w, CONVERGED)
    assert p.shape == (3, 6, 6) and float(p.min()) >= 0
    torch.testing.assert_close(p.sum(1), torch.exp(log_w))
    torch.testing.assert_close(p.sum(2), torch.full((3, 6), 1 / 6, dtype=torch.float64), rtol=0, atol=1e-10)
    # The mean of the particles moves to the weighted mean.
    torch.testing.assert_close((p @ x).sum(1), (torch.exp(log_w).unsqueeze(-1) * x).sum(1))


def test_a_small_epsilon_leaves_uniform_particles_alone_and_a_large_one_averages() -> None:
    x, _ = case()
    uniform = torch.full((3, 6), -math.log(6), dtype=torch.float64)
    torch.testing.assert_close(6 * plan(x, uniform, Transport(epsilon=1e-3)) @ x, x, atol=1e-6, rtol=0)
    moved = 6 * plan(x, uniform, Transport(epsilon=1e4)) @ x
    torch.testing.assert_close(moved, x.mean(1, keepdim=True).expand_as(x), atol=1e-3, rtol=0)


def test_in_one_dimension_the_order_is_kept() -> None:
    x, log_w = case(8, 1)
    moved = 8 * plan(x, log_w, Transport(epsilon=0.05, iterations=2000)) @ x
    assert torch.equal(moved.argsort(1), x.argsort(1))


@pytest.mark.parametrize("dead", [False, True])
def test_the_unrolled_gradient_is_that_of_finite_differences(dead: bool) -> None:
    x, log_w = case(dead=dead)
    free = torch.isfinite(log_w)
    target = torch.randn(3, 6, 2, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    how = Transport(tolerance=1e-14, iterations=200, scaled=False)

    def value(x: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        masked = torch.where(free, logits, -math.inf)
        return (plan(x, torch.log_softmax(masked, -1), how) @ x * target).sum()

    logits = torch.where(free, log_w, 0.0).requires_grad_()
    x = x.requires_grad_()
    torch.autograd.gradcheck(value, (x, logits), eps=1e-6, atol=1e-6)
    last = Transport(tolerance=1e-14, iterations=200, scaled=False, gradient="last")
    masked = torch.log_softmax(torch.where(free, logits, -math.inf), -1)
    (near,) = torch.autograd.grad((plan(x, masked, last) @ x * target).sum(), logits)
    assert bool(torch.isfinite(near).all())
    torch.testing.assert_close(plan(x, masked, last), plan(x, masked, how))  # the same plan


def test_the_iteration_ends_at_its_tolerance_or_its_limit() -> None:
    x, log_w = case()
    exact = plan(x, log_w, CONVERGED)
    errors = [
        float((plan(x, log_w, Transport(tolerance=tolerance, iterations=500)) - exact).abs().max())
        for tolerance in (1e-1, 1e-4, 1e-8)
    ]
    assert errors[0] > errors[1] > errors[2] and errors[2] < 1e-8
    short = plan(x, log_w, Transport(tolerance=1e-12, iterations=1))
    assert float((short - exact).abs().max()) > errors[1]


def test_the_filter_with_replicates_that_resample_at_their_own_times() -> None:
    model = ScalarLinearGaussian(r=0.5)
    y = torch.randn(8, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    parameters = {n: v.requires_grad_() for n, v in model.defaults().items()}
    how = ParticleFilter(10, "ot", gradient="reparameterised", when=0.5)
    run = how.run(model, y, parameters, seed=1, batch=(5,))
    flags = run.trace.resampled
    assert bool((flags.any(1) & ~flags.all(1)).any())
    found = torch.autograd.grad(run.log_likelihood.sum(), list(parameters.values()))
    assert bool(torch.isfinite(torch.stack(found)).all())
    torch.testing.assert_close(run.trace.log_weights[-1], run.log_weights.detach())


def test_the_gradient_of_the_filter_is_that_of_its_value() -> None:
    """Nothing random depends on the parameters: central differences, relative error near 1e-8."""
    model = ScalarLinearGaussian(r=0.5)
    y = torch.randn(5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    exact = Transport(tolerance=1e-13, iterations=500, scaled=False)
    how = ParticleFilter(8, "ot", gradient="reparameterised", transport=exact)

    def value(log_r: torch.Tensor, a: torch.Tensor) -> torch.Tensor:
        return how.run(model, y, {"log_r": log_r, "a": a}, seed=3).log_likelihood

    at = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (-0.5, 0.8)]
    torch.autograd.gradcheck(value, at, eps=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "options", [{"epsilon": 0.0}, {"tolerance": -1.0}, {"iterations": 0}, {"gradient": "magic"}]
)
def test_options_that_make_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(EvaluationError):
        Transport(**options)
