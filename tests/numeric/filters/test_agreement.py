"""Pathwise: autograd of the filters, first and second order, and the formulas that documents yield.

On one run both are functions of its particles and ancestors, and the same number: |a - b| ≤ 1e-10 Σ|summands|
in float64, which leaves five digits for sums of some hundred terms and their cancellations.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

import surrogate_calculus as sc
from surrogate_calculus.estimators import load_estimator
from surrogate_calculus.numeric.document_scene import magnitude
from surrogate_calculus.numeric.filters import FilterRun, ParticleFilter
from surrogate_calculus.numeric.models import (
    HiddenMarkov,
    LinearGaussian,
    LinearGuide,
    ScalarLinearGaussian,
    StochasticVolatility,
)

TOLERANCE = 1e-10
SEEDS, STEPS, PARTICLES = 20, 5, 6

EYE = torch.eye(2, dtype=torch.float64)
MODELS: dict[str, Any] = {
    "lgssm": ScalarLinearGaussian(),
    "volatility": StochasticVolatility(),
    "plane": LinearGaussian(
        torch.tensor([[0.8, 0.1], [-0.2, 0.7]], dtype=torch.float64),
        EYE + 0.3,
        torch.tensor([[1.0, 0.5]], dtype=torch.float64),
        0.4 * EYE[:1, :1],
        torch.zeros(2, dtype=torch.float64),
        EYE,
    ),
    "hmm": HiddenMarkov((0.4, 0.6), ((0.7, 0.3), (0.2, 0.8)), ((0.9, 0.1), (0.3, 0.7)), hidden_start=True),
}


@cache
def derived(name: str, goal: str, wrt: str, order: int) -> Any:
    return sc.derive(goal, wrt, order, given=load_estimator(name).document)


def observations(model: Any) -> Tensor:
    generator = torch.Generator().manual_seed(4)
    if model.discrete:
        return torch.randint(0, 2, (STEPS,), generator=generator).double()
    return torch.randn(STEPS, *model.observed, generator=generator, dtype=torch.float64)


class Line:
    """Every parameter of a model on a line through its own values, as a function of one number."""

    def __init__(self, owner: Any) -> None:
        generator = torch.Generator().manual_seed(8)
        self.base = owner.defaults()
        self.slope = {
            name: 0.3 + torch.rand(v.shape, generator=generator, dtype=torch.float64)
            for name, v in self.base.items()
        }

    def __call__(self, θ: Tensor) -> dict[str, Tensor]:
        return {
            name: v + θ.reshape(*θ.shape, *(1,) * v.dim()) * self.slope[name] for name, v in self.base.items()
        }


def densities(model: Any, line: Line) -> dict[str, Any]:
    """The model as the documents' p, q and p0, q being the transition at parameters of its own."""

    def log_p(x: Tensor, y: Tensor, z: Tensor, θ: Tensor) -> Tensor:
        c = model.natural(line(θ))
        return model.log_transition(c, 2, whole(x), whole(z)) + model.log_observation(c, 2, y, whole(x))

    def log_q(x: Tensor, z: Tensor, φ: Tensor) -> Tensor:
        return model.log_transition(model.natural(line(φ)), 2, whole(x), whole(z))

    def whole(x: Tensor) -> Tensor:
        return x.long() if model.discrete else x

    def log_p0(x: Tensor, θ: Tensor) -> Tensor:
        found = model.log_initial(model.natural(line(θ)), whole(x))
        return torch.zeros_like(x) if found is None else found

    return {"log p": log_p, "log q": log_q, "log p0": log_p0}


def orders(run: FilterRun, θ: Tensor) -> list[Tensor]:
    """First and second derivatives of log Ẑ, by replicate; the first by the sweep and by the graph."""
    total = run.log_likelihood.sum()
    (swept,) = torch.autograd.grad(total, θ, retain_graph=True)
    (first,) = torch.autograd.grad(total, θ, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), θ)
    torch.testing.assert_close(swept, first.detach(), rtol=1e-10, atol=1e-9)  # other orders of summation
    return [swept, second]


def agree(name: str, goal: str, found: list[Tensor], values: dict[str, Any], wrt: str = "θ") -> None:
    for order, autograd in enumerate(found, 1):
        derivation = derived(name, goal, wrt, order)
        document = derivation.document
        formula = sc.evaluate(derivation.result, values, given=document)
        size = sc.evaluate(magnitude(derivation.result), values, given=document)
        assert autograd.shape == formula.shape == (SEEDS,)
        assert bool(torch.isfinite(autograd).all()) and float(autograd.abs().max()) > 1e-3
        excess = (autograd - formula).abs() - TOLERANCE * size
        assert bool((excess <= 0).all()), (name, order, float(excess.max()))


CASES = {
    "sis": ("sis", "log Z", {"method": "sis"}),
    "pf": ("pf", "log Z", {"method": "pf"}),
    "pf_dice": ("pf_dice", "D * log Z", {"method": "pf-sf", "scheme": "multinomial"}),
    "dpf": ("dpf", "log Z", {"method": "dpf"}),
    "dpf residual": ("dpf", "log Z", {"method": "dpf", "scheme": "residual"}),
    "dpf2": ("dpf2", "log Z", {"method": "dpf2"}),
    "dpf_adaptive": ("dpf_adaptive", "log Z", {"method": "dpf", "when": 0.5}),
}


