"""Somebody else's filter, run by the verifier: right ones agree, wrong ones are named, broken ones told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.filters import ParticleFilter
from surrogate_calculus.numeric.verify import Finding, foreign, verify_filter
from surrogate_calculus.numeric.verify.programs import filter_of

#: The score and the Hessian of stop-gradient resampling, and no more.
NAME = "dpf_vector"
SMALL = {"particles": 3, "steps": 2}


@dataclass(frozen=True)
class Linear:
    """A filter in the style of others: plain weights, never normalised, whose last sum is the estimate."""

    particles: int
    wrong: str = ""

    def run(self, model: Any, observations: Any, parameters: Any = None, *, seed: Any, batch: Any) -> Any:
        g, shape, n = torch.Generator().manual_seed(seed), tuple(batch), self.particles
        like = torch.empty(0, dtype=torch.float64)
        natural = model.natural(parameters)
        c = type(natural)(*(v.unsqueeze(-1) for v in natural))
        x = model.initial(c, model.noise((*shape, n), g, like)).detach().expand(*shape, n)
        weights = torch.full((*shape, n), 1 / n, dtype=torch.float64)
        states, ancestors = [x], []
        for t, y in enumerate(observations, 1):
            total = weights.sum(-1, keepdim=True)
            share = weights / (total.detach() if self.wrong == "total" else total)
            law = torch.ones_like(share) if self.wrong == "law" else share.detach()
            a = torch.multinomial(law.reshape(-1, n), n, True, generator=g).reshape(*shape, n)
            chosen = share if self.wrong == "ancestors" else share.gather(-1, a)
            carried = total / n * (1.0 if self.wrong == "correction" else chosen / chosen.detach())
            z = x.gather(-1, a)
            noise = model.noise((*shape, n), g, like)
            x = model.move(c, t, z, 1.3 * noise if self.wrong == "noise" else noise).detach()
            f = model.log_transition(c, t, x, z)
            weights = carried * torch.exp(f - f.detach() + model.log_observation(c, t, y, x))
            states.append(x)
            ancestors.append(a)
        estimate = weights.sum(-1)
        log_w = torch.log(weights / estimate.unsqueeze(-1))
        return run_of(torch.log(estimate), log_w, torch.stack(states), torch.stack(ancestors))


def run_of(log_sum: Tensor, log_w: Tensor, states: Tensor, ancestors: Tensor) -> Any:
    """What a verified filter returns, of the particles last."""
    paths = [states[-1]]
    line = torch.arange(states.shape[-1]).expand(states.shape[1:])
    for t in range(len(ancestors) - 1, -1, -1):
        line = ancestors[t].gather(-1, line)
        paths.insert(0, states[t].gather(-1, line))
    trace = {"states": states, "ancestors": ancestors, "paths": torch.stack(paths), "event": ()}
    trace["batch"] = tuple(log_sum.shape)
    run = {"log_sum": log_sum, "log_likelihood": log_sum, "log_weights": log_w, "dice": None}
    return SimpleNamespace(**run, trace=SimpleNamespace(**trace))


def changed(run: Any, **of_trace: Any) -> Any:
    return SimpleNamespace(**{**vars(run), "trace": SimpleNamespace(**{**vars(run.trace), **of_trace})})


def outcomes(found: list[Finding]) -> set[str]:
    return {f.outcome for f in found}


def test_a_filter_of_ones_own() -> None:
    made = lambda n: ParticleFilter(n, correct_initial=False)  # noqa: E731
    found = verify_filter(made, NAME, "hmm", name="mine", **SMALL)
    assert {f.check.filter for f in found} == {"mine"} and outcomes(found) == {"agrees"}
    assert found[-1].check.claim.startswith("𝔼[Ẑ] = p(y)")


@pytest.mark.parametrize("scene", ["lgssm", "volatility"])
def test_a_filter_in_another_style(scene: str) -> None:
    found = verify_filter(Linear, f"@{NAME}", scene, **SMALL)
    assert outcomes(found) == {"agrees"}
    assert [f.check.kind for f in found].count("statistical") == (scene == "lgssm")


@pytest.mark.parametrize("wrong", ["total", "ancestors", "correction"])
def test_a_wrong_line_is_a_wrong_derivative(wrong: str) -> None:
    found = verify_filter(lambda n: Linear(n, wrong), NAME, "lgssm", **SMALL)
    assert found[0].outcome == "disagrees" and found[0].quantity.startswith("∂/∂")
    assert "smallest failing: N = " in found[0].note


@pytest.mark.parametrize("wrong", ["law", "noise"])
def test_a_wrong_law_is_seen_in_the_mean_of_the_estimate(wrong: str) -> None:
    """Particles and ancestors are what they are; only what they are drawn from is wrong."""
    *formulas, value = verify_filter(lambda n: Linear(n, wrong), NAME, "lgssm", **SMALL)
    assert outcomes(formulas) == {"agrees"}
    assert value.outcome == "disagrees" and value.quantity == "Ẑ/p(y)" and value.deviation > value.tolerance


def test_checks_of_our_own_schemes_and_proposals_are_not_made_of_others() -> None:
    found = verify_filter(Linear, NAME, "lgssm", particles=2, steps=2, size="full")
    assert outcomes(found) == {"agrees"}
    assert not any("resampling" in f.check.claim or "guided" in f.check.claim for f in found)


class Failing:
    """A right filter that raises when there are several replicates, or returns something else."""

    def __init__(self, n: int, returns: Any = None) -> None:
        self.right, self.returns = Linear(n), returns

    def run(self, *arguments: Any, **how: Any) -> Any:
        if self.returns is not None:
            return self.returns(self.right.run(*arguments, **how))
        raise (EvaluationError("no model", instead="one") if how["batch"] else ZeroDivisionError("by zero"))


def test_a_filter_that_raises_leaves_every_check_undecided() -> None:
    found = verify_filter(Failing, NAME, "lgssm", **SMALL)
    assert len(found) > 2 and outcomes(found) == {"undecided"}
    assert {f.basis for f in found} == {"not carried out"}
    assert "ZeroDivisionError: by zero (test_foreign.py" in found[0].note
    assert found[-1].note == "no model; instead: one"


def test_a_filter_that_raises_now_and_then_leaves_those_checks_undecided() -> None:
    """Also where it is wrong, and cannot be run at the smallest sizes."""

    def made(n: int) -> Any:
        return Linear(n, "correction") if n in (2, 3) else Failing(n)

    found = verify_filter(made, NAME, "lgssm", **SMALL)
    assert found[0].outcome == "disagrees" and "smallest failing: N = 2" in found[0].note
    assert found[-1].outcome == "undecided"


@pytest.mark.parametrize(
    ("returns", "says"),
    [
        (lambda run: run.log_sum, "returned a Tensor, which has no log_sum"),
        (lambda run: SimpleNamespace(**{**vars(run), "trace": 3}), "has no trace.states"),
        (lambda run: SimpleNamespace(**{**vars(run), "log_weights": None}), "log_weights .* is None"),
        (
            lambda run: changed(run, states=run.trace.states[1:]),
            r"trace.states of a run of batch shape \(\) is of shape",
        ),
        (
            lambda run: changed(run, ancestors=run.trace.ancestors + 1),
            "are no ancestors; instead: whole numbers from 0 to 2",
        ),
    ],
)
def test_what_is_no_run_is_told(returns: Any, says: str) -> None:
    found = verify_filter(lambda n: Failing(n, returns), NAME, "lgssm", **SMALL)
    assert outcomes(found) == {"undecided"}
    assert re.search(says, found[0].note), found[0].note


def test_a_maker_may_make_another_filter_the_next_time() -> None:
    wrong = [""]
    made = lambda n: Linear(n, wrong[0])  # noqa: E731
    assert outcomes(verify_filter(made, NAME, "lgssm", **SMALL)) == {"agrees"}
    wrong[0] = "correction"
    assert "disagrees" in outcomes(verify_filter(made, NAME, "lgssm", **SMALL))


def test_the_mean_of_the_estimate_is_tested_with_power_where_nothing_is_resampled() -> None:
    found = verify_filter(lambda n: filter_of("sis", n), "sis", "lgssm", particles=2, steps=1)
    assert found[-1].check.kind == "statistical" and found[-1].outcome == "agrees", found[-1]


@pytest.mark.parametrize(
    ("arguments", "sizes", "says"),
    [
        ((None, "dpf", "lgssm"), {}, "made by a function of N, not by None"),
        ((Linear, None, "lgssm"), {}, "an estimator has a name"),
        ((Linear, "dfp", "lgssm"), {}, "no program runs 'dfp'"),
        ((Linear, "iwae", "lgssm"), {}, "importance sampling, and no filter runs it"),
        ((Linear, "dpf_initial", "lgssm"), {}, "claims nothing of lgssm"),
        ((Linear, "dpf", "lgsm"), {}, "no model is called 'lgsm'"),
        ((Linear, "dpf", "lgssm"), {"size": "huge"}, "no size is called 'huge'"),
        ((Linear, "dpf", "lgssm"), {"particles": 3.5}, "there cannot be 3.5 particles"),
        ((Linear, "dpf", "lgssm"), {"steps": "3"}, "'3' steps"),
    ],
)
def test_bad_input_is_one_clear_error(arguments: Any, sizes: dict[str, Any], says: str) -> None:
    with pytest.raises(EvaluationError, match=says) as failure:
        foreign.verify_filter(*arguments, **sizes)
    assert failure.value.instead
