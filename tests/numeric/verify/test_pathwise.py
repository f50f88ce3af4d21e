"""The pathwise checks: right filters agree, wrong ones are named, and other people's can be asked about."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.filters import FilterRun, ParticleFilter
from surrogate_calculus.numeric.verify import Check, Finding
from surrogate_calculus.numeric.verify.densities import path_function
from surrogate_calculus.numeric.verify.lines import Numbers, chosen, directions, entries, entry_names
from surrogate_calculus.numeric.verify.pathwise import RUNNERS, compare_pathwise, plan
from surrogate_calculus.numeric.verify.programs import program_names
from surrogate_calculus.numeric.verify.runs import Case, replicates
from surrogate_calculus.numeric.verify.scenes import SCENES, scene_of

#: One model for each program, so that each model is there for several.
WHERE = {
    "sis": "nile", "pf": "hmm", "pf_dice": "lgssm2", "dpf_adaptive": "lgssm", "dpf_initial": "hmm-hidden",
    "dpf2": "growth", "dpf_vector": "volatility", "dpf_proposal": "lgssm2", "dpf_reparam": "growth",
    "dpf_shared": "nile", "iwae": "growth", "iwae_dice": "hmm-hidden", "iwae_stopped": "lgssm2",
    "fisher": "volatility", "dice": "lgssm",
}  # fmt: skip


def carried_out(checks: list[Check]) -> list[Finding]:
    found = [RUNNERS[check.runner](check) for check in checks]
    for finding in found:
        assert finding.outcome == "agrees", (finding.check.claim, finding.quantity, finding.deviation)
        assert finding.quantity == "" and finding.deviation <= finding.tolerance
    return found


# -- right filters --


@pytest.mark.parametrize("name", WHERE)
def test_every_program_is_what_its_document_says(name: str) -> None:
    """First and second derivatives of what its first claim is about, and all that is not a formula."""
    checks = plan(name, WHERE[name])
    first = (checks[0].settings["goal"], checks[0].settings["wrt"])
    wanted = [
        c for c in checks if (c.settings.get("goal", first[0]), c.settings.get("wrt", first[1])) == first
    ]
    found = carried_out(wanted)
    assert {f.check.settings.get("order") for f in found} >= {1, 2}


@pytest.mark.parametrize("scene", SCENES)
def test_stop_gradient_resampling_on_every_model(scene: str) -> None:
    """Score and Hessian; on one model by 20 runs, on another all that is claimed."""
    checks = plan("dpf", scene, size="full" if scene == "volatility" else "quick")
    if scene != "hmm":
        checks = [c for c in checks if c.settings.get("goal") == "log Z" and c.settings["order"] in (1, 2)]
    found = [f for f in carried_out(checks) if f.check.runner == "formula"]
    runs = 20 if scene == "volatility" else 3
    assert all(f.check.settings["alone"] + f.check.settings["batch"] == runs for f in found)  # type: ignore[operator]


@pytest.mark.parametrize("goal", ["D * f̄", "D * Z * f̄"])
def test_dice_on_a_posterior_expectation(goal: str) -> None:
    carried_out([c for c in plan("pf_dice", "hmm") if c.settings.get("goal") == goal])


def test_every_program_is_tested_here() -> None:
    assert {*WHERE, "dpf"} == set(program_names())


def test_the_adaptive_filter_resamples_now_and_then() -> None:
    case = Case("dpf_adaptive", "lgssm", 6, 5)
    run = case.run(case.base.expand(2, -1), 2, (2,))
    assert isinstance(run, FilterRun) and 0 < float(run.trace.resampled.double().mean()) < 1


def test_the_score_by_every_means() -> None:
    """What the demo shows: columns are the parameters, and Kalman's is near where there are particles."""
    score = plan("dpf", "nile", particles=400, steps=10)[0]
    (found,) = carried_out([score])
    assert found.columns == ("log_r", "log_s")
    assert list(found.numbers) == ["autograd", "formula", "online", "exact"]
    autograd, formula, online, exact = found.numbers.values()
    assert formula == pytest.approx(autograd, rel=1e-10) and online == pytest.approx(autograd, rel=1e-10)
    assert exact == pytest.approx(autograd, abs=0.3) and exact != pytest.approx(autograd, abs=1e-6)
    assert Finding.from_json(found.to_json()) == replace(found, seconds=round(found.seconds, 3))


# -- wrong filters --


def made(**changes: Any) -> Any:
    return lambda n: ParticleFilter(n, **{"correct_initial": False, **changes})


