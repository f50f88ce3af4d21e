"""Filters against plain ones written apart, where weights are zero, nearly so, missing, or very many."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from plain_filters import derivatives, plain_filter, transported
from torch import Tensor

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.exact import kalman_log_likelihood
from surrogate_calculus.numeric.filters import FilterRun, ParticleFilter, Transport, online_score
from surrogate_calculus.numeric.models import (
    Growth,
    HiddenMarkov,
    ScalarLinearGaussian,
    StochasticVolatility,
)

LGSSM = ScalarLinearGaussian(a=0.7, r=0.5)


@dataclass(frozen=True)
class Wall(ScalarLinearGaussian):
    """y_t is seen only from the positive side; where it is not, the derivative of the log-density is NaN."""

    def log_observation(self, c: Any, t: Any, y: Tensor, x: Tensor) -> Tensor:
        return torch.log(c.c * x.clamp(min=0)) - c.error * x * y


WALL = Wall(a=1.0, q=0.3, mean=0.5)


def normal(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def spread(model: Any, replicates: int) -> dict[str, Tensor]:
    """Parameters of each replicate's own."""
    shift = 0.05 * torch.arange(replicates, dtype=torch.float64)
    return {n: (v + shift.reshape(-1, *(1,) * v.dim())).requires_grad_() for n, v in model.defaults().items()}


def orders(value: Tensor, parameters: dict[str, Tensor], b: int) -> list[Tensor]:
    """Of replicate b: the first derivatives by the sweep, those by the graph, and the Hessian."""
    leaves = list(parameters.values())

    def row(y: Tensor, graph: bool) -> Tensor:
        found = torch.autograd.grad(y, leaves, create_graph=graph, retain_graph=True, allow_unused=True)
        pairs = zip(found, leaves, strict=True)
        return torch.cat([(torch.zeros_like(v) if g is None else g)[b].reshape(-1) for g, v in pairs])

    swept, first = row(value, False), row(value, True)
    second = [row(e, False) if e.requires_grad else torch.zeros_like(swept) for e in first]
    return [swept, first.detach(), torch.stack(second)]


def agree(run: FilterRun, model: Any, parameters: dict[str, Tensor], method: str, kind: str) -> None:
    """Value, gradient and Hessian of every replicate, to 1e-9 of the largest entry and 1.

    Some hundred summands in double precision, in another order and not in log space.
    """
    for b in range(len(run.log_sum)):
        own = {n: v.detach()[b].clone().requires_grad_() for n, v in parameters.items()}
        plain = plain_filter(model, run.trace, b, own, method, kind=kind)
        torch.testing.assert_close(run.log_sum[b].detach(), plain.log_sum.detach(), rtol=1e-12, atol=1e-12)
        weights = torch.exp(run.log_weights[b]).detach()
        torch.testing.assert_close(weights, plain.weights.detach(), rtol=1e-10, atol=1e-12)
        gradient, hessian = derivatives(plain.log_likelihood, own)
        swept, first, second = orders(run.log_likelihood[b], parameters, b)
        for found, expected in ((swept, gradient), (first, gradient), (second, hessian)):
            assert float((found - expected).abs().max()) <= 1e-9 * max(1.0, float(expected.abs().max()))


KINDS = [(m, k) for m in ("sis", "pf", "pf-sf", "dpf", "soft") for k in ("stopped", "reparameterised")]


@pytest.mark.parametrize("when", ["always", "never", 0.6])
@pytest.mark.parametrize(("method", "kind"), KINDS)
def test_mixed_batches_and_no_resampling(method: Any, kind: Any, when: Any) -> None:
    """The factor of a step without resampling, beside replicates that are resampled at it."""
    parameters = spread(LGSSM, 3)
    how = ParticleFilter(6, method, gradient=kind, when=when)
    run = how.run(LGSSM, normal(5).abs(), parameters, seed=3)
    flags = run.trace.resampled
    if when == 0.6 and method != "sis":
        assert bool((flags.any(1) & ~flags.all(1)).any())
    if when == "never":
        assert not bool(flags.any())
    agree(run, LGSSM, parameters, method, kind)


@pytest.mark.parametrize(
    ("method", "kind", "when"),
    [*((m, k, when) for m, k in KINDS for when in ("always", 0.6)), ("dpf2", "stopped", "always")],
)
def test_dead_particles_leave_the_derivatives_of_the_living(method: Any, kind: Any, when: Any) -> None:
    """Particle 0 among the dead; log-weights of -∞ under every method, orders 1 and 2."""
    parameters = spread(WALL, 2)
    run = ParticleFilter(6, method, gradient=kind, when=when).run(WALL, normal(5).abs(), parameters, seed=3)
    dead = torch.isneginf(run.trace.log_weights)
    assert bool(dead[1:, :, 0].any()) and bool((~dead).any(-1).all())
    agree(run, WALL, parameters, method, kind)


