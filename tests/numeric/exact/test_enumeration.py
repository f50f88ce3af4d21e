"""Expectations over a particle filter as finite sums: unbiasedness is an equality."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.exact import enumerate_runs, forward_log_likelihood
from surrogate_calculus.numeric.exact.enumeration import ancestor_law
from surrogate_calculus.numeric.filters import ParticleFilter
from surrogate_calculus.numeric.models import HiddenMarkov

TABLES: Any = ((0.4, 0.6), ((0.7, 0.3), (0.2, 0.8)), ((0.9, 0.1), (0.3, 0.7)))
CHAIN = HiddenMarkov(*TABLES)
HIDDEN = HiddenMarkov(*TABLES, hidden_start=True)
Y = torch.tensor([0.0, 1.0, 1.0], dtype=torch.float64)
AT = 0.3
HERE = torch.tensor(AT, dtype=torch.float64)


def line(θ: Tensor) -> dict[str, Tensor]:
    """All logits on a line, so that every table depends on θ."""
    generator = torch.Generator().manual_seed(3)
    return {
        n: v + θ * torch.randn(v.shape, generator=generator, dtype=torch.float64)
        for n, v in CHAIN.defaults().items()
    }


def orders(function: Any, order: int) -> list[float]:
    """A function of θ and its derivatives at AT."""
    θ = torch.tensor(AT, dtype=torch.float64, requires_grad=True)
    value = function(θ)
    found = [value]
    for _ in range(order):
        (value,) = torch.autograd.grad(value, θ, create_graph=True)
        found.append(value)
    return [float(v.detach()) for v in found]


def expectations(
    how: ParticleFilter, steps: int, order: int, model: HiddenMarkov = CHAIN, **options: Any
) -> list[float]:
    """𝔼 of the AD derivatives of Ẑ, as finite sums."""
    drawn = line(HERE)
    every = enumerate_runs(how, model, Y[:steps], drawn, **options)
    assert float(every.probability.sum()) == pytest.approx(1, abs=1e-13)
    return orders(lambda θ: every.mean(every.runs(line(θ)).likelihood), order)


def exact(steps: int, order: int, model: HiddenMarkov = CHAIN) -> list[float]:
    return orders(lambda θ: forward_log_likelihood(model, Y[:steps], line(θ)).exp(), order)


def errors(found: list[float], expected: list[float]) -> list[float]:
    """Against 1, or what is larger: p(y) is near 0.1, its derivatives up to some units."""
    return [abs(a - b) / max(1.0, abs(b)) for a, b in zip(found, expected, strict=True)]


SIZES = [(2, 2, 3), (2, 3, 3), (3, 2, 3), (3, 3, 2)]  # N, T, highest order


@pytest.mark.parametrize(("n", "steps", "order"), SIZES)
@pytest.mark.parametrize(
    "options",
    [
        {"method": "dpf", "scheme": "multinomial"},
        {"method": "dpf", "scheme": "systematic"},
        {"method": "dpf", "scheme": "stratified"},
        {"method": "dpf", "scheme": "residual"},
        {"method": "dpf", "scheme": "systematic", "when": 0.8},
        {"method": "dpf", "scheme": "multinomial", "when": 0.8},
        {"method": "sis"},
        {"method": "dpf2"},
        {"method": "pf-sf", "scheme": "multinomial"},
    ],
    ids=str,
)
def test_what_is_claimed_to_be_unbiased_is(options: dict[str, Any], n: int, steps: int, order: int) -> None:
    how = ParticleFilter(n, **options)
    if n == steps == 3 and options["method"] == "pf-sf":
        order = 1  # 373,248 runs; the second order is seen with fewer
    found = expectations(how, steps, order)
    assert max(errors(found, exact(steps, order))) <= 1e-12


def test_there_are_as_many_runs_as_there_are() -> None:
    """N = T = 3: 2³ first states, and 3³ ancestors and 2³ moves at each of two steps."""
    assert (
        len(enumerate_runs(ParticleFilter(3, scheme="multinomial"), CHAIN, Y)) == 8 * (27 * 8) ** 2 == 373_248
    )


def test_adaptive_resampling_resamples_some_runs_and_not_others() -> None:
    every = enumerate_runs(ParticleFilter(3, when=0.8), CHAIN, Y, line(HERE))
    flags = every.runs().trace.resampled
    assert bool((flags.any(1) & ~flags.all(1)).any())
    sizes = every.runs().trace.effective_sizes
    assert torch.equal(flags[1:], sizes[1:-1] < 0.8 * 3)


@pytest.mark.parametrize(("n", "steps", "order"), SIZES[:3])
@pytest.mark.parametrize(
    ("options", "how"),
    [
        ({}, {"method": "pf", "scheme": "multinomial"}),
        ({}, {"method": "pf", "scheme": "systematic"}),
        ({}, {"method": "pf-sf", "scheme": "systematic"}),
        ({}, {"method": "soft", "scheme": "multinomial"}),
        ({}, {"method": "dpf", "gradient": "live"}),  # an unstopped proposal
    ],
    ids=str,
)
def test_what_is_biased_is_found_to_be(
    options: Any, how: dict[str, Any], n: int, steps: int, order: int
) -> None:
    """The value is unbiased, the first and second derivatives are not."""
    found = errors(expectations(ParticleFilter(n, **how), steps, order, **options), exact(steps, order))
    assert found[0] <= 1e-13
    assert found[1] > 1e-4 and found[2] > 1e-4


def test_a_biased_resampler_is_found() -> None:
    """One that gives the first particle twice its share: even the value is wrong."""

    def biased(weights: Tensor, tuples: Tensor) -> Tensor:
        tilted = weights * (1 + 1.0 * (torch.arange(weights.shape[1]) == 0))
        return ancestor_law("multinomial")(tilted / tilted.sum(1, keepdim=True), tuples)

    found = errors(expectations(ParticleFilter(2), 3, 1, law=biased), exact(3, 1))
    assert found[0] > 1e-4 and found[1] > 1e-4


@pytest.mark.parametrize("method", ["dpf", "sis", "dpf2", "pf-sf"])
def test_an_initial_law_must_be_corrected(method: Any) -> None:
    right = ParticleFilter(2, method, scheme="multinomial")
    assert max(errors(expectations(right, 2, 3, HIDDEN), exact(2, 3, HIDDEN))) <= 1e-12
    wrong = ParticleFilter(2, method, scheme="multinomial", correct_initial=False)
    found = errors(expectations(wrong, 2, 2, HIDDEN), exact(2, 2, HIDDEN))
    assert found[0] <= 1e-13 and found[1] > 1e-4 and found[2] > 1e-4


def test_a_missing_symbol() -> None:
    y = torch.tensor([0.0, math.nan, 1.0], dtype=torch.float64)
    every = enumerate_runs(ParticleFilter(2), CHAIN, y, line(HERE))
    found = orders(lambda θ: every.mean(every.runs(line(θ)).likelihood), 2)
    expected = orders(lambda θ: forward_log_likelihood(CHAIN, y, line(θ)).exp(), 2)
    assert max(errors(found, expected)) <= 1e-12


@pytest.mark.parametrize(
    "how", [ParticleFilter(3, when=0.8), ParticleFilter(2, "dpf2")], ids=["adaptive", "marginal"]
)
def test_some_of_the_runs(how: ParticleFilter) -> None:
    """In chunks or more than once, with a leaf of its own for each."""
    every = enumerate_runs(how, CHAIN, Y, line(HERE))
    rows = torch.tensor([5, 1, 5, len(every) - 1])
    some = every.some(rows)
    assert torch.equal(some.probability, every.probability[rows]) and len(some) == 4
    θ = torch.full((4,), AT, dtype=torch.float64, requires_grad=True)
    parameters = {n: torch.stack([line(t)[n] for t in θ]).unsqueeze(1) for n in line(HERE)}
    value = some.runs(parameters).likelihood
    (own,) = torch.autograd.grad(value.sum(), θ)
    for row, found, slope in zip(rows, value.detach(), own, strict=True):
        expected = orders(lambda s, row=row: every.runs(line(s)).likelihood[row], 1)
        assert [float(found), float(slope)] == pytest.approx(expected, rel=1e-12)


def test_sampled_runs_have_the_law_of_the_enumerated_ones() -> None:
    """The mean of log Ẑ, which is biased, by 40,000 runs: within 4.5 standard errors of the sum."""
    for scheme in ("multinomial", "systematic", "stratified", "residual"):
        for when in ("always", 0.8):
            how = ParticleFilter(3, scheme=scheme, when=when)
            parameters = line(HERE)
            every = enumerate_runs(how, CHAIN, Y, parameters)
            mean = float(every.mean(every.runs().log_likelihood))
            sample = how.run(CHAIN, Y, parameters, seed=1, batch=(40_000,)).log_likelihood
            assert abs(float(sample.mean()) - mean) <= 4.5 * float(sample.std()) / 200


def test_errors() -> None:
    every = enumerate_runs(ParticleFilter(2), CHAIN, Y[:2], line(HERE))
    with pytest.raises(EvaluationError, match="other values than the enumeration"):
        every.runs(line(HERE + 0.1))
    with pytest.raises(EvaluationError, match="more than 100 runs"):
        enumerate_runs(ParticleFilter(3), CHAIN, Y, limit=100)
    with pytest.raises(EvaluationError, match="chooses no ancestors"):
        enumerate_runs(ParticleFilter(3, "ot", gradient="reparameterised"), CHAIN, Y)