def of_order(order: int, maker: Any, name: str = "dpf", scene: str = "lgssm") -> Finding:
    """What is found of the derivatives of log Ẑ."""
    wanted = (c for c in plan(name, scene) if c.settings.get("goal") == "log Z")
    return RUNNERS["formula"](next(c for c in wanted if c.settings["order"] == order), maker)


def test_another_filter_is_not_this_one() -> None:
    """The plain filter's score is not that of DPF; the fault is named, with the smallest size that has it."""
    score = of_order(1, made(method="pf"))
    assert score.outcome == "disagrees" and score.deviation > 1e-3
    assert score.quantity.startswith("∂/∂") and " of log Ẑ" in score.quantity and "seed" in score.quantity
    assert "smallest failing: N = 2, T = 2, ∂/∂" in score.note  # without resampling the two are one


def test_a_start_that_is_not_corrected() -> None:
    found = of_order(1, made(method="dpf"), "dpf_initial", "hmm-hidden")
    assert found.outcome == "disagrees" and "∂/∂start" in found.quantity


@dataclass(frozen=True)
class Bent:
    """A right filter with something of value 0 added to log Ẑ."""

    particles: int
    order: int

    def run(self, model: Any, observations: Any, parameters: Any = None, **how: Any) -> FilterRun:
        run = ParticleFilter(self.particles, correct_initial=False).run(
            model, observations, parameters, **how
        )
        a, q = (parameters[name] for name in ("a", "log_q"))
        zero = (a - a.detach()) * (1 if self.order == 1 else q - q.detach())
        return replace(run, log_sum=run.log_sum + 1e-6 * zero)


def test_one_component_is_wrong_by_little() -> None:
    """One entry of the gradient, one mixed entry of the Hessian: it is that one which is named."""
    first, second = of_order(1, lambda n: Bent(n, 1)), of_order(2, lambda n: Bent(n, 2))
    assert first.quantity.startswith("∂/∂a of log Ẑ")
    assert of_order(1, lambda n: Bent(n, 2)).outcome == "agrees"
    assert second.quantity.startswith("∂²/∂a∂log_q of log Ẑ, seed")
    assert second.note.startswith("3 runs; smallest failing: N = 1, T = 1")


@dataclass(frozen=True)
class Broken:
    """A filter whose derivative is no number, or whose result has no batch."""

    particles: int
    batched: bool

    def run(self, model: Any, observations: Any, parameters: Any = None, **how: Any) -> FilterRun:
        run = ParticleFilter(self.particles, correct_initial=False).run(
            model, observations, parameters, **how
        )
        if not self.batched:
            return replace(run, log_sum=run.log_sum.sum())
        return replace(run, log_sum=run.log_sum + torch.sqrt(parameters["a"] - parameters["a"].detach()))


def test_what_is_no_number_disagrees() -> None:
    score = of_order(1, lambda n: Broken(n, True))
    assert score.outcome == "disagrees" and not score.deviation <= 1e9
    assert "∂/∂a" in score.quantity
    assert Finding.from_json(score.to_json()).outcome == "disagrees"


def test_a_run_without_its_batch_is_refused() -> None:
    with pytest.raises(EvaluationError, match="a run of batch shape"):
        of_order(1, lambda n: Broken(n, False))


# -- somebody else's filter --


def loop(y: Tensor, θ: Tensor, n: int, seed: int, *, right: bool = True) -> tuple[Tensor, Tensor, Tensor]:
    """A differentiable particle filter in ten lines, of x ~ N(0.8 x', e^θ), y ~ N(x, 0.5): no batch."""
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(n, generator=g, dtype=torch.float64)
    xs, ancestors = [x], []
    w, total = torch.full((n,), -math.log(n), dtype=torch.float64), torch.zeros((), dtype=torch.float64)
    for t in range(len(y)):
        a = torch.multinomial(torch.exp(w.detach()), n, True, generator=g) if t else torch.arange(n)
        ancestors.append(a)
        w = w[a] - w[a].detach() - math.log(n) if right or not t else torch.full_like(w, -math.log(n))
        z = x[a]
        noise = torch.randn(n, generator=g, dtype=torch.float64)
        x = (0.8 * z + torch.exp(θ / 2) * noise).detach()
        f = -θ / 2 - (x - 0.8 * z) ** 2 / (2 * torch.exp(θ))
        w = w + f - f.detach() - 0.5 * math.log(math.pi) - (y[t] - x) ** 2
        total = total + torch.logsumexp(w, 0)
        w = w - torch.logsumexp(w, 0)
        xs.append(x)
    return total, torch.stack(xs), torch.stack(ancestors)