@pytest.mark.parametrize("model", [StochasticVolatility(), Growth()], ids=["volatility", "growth"])
@pytest.mark.parametrize("method", ["pf", "pf-sf", "dpf", "soft", "dpf2"])
def test_an_initial_law_with_parameters_and_a_nonlinear_model(method: Any, model: Any) -> None:
    parameters = spread(model, 2)
    run = ParticleFilter(6, method).run(model, normal(4), parameters, seed=3)
    agree(run, model, parameters, method, "stopped")


@pytest.mark.parametrize("method", ["sis", "pf", "pf-sf", "dpf", "soft", "dpf2"])
def test_missing_observations_have_a_factor_of_one(method: Any) -> None:
    """Of all replicates, and of one only; the transition's derivative stays."""
    y = normal(5, 2)
    y[0] = y[3] = y[2, 1] = math.nan
    parameters = spread(LGSSM, 2)
    when = "always" if method == "dpf2" else 0.9
    run = ParticleFilter(6, method, when=when).run(LGSSM, y, parameters, seed=5)
    agree(run, LGSSM, parameters, method, "stopped")


@pytest.mark.parametrize("noise", [1.5e-3, 4e-3])
@pytest.mark.parametrize("method", ["pf", "pf-sf", "dpf", "soft", "dpf2"])
def test_one_weight_of_all_but_one(method: Any, noise: float) -> None:
    """The others are near 10⁻³⁰⁰ of it, or less than the smallest number there is."""
    model = ScalarLinearGaussian(a=0.7, r=noise)
    parameters = spread(model, 2)
    run = ParticleFilter(6, method).run(model, normal(4), parameters, seed=3)
    smallest = run.trace.log_weights[1:].amin(-1)
    assert bool((smallest < -500).any()) and bool(torch.isfinite(smallest).all())
    assert float(run.trace.log_weights[1:].amax(-1).max()) > -1e-10  # one weight is 1 but for 10⁻¹⁰
    agree(run, model, parameters, method, "stopped")


