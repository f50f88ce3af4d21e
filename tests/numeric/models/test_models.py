"""Models: that what is drawn has the density that is claimed, exactly where noise is Gaussian."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.models import (
    FiniteGuide,
    Growth,
    HiddenMarkov,
    LinearGaussian,
    LinearGuide,
    LocalLevel,
    OptimalGuide,
    ScalarLinearGaussian,
    StochasticVolatility,
)
from surrogate_calculus.numeric.models.linear_gaussian import packed, unpacked
from surrogate_calculus.numeric.models.protocol import standard_normal

EYE = torch.eye(2, dtype=torch.float64)
PLANE = LinearGaussian(
    torch.tensor([[0.8, 0.1], [-0.2, 0.7]], dtype=torch.float64),
    EYE + 0.3,
    torch.tensor([[1.0, 0.5]], dtype=torch.float64),
    0.4 * EYE[:1, :1],
    EYE[0],
    EYE + 0.1,
)
MODELS: dict[str, Any] = {
    "lgssm": ScalarLinearGaussian(),
    "volatility": StochasticVolatility(mu=0.5, phi=0.8, sigma=0.7),
    "growth": Growth(),
    "local level": LocalLevel(0.0, 3.0, 1.0, 2.0),
    "plane": PLANE,
}
CHAIN = HiddenMarkov((0.4, 0.6), ((0.7, 0.3), (0.0, 1.0)), ((0.9, 0.1), (0.3, 0.7)))


def normal(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def log_density_of(draw: Any, noise: Tensor) -> Tensor:
    """The log-density of draw(noise) for standard normal noise: log N(ε) - log |∂draw/∂ε|."""
    jacobian = torch.autograd.functional.jacobian(draw, noise)
    size = jacobian.abs() if noise.dim() == 0 else torch.linalg.det(jacobian).abs()
    return -0.5 * (noise**2 + math.log(2 * math.pi)).sum() - torch.log(size)


@pytest.mark.parametrize("name", MODELS)
def test_a_draw_has_its_density(name: str) -> None:
    """Initial law, transitions at several times, and observations (a function of their own noise)."""
    model = MODELS[name]
    c = model.natural({})
    for k, t in enumerate((1, 2, 7)):
        before, noise = normal(*model.event, seed=k), normal(*model.event, seed=10 + k)

        def move(ε: Tensor, t: int = t, before: Tensor = before) -> Tensor:
            return model.move(c, t, before, ε)

        torch.testing.assert_close(
            model.log_transition(c, t, move(noise), before), log_density_of(move, noise)
        )
        # A tensor of times is the same as a number.
        times = torch.tensor([t, t])
        x = move(noise).expand(2, *model.event)
        many = model.log_transition(c, times, x, before.expand_as(x))
        torch.testing.assert_close(many, model.log_transition(c, t, x, before.expand_as(x)))
    start = model.log_initial(c, model.initial(c, normal(*model.event)))
    if start is not None:
        torch.testing.assert_close(start, log_density_of(lambda ε: model.initial(c, ε), normal(*model.event)))


@pytest.mark.parametrize("name", MODELS)
def test_observations_integrate_to_one_and_have_the_moments_of_their_draws(name: str) -> None:
    """On a grid of 20,001 points; means and variances of 40,000 draws to 5 standard errors."""
    model = MODELS[name]
    c = model.natural({})
    x = 0.5 * normal(*model.event, seed=3)
    grid = torch.linspace(-60, 60, 20_001, dtype=torch.float64)
    y = grid.reshape(-1, *(1,) * len(model.observed))
    p = torch.exp(model.log_observation(c, 3, y, x.expand(len(grid), *model.event))) * (grid[1] - grid[0])
    assert float(p.sum()) == pytest.approx(1, abs=1e-6)
    mean, variance = float(p @ grid), float(p @ grid**2) - float(p @ grid) ** 2
    draws = model.observe(c, 3, x.expand(40_000, *model.event), torch.Generator().manual_seed(1)).reshape(-1)
    assert abs(float(draws.mean()) - mean) < 5 * math.sqrt(variance / 40_000)
    assert abs(float(draws.var()) / variance - 1) < 5 * math.sqrt(2 / 40_000)


@pytest.mark.parametrize(
    ("model", "guide"), [(MODELS["lgssm"], LinearGuide(0.2, 0.3, 0.4, 0.6)), (PLANE, OptimalGuide(PLANE))]
)
def test_a_guide_draws_from_its_density(model: Any, guide: Any) -> None:
    c = guide.natural(model.defaults() | guide.defaults())
    before, y, noise = normal(*model.event), normal(*model.observed, seed=2), normal(*model.event, seed=3)

    def move(ε: Tensor) -> Tensor:
        return guide.move(c, 2, y, before, ε)

    torch.testing.assert_close(guide.log_density(c, 2, y, move(noise), before), log_density_of(move, noise))


def test_the_optimal_guide_is_the_posterior() -> None:
    """p(x|z) p(y|x) / q(x|z,y) is p(y|z), whatever x."""
    guide = OptimalGuide(PLANE)
    c, q = PLANE.natural({}), guide.natural({})
    before, y = normal(2), normal(1, seed=2)
    x = normal(9, 2, seed=3)
    ratio = PLANE.log_transition(c, 2, x, before) + PLANE.log_observation(c, 2, y, x)
    ratio = ratio - guide.log_density(q, 2, y, x, before)
    torch.testing.assert_close(ratio, ratio[:1].expand(9))


@pytest.mark.parametrize("t", [1, 2])
def test_a_finite_guide_is_its_formula(t: int) -> None:
    """q ∝ A Bᵏ: with κ = 0 the transition, with κ = 1 the law given the observation; draws have that law."""
    c = CHAIN.natural({})
    rows = torch.exp(torch.stack([c.start, c.start]) if t == 1 else c.transition)
    for power in (0.0, 0.5, 1.0):
        guide = FiniteGuide(CHAIN, power)
        for symbol in (0, 1):
            law = rows * torch.exp(c.emission[:, symbol]) ** power
            law = law / law.sum(1, keepdim=True)
            y = torch.tensor(float(symbol))
            x, before = torch.tensor([0, 1]), torch.tensor([[0], [1]])
            found = guide.log_density(c, t, y, x, before)
            torch.testing.assert_close(torch.exp(found), law)
            torch.testing.assert_close(guide.log_density(c, torch.full((2, 1), t), y, x, before), found)
            noise = (torch.arange(1000, dtype=torch.float64) + 0.5) / 1000
            draws = guide.move(c, t, y, before.expand(2, 1000), noise.expand(2, 1000))
            torch.testing.assert_close((draws == 1).double().mean(1), law[:, 1], rtol=0, atol=1e-3)


def test_a_finite_guide_broadcasts() -> None:
    """Parameters of replicates, (3, 1, *shape), against (5, 3, 4) states of several steps."""
    values = {n: v + 0.1 * normal(3, *v.shape).unsqueeze(1) for n, v in CHAIN.defaults().items()}
    guide = FiniteGuide(CHAIN)
    x, before = torch.randint(0, 2, (2, 5, 3, 4), generator=torch.Generator().manual_seed(1))
    before = before.clamp(max=0) + (x == 1)  # 0 never follows 1
    y, t = torch.tensor([0.0, 1, 1, 0, 1]).reshape(5, 1, 1), torch.arange(1, 6).reshape(5, 1, 1)
    found = guide.log_density(guide.natural(values), t, y, x, before)
    for k in range(3):
        own = guide.natural({n: v[k, 0] for n, v in values.items()})
        for step in range(5):
            alone = guide.log_density(own, step + 1, y[step, 0, 0], x[step, k], before[step, k])
            torch.testing.assert_close(found[step, k], alone)


@pytest.mark.parametrize("power", [-0.1, math.inf, math.nan])
def test_the_power_of_a_finite_guide(power: float) -> None:
    with pytest.raises(EvaluationError, match="the power of a proposal"):
        FiniteGuide(CHAIN, power)


@pytest.mark.parametrize("name", [*MODELS, "hmm"])
def test_parameters_of_replicates_broadcast(name: str) -> None:
    """(3, 1, *shape) against (5, 3, 4) states is each replicate by itself."""
    model = MODELS.get(name, CHAIN)
    values = {n: v + 0.1 * normal(3, *v.shape).unsqueeze(1) for n, v in model.defaults().items()}
    noise = torch.rand(
        2, 5, 3, 4, *model.event, generator=torch.Generator().manual_seed(2), dtype=torch.float64
    )
    c = model.natural(values)
    before = model.initial(c, noise[0, 0])
    x = model.move(c, 2, before, noise[0, 1])
    y = torch.zeros(3, 1, *model.observed, dtype=torch.float64)
    several = x.expand(5, *x.shape)
    t = torch.arange(1, 6).reshape(5, 1, 1)
    f = model.log_transition(c, t, several, before.expand_as(several))
    g = model.log_observation(c, t, y, several)
    assert f.shape == g.shape == (5, 3, 4)
    for k in range(3):
        own = model.natural({n: v[k, 0] for n, v in values.items()})
        start = model.initial(own, noise[0, 0, k])
        torch.testing.assert_close(before[k], start)
        torch.testing.assert_close(x[k], model.move(own, 2, start, noise[0, 1, k]))
        for step in (1, 4):
            torch.testing.assert_close(f[step - 1, k], model.log_transition(own, step, x[k], start))
            torch.testing.assert_close(g[step - 1, k], model.log_observation(own, step, y[k], x[k]))


def test_a_chain_draws_from_its_tables() -> None:
    """Frequencies of 20,000 draws to 5 standard errors; a transition of probability 0 is never made."""
    c = CHAIN.natural({})
    noise = CHAIN.noise((20_000,), torch.Generator().manual_seed(1), torch.zeros(()))
    start = torch.zeros(20_000, dtype=torch.int64)
    for t, before, law in ((1, start, 0.6), (2, start, 0.3), (2, start + 1, 1.0)):
        x = CHAIN.move(c, t, before, noise)
        rate = float(x.double().mean())
        assert abs(rate - law) <= 5 * math.sqrt(law * (1 - law) / 20_000)
        expected = torch.tensor([1 - law, law], dtype=torch.float64)
        found = torch.exp(CHAIN.log_transition(c, t, torch.tensor([0, 1]), before[:2]))
        torch.testing.assert_close(found, expected)
    y = CHAIN.observe(c, 1, start, torch.Generator().manual_seed(2))
    assert abs(float(y.mean()) - 0.1) <= 5 * math.sqrt(0.09 / 20_000)
    torch.testing.assert_close(
        torch.exp(CHAIN.log_observation(c, 1, torch.tensor([0.0, 1.0]), start[:2])),
        torch.tensor([0.9, 0.1], dtype=torch.float64),
    )


def test_packed_covariances() -> None:
    for d in (1, 2, 4):
        root = normal(d, d)
        covariance = root @ root.mT + torch.eye(d, dtype=torch.float64)
        numbers = packed(covariance)
        assert numbers.shape == (d * (d + 1) // 2,)
        factor = unpacked(numbers, d)
        torch.testing.assert_close(factor @ factor.mT, covariance)
        many = unpacked(numbers.expand(3, 2, len(numbers)), d)
        torch.testing.assert_close(many, factor.expand(3, 2, d, d))


def test_one_clear_error() -> None:
    with pytest.raises(EvaluationError, match="q of the linear Gaussian model has shape"):
        LinearGaussian(EYE, EYE[:1], EYE, EYE, EYE[0], EYE)
    with pytest.raises(EvaluationError, match="not positive definite"):
        LinearGaussian(EYE, -EYE, EYE, EYE, EYE[0], EYE)
    with pytest.raises(EvaluationError, match="do not fit"):
        HiddenMarkov((0.5, 0.5), ((1.0,),), ((1.0,),))
    with pytest.raises(EvaluationError, match="sum to 1"):
        HiddenMarkov((0.5, 0.6), ((0.5, 0.5), (0.5, 0.5)), ((1.0,), (1.0,)))


@pytest.mark.parametrize("shape", [(5, 7), (64, 100), (4097,), (3, 40_001)])
def test_noise_is_standard_normal(shape: tuple[int, ...]) -> None:
    """Moments within five standard errors; the two of a pair, and two draws, are independent."""
    like = torch.empty(0, dtype=torch.float64)
    generator = torch.Generator().manual_seed(3)
    first, second = (standard_normal(shape, generator, like) for _ in range(2))
    assert first.shape == shape and first.dtype == torch.float64 and bool(torch.isfinite(first).all())
    again = standard_normal(shape, torch.Generator().manual_seed(3), like)
    assert torch.equal(first, again) and not bool((first == second).any())
    x = first.reshape(-1)
    n, half = len(x), (len(x) + 1) // 2
    u, v = x[: n - half], x[half:]
    powers = [(x, 0, 1), (x**2, 1, 2), (x**3, 0, 15), (x**4, 3, 96), (torch.erf(x / math.sqrt(2)), 0, 1 / 3)]
    powers += [(u * v, 0, 1), (u**2 * v**2, 1, 8), (x * second.reshape(-1), 0, 1)]
    for values, mean, variance in powers:
        assert abs(float(values.mean()) - mean) < 5 * math.sqrt(variance / len(values))
    assert standard_normal(shape, generator, like.float()).dtype == torch.float32