def log_p(x: Tensor, y: Tensor, z: Tensor, θ: Tensor) -> Tensor:
    f = -θ / 2 - (x - 0.8 * z) ** 2 / (2 * torch.exp(θ))
    return f - 0.5 * math.log(math.pi) - (y - x) ** 2


def log_q(x: Tensor, z: Tensor, φ: Tensor) -> Tensor:
    return -φ / 2 - (x - 0.8 * z) ** 2 / (2 * torch.exp(φ))


@pytest.mark.parametrize("right", [True, False])
def test_a_filter_that_is_not_ours(right: bool) -> None:
    """It needs a trace, densities and numbers; nothing of this package runs it."""
    y = torch.tensor([0.5, -1.0, 0.2, 1.4], dtype=torch.float64)
    θ = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    total, x, a = loop(y, θ, 7, 3, right=right)
    (first,) = torch.autograd.grad(total, θ, create_graph=True)
    (second,) = torch.autograd.grad(first, θ)
    values = {"N": 7, "T": 4, "x": x, "a": a + 1, "y": y, "θ": θ.detach(), "φ": θ.detach()}
    values |= {"log p": log_p, "log q": log_q}
    for order, mine in ((1, first), (2, second)):
        plain = mine if order == 1 else float(mine)  # as double precision, either way
        found = compare_pathwise("dpf", "log Z", autograd=plain, values=values, order=order, name="loop")
        assert found.outcome == ("agrees" if right else "disagrees"), found.deviation
        assert found.check.filter == "loop" and found.check.kind == "pathwise"
        assert found.quantity == ("" if right else f"∂{'²' * (order - 1)}/∂θ{'²' * (order - 1)} of log Ẑ")


def test_autograd_of_another_shape_is_refused() -> None:
    y = torch.tensor([0.5, -1.0], dtype=torch.float64)
    θ = torch.tensor(0.3, dtype=torch.float64)
    _, x, a = loop(y, θ, 3, 3)
    values = {"N": 3, "T": 2, "x": x, "a": a + 1, "y": y, "θ": θ, "φ": θ, "log p": log_p, "log q": log_q}
    with pytest.raises(EvaluationError, match="autograd has shape"):
        compare_pathwise("dpf", "log Z", autograd=torch.zeros(2), values=values)


@pytest.mark.parametrize(
    ("estimator", "changes", "says"),
    [
        (None, {}, "an estimator is a name of the catalogue or a document, not None"),
        ("dpf", {"autograd": None}, "what autograd computed is None"),
        ("dpf", {"autograd": "0.3"}, "what autograd computed is a str"),
        ("dpf", {"autograd": torch.tensor(1j)}, "what autograd computed is a Tensor"),
        ("dpf", {"values": None}, "values map names"),
        ("dpf", {"tolerance": float("inf")}, "a tolerance is a positive number"),
        ("dpf", {"tolerance": "1e-9"}, "a tolerance is a positive number"),
    ],
)
def test_what_is_compared_is_numbers(estimator: Any, changes: dict[str, Any], says: str) -> None:
    with pytest.raises(EvaluationError, match=says) as failure:
        compare_pathwise(estimator, "log Z", **{"autograd": 0.3, "values": {}, **changes})
    assert failure.value.instead


# -- the plan --


def test_a_plan_is_plain_data_and_says_each_thing_once() -> None:
    checks = [c for name in program_names() for c in plan(name, "lgssm", size="full")]
    assert len({c.key for c in checks}) == len(checks) > 60
    assert {c.runner for c in checks} == set(RUNNERS) and {c.kind for c in checks} == {"pathwise"}
    assert any("stratified" in c.claim for c in checks) and any("guided" in c.claim for c in checks)


@pytest.mark.parametrize(
    ("name", "scene", "why"),
    [
        ("dpf_initial", "lgssm", "no law"),
        ("dpf_reparam", "hmm", "discrete"),
        ("dpf_shared", "volatility", ""),
    ],
)
def test_a_document_that_says_nothing_of_a_model_has_no_checks(name: str, scene: str, why: str) -> None:
    assert plan(name, scene) == []