@pytest.mark.parametrize("method", ["sis", "pf", "pf-sf", "dpf", "soft", "dpf2"])
def test_a_chain_with_impossible_steps(method: Any) -> None:
    """Probabilities of zero, logits of -∞: derivatives are finite, and those of the online score."""
    model = HiddenMarkov(
        (0.5, 0.5, 0.0),
        ((0.5, 0.5, 0.0), (0.0, 0.5, 0.5), (0.5, 0.0, 0.5)),
        ((1.0, 0.0), (0.3, 0.7), (0.6, 0.4)),
        hidden_start=True,
    )
    y = torch.tensor([0.0, 1, 0, 1, 0], dtype=torch.float64)
    parameters = {n: v.requires_grad_() for n, v in model.defaults().items()}
    leaves = list(parameters.values())
    how = ParticleFilter(8, method, scheme="multinomial")
    run = how.run(model, y, parameters, seed=2)
    assert bool(torch.isneginf(run.trace.log_weights).any())
    swept = torch.autograd.grad(run.log_likelihood, leaves, retain_graph=True)
    first = torch.autograd.grad(run.log_likelihood, leaves, create_graph=True)
    second = torch.autograd.grad(sum(g.sum() for g in first), leaves)  # type: ignore[arg-type]
    for g, h, k in zip(swept, first, second, strict=True):
        torch.testing.assert_close(g, h.detach(), rtol=1e-11, atol=1e-12)
        assert bool(torch.isfinite(k).all())
    if method in ("sis", "dpf", "dpf2"):
        score = online_score(how, model, y, parameters, seed=2).score
        for g, name in zip(swept, parameters, strict=True):
            torch.testing.assert_close(score[name], g, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("when", ["always", "never", 0.5])
def test_when_all_are_dead_the_time_is_named(when: Any) -> None:
    y = torch.tensor([0.3, 0.1, 1e200, 0.2], dtype=torch.float64)
    how = ParticleFilter(10, when=when)
    for run in (how.run, lambda *a, **k: online_score(how, *a, **k)):
        with pytest.raises(EvaluationError, match="every particle has weight zero at time 3"):
            run(LGSSM, y, seed=1)
    with pytest.raises(EvaluationError, match="every particle has weight zero at time 1"):
        how.run(Wall(mean=-1e6), y, seed=1)


def test_weights_beyond_single_precision() -> None:
    """Log-weights whose sum over replicates overflows are no error; log Ẑ that does is one."""
    huge = torch.tensor([8e18])
    run = ParticleFilter(5).run(LGSSM, huge, batch=(50,), dtype=torch.float32)
    assert run.log_likelihood.dtype == torch.float32 and bool(torch.isfinite(run.log_likelihood).all())
    with pytest.raises(EvaluationError, match="log Ẑ is beyond the range"):
        ParticleFilter(5).run(LGSSM, huge.expand(20), dtype=torch.float32)


# -- what is read off a run --


def test_a_function_is_not_asked_about_the_dead() -> None:
    """log x of a filter whose particles of weight zero have x < 0: value and gradient of the others."""
    parameters = {n: v.requires_grad_() for n, v in WALL.defaults().items()}
    run = ParticleFilter(40).run(WALL, 4 * normal(4).abs(), parameters, seed=3)
    alive = ~torch.isneginf(run.log_weights.detach())
    assert not bool(alive.all())
    value = run.expectation(torch.log)
    expected = (torch.exp(run.log_weights)[alive] * torch.log(run.states[alive])).sum()
    torch.testing.assert_close(value, expected)
    found = torch.autograd.grad(value, list(parameters.values()), retain_graph=True)
    other = torch.autograd.grad(expected, list(parameters.values()))
    torch.testing.assert_close(torch.stack(found), torch.stack(other))
    with pytest.raises(EvaluationError, match="not a finite number at a particle that has weight"):
        run.expectation(lambda x: torch.log(-x))
    with pytest.raises(EvaluationError, match=r"f of the particles is \(\)"):
        run.expectation(torch.sum)


def test_a_likelihood_that_no_number_holds() -> None:
    run = ParticleFilter(20).run(LGSSM, 60 + 0 * normal(30), seed=1)
    assert float(run.log_likelihood) < -1e4
    with pytest.raises(EvaluationError, match="does not hold"):
        _ = run.likelihood
    # One replicate of zero beside others is a number like any other.
    y = torch.stack([normal(30), 60 + normal(30)], 1)
    both = ParticleFilter(20).run(LGSSM, y, seed=1).likelihood
    assert float(both[0]) > 0 and float(both[1]) == 0


# -- the baselines --


@pytest.mark.parametrize("alpha", [0.3, 0.9])
def test_soft_resampling_draws_from_its_mixture(alpha: float) -> None:
    """Karkus et al. 2018, section 4.2: counts of each ancestor within 4.5 standard errors (7·10⁻⁶ each)."""
    runs, n = 3000, 4
    how = ParticleFilter(n, "soft", scheme="multinomial", alpha=alpha)
    trace = how.run(LGSSM, normal(2), seed=6, batch=(runs,)).trace
    law = alpha * torch.exp(trace.log_weights[1]) + (1 - alpha) / n
    counts = torch.nn.functional.one_hot(trace.ancestors[1], n).sum(-2)
    order = law.argsort(-1)  # the lightest, …, the heaviest
    excess = (counts - n * law).gather(-1, order)
    error = torch.sqrt((n * law * (1 - law)).gather(-1, order).sum(0))
    assert bool((excess.sum(0).abs() <= 4.5 * error).all())
    plain = (counts - n * torch.exp(trace.log_weights[1])).gather(-1, order).sum(0)
    assert bool((plain.abs() > 6 * error)[0])  # and not from the weights


@pytest.mark.parametrize("model", [LGSSM, WALL], ids=["lgssm", "wall"])
def test_transport_is_sinkhorns_of_the_paper(model: Any) -> None:
    """Value, gradient and Hessian, the plan having converged to rounding; with dead particles too."""
    steps, n, epsilon = 3, 6, 2.0
    y = normal(steps).abs()
    generator = torch.Generator().manual_seed(4)
    noise = torch.stack(
        [torch.randn(1, n, generator=generator, dtype=torch.float64)[0] for _ in range(steps + 1)]
    )
    exact = Transport(epsilon=epsilon, tolerance=1e-13, iterations=200, scaled=False)
    how = ParticleFilter(n, "ot", gradient="reparameterised", transport=exact)
    parameters = {n: v.requires_grad_() for n, v in model.defaults().items()}
    run = how.run(model, y, parameters, seed=4)
    assert model is LGSSM or bool(torch.isneginf(run.trace.log_weights[1:-1]).any())
    own = {n: v.detach().clone().requires_grad_() for n, v in parameters.items()}
    plain = transported(model, y, own, noise, epsilon)
    torch.testing.assert_close(run.log_likelihood.detach(), plain.detach(), rtol=1e-10, atol=1e-10)
    for found, expected in zip(
        derivatives(run.log_likelihood, parameters), derivatives(plain, own), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-8)


# -- sizes --


def test_ten_thousand_steps_against_fishers_identity() -> None:
    """The score is Σ w̄ ∇ log p(x̃, y) of the lineages (Eq. 13), by autograd and online.

    In single precision log Ẑ keeps six digits.
    """
    y = normal(10_000)
    parameters = {n: v.requires_grad_() for n, v in LGSSM.defaults().items()}
    how = ParticleFilter(100, when=0.5)
    run = how.run(LGSSM, y, parameters, seed=1)
    found = torch.stack(torch.autograd.grad(run.log_likelihood, list(parameters.values())))
    path, weights = run.trace.paths, torch.exp(run.log_weights.detach())
    c = LGSSM.natural(parameters)
    log_p = LGSSM.log_transition(c, 2, path[1:], path[:-1])
    log_p = (log_p + LGSSM.log_observation(c, 2, y[:, None], path[1:])).sum(0)
    expected = torch.stack(torch.autograd.grad((log_p * weights).sum(), list(parameters.values())))
    torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-7)  # of sums near 10⁴
    online = torch.stack(list(online_score(how, LGSSM, y, parameters, seed=1).score.values()))
    torch.testing.assert_close(found, online, rtol=1e-10, atol=1e-7)
    # log Ẑ is low by half its variance, which is near 1.5/N a step.
    kalman = kalman_log_likelihood(LGSSM, y, LGSSM.defaults())
    assert abs(float(run.log_likelihood.detach() - kalman)) < 10_000 * 0.02
    single = ParticleFilter(100).run(LGSSM, y, seed=1, dtype=torch.float32)
    assert single.log_likelihood.dtype == torch.float32
    again = LGSSM.natural(LGSSM.defaults())
    g = LGSSM.log_observation(again, 1, y[:, None], single.trace.states[1:].double())
    exact = (torch.logsumexp(g, 1) - math.log(100)).sum()
    assert abs(float(single.log_likelihood) / float(exact) - 1) < 2e-6


