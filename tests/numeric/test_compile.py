"""Documents that run: what is drawn, in what order, and that theory holds of what comes out."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from language.documents import ADAPTIVE, ANNEALED, DPF, DPF2, FROM_ONE, PF, REPARAMETERISED, SIS
from torch import Tensor

import surrogate_calculus as sc
from surrogate_calculus.errors import DeclarationError, EvaluationError
from surrogate_calculus.language.document import parse_document
from surrogate_calculus.numeric import Event, compile_document
from surrogate_calculus.numeric.resampling import LAWS


def log_normal(x: Tensor, mean: Tensor | float, scale: float = 1.0) -> Tensor:
    return -(((x - mean) / scale) ** 2) / 2 - math.log(scale) - math.log(2 * math.pi) / 2


def normal(mean: Tensor | float, shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
    return mean + torch.randn(shape, generator=generator, dtype=torch.float64)


class Transition:
    """A density as an object: callable, and with a sampler."""

    def __call__(self, x: Tensor, z: Tensor, φ: Tensor) -> Tensor:
        return torch.exp(log_normal(x, φ * z))

    def sample(self, z: Tensor, φ: Tensor, *, shape: tuple[int, ...], generator: Any) -> Tensor:
        return normal(φ * z, shape, generator)


#: A linear Gaussian model: x[t] ~ N(θ x[t-1], 1), y[t] ~ N(x[t], 1/4).
FUNCTIONS: dict[str, Any] = {
    "p": {"log": lambda x, y, z, θ: log_normal(x, θ * z) + log_normal(y, x, 0.5)},
    "q": Transition(),
    "p0": {"sample": lambda shape, generator: normal(0.0, shape, generator)},
    "n": {"sample": lambda shape, generator: normal(0.0, shape, generator)},
    "h": lambda ε, x, φ: φ * x + ε,
}
Y = [0.3, -0.8, 1.1, 0.4]


def values(n: int = 5, steps: int = 3, **more: Any) -> dict[str, Any]:
    return {"N": n, "T": steps, "y": Y[:steps], "θ": 0.7, "φ": 0.6, **more}


def kalman(θ: float, steps: int) -> tuple[float, float]:
    """The likelihood and its score, log Z as a function of θ, exactly."""
    at = torch.tensor(θ, dtype=torch.float64, requires_grad=True)
    mean, variance = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)
    total = torch.zeros((), dtype=torch.float64)
    for y in Y[:steps]:
        mean, variance = at * mean, at**2 * variance + 1
        spread = variance + 0.25
        total = total - (y - mean) ** 2 / spread / 2 - torch.log(2 * torch.pi * spread) / 2
        gain = variance / spread
        mean, variance = mean + gain * (y - mean), (1 - gain) * variance
    return float(total.detach()), float(torch.autograd.grad(total, at)[0])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (DPF, {"x", "a", "v", "v̄", "V", "Z"}),
        (SIS, {"x", "w", "w̄", "W", "Z"}),
        (PF, {"x", "a", "w", "w̄", "W", "Z"}),
        (ADAPTIVE, {"x", "r", "a", "ESS", "u", "v", "v̄", "V", "Z"}),
        (DPF2, {"x", "v", "v̄", "V", "Z"}),
        (REPARAMETERISED, {"ε", "ε0", "a", "x", "u", "v", "v̄", "V", "Z"}),
    ],
    ids=["DPF", "SIS", "PF", "adaptive", "DPF2", "reparameterised"],
)
def test_what_a_run_returns_is_what_evaluate_needs(text: str, names: set[str]) -> None:
    document = parse_document(text)
    goal = "log Z"
    compiled = compile_document(document, FUNCTIONS, wanted=[*_defined(document), goal])
    trace = compiled.run(values(), seed=1)
    assert set(trace) == names | {goal}
    assert trace["x"].shape == (4, 5)
    again = compiled.run(values(), seed=1)
    assert all(torch.equal(trace[name], again[name]) for name in trace)
    assert not torch.equal(trace["x"], compiled.run(values(), seed=2)["x"])
    given = {**FUNCTIONS, **values(), **trace}
    torch.testing.assert_close(sc.evaluate(goal, given, given=document), trace[goal])
    for name in names & {"a", "r"}:
        assert trace[name].dtype == torch.int64 and trace[name].min() >= 1 and trace[name].max() <= 5


def _defined(document: Any) -> list[str]:
    maps = {line.map for line in document.lineages.values()}
    return [d.name for d in document.definitions if d.name not in maps]


def test_the_graph_is_that_of_the_document() -> None:
    """Parameters with a gradient give definitions with a graph; samples have none."""
    document = parse_document(REPARAMETERISED)
    compiled = compile_document(document, FUNCTIONS, wanted=["log Z"])
    φ = torch.tensor(0.6, dtype=torch.float64, requires_grad=True)
    trace = compiled.run(values(φ=φ), seed=3)
    assert not trace["ε"].requires_grad and not trace["a"].requires_grad
    (slope,) = torch.autograd.grad(trace["log Z"], φ)
    given = {**FUNCTIONS, **values(), "ε": trace["ε"], "ε0": trace["ε0"], "a": trace["a"]}
    torch.testing.assert_close(slope, sc.autodiff("log Z", "φ", 1, given, given=document))
    without = compiled.run(values(), seed=3)
    torch.testing.assert_close(without["log Z"], trace["log Z"].detach())


@pytest.mark.parametrize("law", [*LAWS, "callable"])
def test_the_likelihood_is_unbiased_and_the_score_near(law: str) -> None:
    """4,000 filters of 20 particles at once: a z-test of 𝔼 Z = e^ℓ, and ∇ of Ẑ, at 4.5 standard errors.

    The false-alarm rate is 7·10⁻⁶ a number.
    """
    steps, runs = 3, 4000
    document = parse_document(DPF)
    resampling = (lambda w, k, g: LAWS["multinomial"](w, k, g)) if law == "callable" else law
    compiled = compile_document(document, {**FUNCTIONS, "R": resampling}, wanted=["Z"])
    θ = torch.full((runs,), 0.7, dtype=torch.float64, requires_grad=True)
    trace = compiled.run(values(20, steps, θ=θ), seed=5)
    assert trace["x"].shape == (steps + 1, 20, runs)
    log_likelihood, score = kalman(0.7, steps)
    (slope,) = torch.autograd.grad(trace["Z"].sum(), θ)
    for found, exact in ((trace["Z"].detach(), 1.0), (slope, score)):
        ratio = found / math.exp(log_likelihood)
        assert abs(float(ratio.mean()) - exact) < 4.5 * float(ratio.std()) / math.sqrt(runs)


def test_a_mixture_is_drawn_from_component_by_component() -> None:
    """DPF2 draws from Σⱼ v̄ⱼ q(·|xⱼ): its likelihood is unbiased too; and a batch has own components."""
    steps, runs = 3, 2000
    compiled = compile_document(parse_document(DPF2), FUNCTIONS, wanted=["Z"])
    trace = compiled.run(values(20, steps), seed=6, batch=(runs,))
    ratio = trace["Z"] / math.exp(kalman(0.7, steps)[0])
    assert ratio.shape == (runs,)
    assert abs(float(ratio.mean()) - 1) < 4.5 * float(ratio.std()) / math.sqrt(runs)


def test_a_mixture_with_weights_of_its_own_for_each_particle() -> None:
    text = (
        "count N, K\nindex i = 1..N; index j = 1..K\ndensity q(x | m)\nobserved w[i], m[j]\n"
        "variable d[i]\nsample x[i] ~ Σ[j]([i = j] * q(· | m[j]))\ndefine s = Σ[i](x[i])"
    )
    document = parse_document(text)
    q = {"sample": lambda m, shape, generator: m.expand(shape)}
    trace = compile_document(document, {"q": q}).run({"N": 3, "K": 3, "m": [5.0, 6.0, 7.0]}, seed=1)
    assert trace["x"].tolist() == [5, 6, 7] and float(trace["s"]) == 18


def test_rows_that_do_not_depend_on_one_another_are_drawn_at_once_and_differ() -> None:
    shapes = []

    def noise(shape: tuple[int, ...], generator: Any) -> Tensor:
        shapes.append(shape)
        return normal(0.0, shape, generator)

    functions = {**FUNCTIONS, "n": {"sample": noise}}
    trace = compile_document(parse_document(REPARAMETERISED), functions).run(values(), seed=1)
    assert sorted(shapes) == [(3, 5), (5,)]
    assert len(set(trace["ε"].flatten().tolist())) == 15
    drawn = compile_document(
        parse_document(FROM_ONE),
        {
            "g": {"log": lambda y, x, θ: log_normal(y, x)},
            "m": {"log": lambda x, z, θ: log_normal(x, θ * z), "sample": Transition().sample},
            "p1": {"sample": lambda θ, shape, generator: normal(θ, shape, generator)},
        },
    ).run(values(), seed=1)
    assert drawn["x"].shape == (3, 5) and drawn["b"].shape == (2, 5)


def test_particles_with_several_coordinates() -> None:
    functions = {
        "p": {"log": lambda x, y, z, θ: log_normal(x, θ * z).sum(-1) + log_normal(y, x[..., 0])},
        "q": {
            "log": lambda x, z, φ: log_normal(x, φ * z).sum(-1),
            "sample": lambda z, φ, shape, generator: normal(φ * z, (*shape, 2), generator),
        },
        "p0": {"sample": lambda shape, generator: normal(0.0, (*shape, 2), generator)},
    }
    document = parse_document(DPF)
    trace = compile_document(document, functions).run(values(), seed=1)
    assert isinstance(trace["x"], Event) and trace["x"].tensor.shape == (4, 5, 2)
    found = sc.evaluate("Z", {**functions, **values(), **trace}, given=document)
    torch.testing.assert_close(found, trace["Z"])


def test_resampling_laws_are_unbiased() -> None:
    """The mean offspring of 20,000 rows is N·w, to 4.5 standard errors."""
    weights = torch.tensor([0.5, 0.0, 0.2, 0.3], dtype=torch.float64)
    generator = torch.Generator().manual_seed(1)
    for name, law in LAWS.items():
        found = law((7 * weights).expand(20_000, 4), 10, generator)
        assert found.shape == (20_000, 10)
        counts = torch.nn.functional.one_hot(found, 4).sum(1).double()
        error = (counts.mean(0) - 10 * weights).abs()
        assert bool((error <= 4.5 * counts.std(0) / math.sqrt(20_000) + 1e-12).all()), name
        assert float(counts[:, 1].max()) == 0
        if name == "systematic":
            assert bool(((counts - 10 * weights).abs() < 1 + 1e-9).all())


def test_densities_of_annealing_run_without_resampling() -> None:
    functions = {
        "k": {"sample": lambda z, s, θ, shape, generator: normal(z * 0.5 + 0 * s, shape, generator)},
        "p0": {"sample": lambda θ, shape, generator: normal(0.0, shape, generator)},
        "g": lambda x, s, θ: -θ * s * x**2 / 10,
    }
    trace = compile_document(parse_document(ANNEALED), functions).run({"N": 8, "T": 4, "θ": 0.5}, seed=1)
    assert trace["ℓ"].shape == (5, 8) and float(trace["Z"]) > 0


@pytest.mark.parametrize(
    ("functions", "change", "message"),
    [
        ({"p0": None}, {}, "p0 is drawn from, and its value has no sampler"),
        ({"q": lambda x, z, φ: x}, {}, "has no sampler"),
        ({"q": {"log": lambda x, z, φ: x, "sample": lambda z: z}}, {}, "sampler of q raised TypeError"),
        (
            {"q": {"log": lambda x, z, φ: x, "sample": lambda z, φ, shape, generator: torch.ones(3)}},
            {},
            "sampler of q returned",
        ),
        ({"R": "quantum"}, {}, "the resampling law R is given as 'quantum'"),
        ({"R": lambda w, k, g: torch.full((5,), 9)}, {}, "something else than positions"),
        ({"p": {"log": lambda x, y, z, θ: x * 0 - torch.inf}}, {}, "division by zero|weights of a"),
        ({}, {"y": None}, "y"),
        ({}, {"N": "many"}, "N is a whole number"),
    ],
)
def test_one_clear_error(functions: dict[str, Any], change: dict[str, Any], message: str) -> None:
    given = {k: v for k, v in {**FUNCTIONS, **functions}.items() if v is not None}
    compiled = compile_document(parse_document(DPF), given)
    with pytest.raises(EvaluationError, match=message):
        compiled.run({k: v for k, v in values(**change).items() if v is not None}, seed=1)


def test_a_law_that_cannot_be_drawn_from() -> None:
    text = "count N\nindex i = 1..N\ndensity q(x, y)\nsample z[i] ~ q(·, 1)\ndefine s = Σ[i](z[i])"
    with pytest.raises(DeclarationError, match="a draw from q is one value"):
        compile_document(parse_document(text), {"q": FUNCTIONS["q"]}).run({"N": 2}, seed=1)


def test_a_seed_or_a_generator() -> None:
    compiled = sc.compile_document(parse_document(DPF), FUNCTIONS)
    with pytest.raises(EvaluationError, match="both a seed and a generator"):
        compiled.run(values(), seed=1, generator=torch.Generator())
    by_seed = compiled.run(values(), seed=4)["x"]
    assert torch.equal(by_seed, compiled.run(values(), generator=torch.Generator().manual_seed(4))["x"])