def test_large_sizes_are_cut_down_and_said_so() -> None:
    checks = plan("dpf", "lgssm", particles=1000, steps=200, size="full")
    score = next(c for c in checks if c.settings.get("goal") == "log Z")
    assert (score.settings["particles"], score.settings["steps"]) == (1000, 200)
    assert int(score.settings["alone"] or 0) + int(score.settings["batch"] or 0) == 2
    other = next(c for c in checks if "f" in str(c.settings.get("goal")))
    assert other.settings["particles"] == 50 and other.claim.endswith("at N = 50, T = 20")
    marginal = plan("dpf2", "lgssm", particles=1000, steps=200)
    assert marginal[0].settings["particles"] == 141 and "at N = 141, T = 200" in marginal[0].claim
    forward = next(c for c in marginal if c.runner == "forward")
    assert forward.settings["particles"] == 1000


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("dfp", "lgssm"), {}, "no program runs 'dfp'"),
        (("dpf", "lgsm"), {}, "no model is called 'lgsm'"),
        (("dpf", "lgssm"), {"particles": 0}, "there cannot be 0 particles"),
        (("dpf", "nile"), {"steps": 101}, "has 100 observations"),
    ],
)
def test_one_clear_error(arguments: tuple[str, str], options: dict[str, int], message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        plan(*arguments, **options)  # type: ignore[arg-type]


# -- lines --


def test_a_hessian_from_directional_derivatives() -> None:
    matrix = torch.randn(4, 4, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    matrix = matrix + matrix.mT
    places = [0, 2, 3]
    along = directions(4, places, 2)
    found = entries(torch.einsum("di,ij,dj->d", along, matrix, along), 3, 2)
    torch.testing.assert_close(found, chosen(matrix, places, 2))
    assert entry_names(["a", "b", "c"], 2)[3:] == ["∂²/∂a∂b", "∂²/∂a∂c", "∂²/∂b∂c"]
    torch.testing.assert_close(found[3], matrix[0, 2])
    # A third derivative that only a mixed entry has is seen along the last direction.
    last = directions(4, places, 3)[-1]
    assert last[1] == 0 and float((last[0] * last[2] * last[3]).abs()) > 0.1


def test_parameters_as_a_row() -> None:
    numbers = Numbers({"a": (), "q": (2, 2), "r": (3,)})
    row = torch.arange(16.0).reshape(2, 8)
    parts = numbers.split(row)
    assert parts["q"].shape == (2, 2, 2) and parts["a"].tolist() == [0.0, 8.0]
    assert torch.equal(numbers.joined({name: v[1] for name, v in parts.items()}), row[1])
    assert numbers.names[:3] == ("a", "q[0, 0]", "q[0, 1]") and numbers.places("a", "r") == [0, 5, 6, 7]


def test_the_function_of_paths_depends_on_both() -> None:
    x = torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    flat = torch.tensor([[0.3, -0.2], [0.3, -0.2], [1.0, 0.0]], dtype=torch.float64)
    values = path_function(x, flat)
    assert len(set(values.tolist())) == 3 and values.shape == (3,)
    u = flat @ torch.tensor([0.1, 0.15], dtype=torch.float64)
    own = [sum(math.cos(x[k, t, d] + t + d) for t in range(5) for d in range(2)) / 10 for k in range(3)]
    expected = (1 + u) * torch.tensor(own, dtype=torch.float64) + torch.sin(u)
    torch.testing.assert_close(values, expected)


def test_runs_share_parameters_or_have_their_own() -> None:
    """The filters differentiate the two in different ways: a check must have both."""
    case = Case("dpf", "lgssm", 4, 3)
    runs = replicates(case, "log Z", 1, torch.empty(0), seed=5, alone=2, batch=3)
    assert runs.labels == ["seed 5", "seed 6", *(f"seed 7, replicate {k}" for k in range(3))]
    assert torch.equal(runs.base[0], runs.base[1]) and not torch.equal(runs.base[2], runs.base[3])
    assert runs.states.shape == (4, 4, 5) and runs.ancestors.shape == (3, 4, 5)
    model, y = case.model, scene_of("lgssm").observations(3)
    own = {n: v.requires_grad_() for n, v in model.defaults().items()}
    run = ParticleFilter(4, correct_initial=False).run(model, y, own, seed=6)
    expected = torch.autograd.grad(run.log_sum, list(own.values()))
    torch.testing.assert_close(runs.witnesses["backward"][1], torch.stack(expected))


def test_an_entry_without_summands_may_have_rounding() -> None:
    """No lineage leaves one state: the formula is exactly 0 there, autograd sums what cancels."""
    (check,) = [
        c
        for c in plan("dpf", "hmm-hidden", particles=2, steps=2, seed=2, size="full")
        if c.runner == "formula" and c.settings["scheme"] == "multinomial" and c.settings["order"] == 1
    ]
    found = RUNNERS["formula"](replace(check, settings={**check.settings, "alone": 4, "batch": 2}))
    assert found.outcome == "agrees", found