_SIZES = """
import gc, json, resource, sys
import torch
from surrogate_calculus.numeric.exact import exact_derivatives, kalman_log_likelihood
from surrogate_calculus.numeric.filters import ParticleFilter, online_score
from surrogate_calculus.numeric.models import ScalarLinearGaussian

def peak():
    scale = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale

def data(steps):
    return torch.randn(steps, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

model, out = ScalarLinearGaussian(a=0.7, r=0.5), {}
for steps in (100, 100, 500):
    online_score(ParticleFilter(20_000), model, data(steps), seed=1)
    out[f"online {steps}"] = peak()
parameters = {n: v.float().requires_grad_() for n, v in model.defaults().items()}
how, y = ParticleFilter(1_000_000), data(50)
score = online_score(how, model, y, parameters, seed=1).score
out["online million"] = peak()
run = how.run(model, y, parameters, seed=1)
storages = [o.untyped_storage() for o in gc.get_objects() if type(o) is torch.Tensor]
out["kept"] = sum({s.data_ptr(): s.nbytes() for s in storages}.values())
found = torch.autograd.grad(run.log_likelihood, list(parameters.values()))
out["million"] = peak()
exact = exact_derivatives(lambda p: kalman_log_likelihood(model, y, p), model.defaults(), 1)
out["log_z"] = [float(run.log_likelihood), float(exact.value)]
out["score"] = [[float(g) for g in found], [float(v) for v in score.values()], exact.score.tolist()]
print(json.dumps(out))
"""


@pytest.mark.slow
def test_memory_and_a_million_particles() -> None:
    """In a process of its own, whose peak is asked for after each part.

    The online score of 500 steps takes no more than that of 100; what a run keeps of them (state, log-weight
    and ancestor, 24 bytes a particle) would be 190 MB more.  With N = 10⁶ at T = 50 in single precision that
    is 16 bytes, 0.8 GB, beside what the allocator wastes; log Ẑ has a standard error near √(T/N) = 0.007, the
    score near T/√N = 0.05.
    """
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _SIZES], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["online 500"] - found["online 100"] < 40e6
    assert found["online million"] - found["online 500"] < 0.5e9
    assert found["kept"] < 16.5 * 50 * 1e6
    assert found["million"] - found["online 500"] < 2.2e9
    assert abs(found["log_z"][0] - found["log_z"][1]) < 0.05
    swept, online, exact = (torch.tensor(row) for row in found["score"])
    assert float((swept - exact).abs().max()) < 0.4
    torch.testing.assert_close(swept, online, rtol=1e-3, atol=1e-2)  # sums of 10⁶ in single precision