@pytest.mark.parametrize("model_name", MODELS)
@pytest.mark.parametrize("case", CASES)
def test_autograd_is_the_derived_formula(case: str, model_name: str) -> None:
    """20 seeds as one batch, each with the parameter of its own."""
    name, goal, how = CASES[case]
    model, y = MODELS[model_name], observations(MODELS[model_name])
    line = Line(model)
    θ = torch.linspace(-0.1, 0.1, SEEDS, dtype=torch.float64).requires_grad_()
    run = ParticleFilter(PARTICLES, **how, correct_initial=False).run(model, y, line(θ), seed=11)
    if case == "dpf_adaptive":
        assert 0 < float(run.trace.resampled.double().mean()) < 1
    values = run.trace.values() | densities(model, line) | {"θ": θ.detach(), "φ": θ.detach()}
    if case == "dpf_adaptive":
        values["r"] = values["a"]
    if case == "dpf2":
        own = values["log q"]
        values["log q"] = lambda x, z, y, φ: own(x, z, φ)
    agree(name, goal, orders(run, θ), values)


@pytest.mark.parametrize("model_name", ["volatility", "hmm"])
def test_an_initial_law_that_depends_on_the_parameter(model_name: str) -> None:
    model, y = MODELS[model_name], observations(MODELS[model_name])
    line = Line(model)
    θ = torch.linspace(-0.1, 0.1, SEEDS, dtype=torch.float64).requires_grad_()
    run = ParticleFilter(PARTICLES).run(model, y, line(θ), seed=12)
    values = run.trace.values() | densities(model, line) | {"θ": θ.detach(), "φ": θ.detach()}
    found = orders(run, θ)
    agree("dpf_initial", "log Z", found, values)
    other = ParticleFilter(PARTICLES, correct_initial=False).run(model, y, line(θ), seed=12)
    assert torch.equal(other.log_likelihood, run.log_likelihood)
    assert not torch.allclose(orders(other, θ)[0], found[0])


class Guided:
    """A model with a guide that does not look at the observation, as densities of documents."""

    def __init__(self) -> None:
        self.model = ScalarLinearGaussian()
        self.guide = LinearGuide(a=0.7, k=0.0, s=1.3)
        self.own, self.line = Line(self.model), Line(self.guide)
        self.line.slope["guide_k"] *= 0.0

    def log_q(self, x: Tensor, z: Tensor, φ: Tensor) -> Tensor:
        return self.guide.log_density(self.guide.natural(self.line(φ)), 2, torch.zeros_like(z), x, z)

    def move(self, ε: Tensor, z: Tensor, φ: Tensor) -> Tensor:
        return self.guide.move(self.guide.natural(self.line(φ)), 2, torch.zeros_like(z), z, ε)


@pytest.mark.parametrize(("kind", "name"), [("live", "dpf_proposal"), ("stopped", "dpf")])
def test_a_guided_proposal_with_the_parameter_of_the_model(kind: str, name: str) -> None:
    """Live, the gradient of p/q, which is not the score; stopped, that of p alone."""
    case = Guided()
    θ = torch.linspace(-0.1, 0.1, SEEDS, dtype=torch.float64).requires_grad_()
    how = ParticleFilter(PARTICLES, proposal=case.guide, gradient=kind)
    run = how.run(case.model, observations(case.model), {**case.own(θ), **case.line(θ)}, seed=13)
    values = run.trace.values() | densities(case.model, case.own)
    values |= {"log q": case.log_q, "θ": θ.detach(), "φ": θ.detach()}
    agree(name, "log Z", orders(run, θ), values)


@pytest.mark.parametrize("wrt", ["θ", "φ"])
def test_a_reparameterised_proposal_with_parameters_of_its_own(wrt: str) -> None:
    case = Guided()
    at = torch.linspace(-0.1, 0.1, SEEDS, dtype=torch.float64)
    live = at.clone().requires_grad_()
    θ, φ = (live, at) if wrt == "θ" else (at, live)
    how = ParticleFilter(PARTICLES, proposal=case.guide, gradient="reparameterised")
    run = how.run(case.model, observations(case.model), {**case.own(θ), **case.line(φ)}, seed=14)
    values = run.trace.values() | densities(case.model, case.own) | {"log q": case.log_q, "h": case.move}
    noise = run.trace.noise[1:].movedim(-1, 1)
    values |= {"x0": values.pop("x")[0], "ε": noise, "θ": at, "φ": at}
    agree("dpf_reparam", "log Z", orders(run, live), values, wrt)


@pytest.mark.parametrize("method", ["pf", "dpf"])
def test_the_document_itself_is_a_third_witness(method: str) -> None:
    """The surrogate run by ``autodiff``: its own program, with its own weights."""
    model = ScalarLinearGaussian()
    line, y = Line(model), observations(model)
    θ = torch.linspace(-0.1, 0.1, SEEDS, dtype=torch.float64).requires_grad_()
    run = ParticleFilter(PARTICLES, method).run(model, y, line(θ), seed=15)
    document = load_estimator(method).document
    values = run.trace.values() | densities(model, line) | {"θ": θ.detach(), "φ": θ.detach()}
    torch.testing.assert_close(sc.evaluate("log Z", values, given=document), run.log_likelihood.detach())
    for order, found in enumerate(orders(run, θ), 1):
        other = sc.autodiff("log Z", "θ", order, values, given=document)
        torch.testing.assert_close(found, other, rtol=1e-9, atol=1e-9)  # sums of some hundred terms
