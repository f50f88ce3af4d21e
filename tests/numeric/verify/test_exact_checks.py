"""Every exact claim is found as claimed, and a wrong one is not."""

from __future__ import annotations

import inspect
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from torch import Tensor

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.exact.enumeration import ancestor_law
from surrogate_calculus.numeric.filters import replay
from surrogate_calculus.numeric.verify import Check, Finding, exact
from surrogate_calculus.numeric.verify.programs import PROGRAMS

SCENES = ("hmm", "hmm-hidden")


def plan(name: str, scene: str, **options: Any) -> list[Check]:
    options = {"particles": None, "steps": None, "seed": 1} | options
    return exact.plan(name, scene, **options)


def carried_out(check: Check) -> Finding:
    return exact.RUNNERS[check.runner](check)


def altered(check: Check, **settings: Any) -> Check:
    return replace(check, settings={**check.settings, **settings})


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("name", PROGRAMS)
def test_every_claim_is_found_as_claimed(name: str, scene: str) -> None:
    """The quick plan; at N = T = 2 for a filter with a start of its own, which has the most runs."""
    options = {"particles": 2, "steps": 2} if name == "dpf_initial" else {}
    for check in plan(name, scene, **options):
        found = carried_out(check)
        assert found.outcome == "agrees", (check.claim, found)
        assert found.seconds == 0 and found.check is check
        if check.runner == "unbiased":
            assert found.deviation <= found.tolerance == 1e-12
        else:
            assert found.deviation > 1e-3 and found.tolerance == 1e-6


def test_what_is_claimed() -> None:
    """The biases that the verifier must find, and each scheme, are in the plan."""
    claims = [c.claim for name in PROGRAMS for scene in SCENES for c in plan(name, scene)]
    for scheme in ("multinomial", "stratified", "systematic", "residual"):
        assert any(scheme in c and "k = 0, 1, 2, 3" in c for c in claims)
    for words in (
        "systematic resampling, whose ancestors",
        "a biased law of the ancestors",
        "a proposal that depends on θ, not stopped",
        "a stopped initial law that is left uncorrected",
        "soft resampling",
    ):
        assert any(words in c and "≠" in c for c in claims), words
    assert len(set(claims)) > 40
    keys = [c.key for name in PROGRAMS for scene in SCENES for c in plan(name, scene, size="full")]
    assert len(set(keys)) == len(keys)
    full = plan("dpf", "hmm", size="full")
    assert any(c.settings["particles"] == c.settings["steps"] == 3 for c in full)


@pytest.mark.parametrize("seed", [2, 3, 6])
def test_whatever_is_observed(seed: int) -> None:
    """Other observations: 0 1 1, 0 1 0 and 1 1 1."""
    for name in ("pf_dice", "dpf_adaptive", "dpf2"):
        check = plan(name, "hmm", seed=seed, particles=2, steps=3)[0]
        assert check.runner == "unbiased" and carried_out(check).outcome == "agrees", check.claim


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "scheme", "when"),
    [
        ("dpf", "multinomial", None),
        ("dpf", "systematic", None),
        ("dpf_adaptive", "systematic", "mixed"),
        ("pf_dice", "multinomial", None),
    ],
)
def test_three_particles_and_three_steps(name: str, scheme: str, when: str | None) -> None:
    def this(s: Any) -> bool:
        return bool(s["quantity"] == "likelihood" and s["scheme"] == scheme and s.get("when") == when)

    (check,) = [c for c in plan(name, "hmm", particles=3, steps=3, size="full") if this(c.settings)]
    assert check.settings["highest"] == 2
    found = carried_out(check)
    assert found.outcome == "agrees", found
    if scheme == "multinomial":
        assert "373,248 runs" in found.note


def claim(name: str, runner: str, **settings: Any) -> Check:
    base = {
        "particles": 2, "steps": 3, "seed": 1, "quantity": "likelihood", "lowest": 0, "highest": 2
    }  # fmt: skip
    scene = settings.pop("scene", "hmm")
    return Check("…", "exact", runner, name, scene, base | settings)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("pf", {}),
        ("pf", {"quantity": "posterior"}),
        ("pf_dice", {"scheme": "stratified"}),
        ("dpf", {"method": "soft"}),
        ("dpf", {"gradient": "live"}),
        ("dpf", {"guide": 0.5, "gradient": "live"}),
        ("dpf2", {"guide": 1.0, "gradient": "live"}),
        ("dpf", {"scene": "hmm-hidden"}),
        ("dpf_adaptive", {"law": "tilted", "when": 0.99}),
    ],
    ids=str,
)
def test_a_wrong_claim_disagrees(name: str, settings: dict[str, Any]) -> None:
    found = carried_out(claim(name, "unbiased", **settings))
    assert found.outcome == "disagrees" and found.deviation > 1e-3
    assert found.quantity.startswith("∂") or "law" in settings


@pytest.mark.parametrize("name", ["dpf", "dpf2", "sis", "pf_dice"])
def test_a_bias_that_is_not_there_disagrees(name: str) -> None:
    found = carried_out(claim(name, "biased", lowest=1))
    assert found.outcome == "disagrees" and found.deviation < 1e-13


def test_the_value_alone_does_not_show_a_bias_of_derivatives() -> None:
    """For a bias at every order, each must have one."""
    found = carried_out(claim("pf", "biased"))
    assert found.outcome == "disagrees" and found.quantity == "the value of Ẑ"


def test_the_faintest_tilt_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights to the power of 1 + 10⁻⁸."""

    def faint(weights: Tensor, tuples: Tensor) -> Tensor:
        tilted = weights ** (1 + 1e-8)
        return ancestor_law("multinomial")(tilted / tilted.sum(1, keepdim=True), tuples)

    monkeypatch.setitem(exact._LAWS, "faint", faint)  # type: ignore[arg-type]
    found = carried_out(claim("dpf", "unbiased", law="faint"))
    assert found.outcome == "disagrees" and 1e-11 < found.deviation < 1e-7


def test_the_faulty_parameter_is_named() -> None:
    """Without a correction of the initial law it is π whose derivative is wrong, and nothing else."""
    found = carried_out(claim("dpf", "unbiased", scene="hmm-hidden", lowest=1, highest=1))
    assert found.quantity.startswith("∂/∂(start[") and found.quantity.endswith(" of Ẑ")
    mean, right = found.numbers["order 1, mean over the filter"], found.numbers["order 1, exact"]
    rows = zip(found.columns, mean, right, strict=True)
    wrong = {name for name, a, b in rows if abs(a - b) > 1e-9}
    assert wrong == {"start[0]", "start[1]", "s, a generic direction"}


def test_a_number_that_is_none_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exact, "_likelihood", lambda run, parameters: run.likelihood * math.nan)
    for runner in ("unbiased", "biased"):
        found = carried_out(claim("pf", runner, lowest=1))
        assert found.outcome == "disagrees" and math.isnan(found.deviation)


def test_what_adaptive_resampling_carries_on_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A filter that stops the weights of the steps at which it does not resample."""
    line = "torch.where(mask, carried, weights)"
    source = inspect.getsource(replay.weigh)
    assert source.count(line) == 1
    names = dict(vars(replay))
    exec(source.replace(line, "torch.where(mask, carried, weights.detach())"), names)
    monkeypatch.setattr(replay, "weigh", names["weigh"])
    (check, *_) = plan("dpf_adaptive", "hmm")
    found = carried_out(check)
    assert found.outcome == "disagrees" and found.quantity.startswith("∂")


def test_adaptive_resampling_that_never_resamples_shows_nothing() -> None:
    found = carried_out(claim("dpf_adaptive", "unbiased", when=0.01))
    assert found.outcome == "undecided" and "0%" in found.note


def test_a_finding_is_plain_data_and_the_same_again() -> None:
    (check, *_) = plan("dpf", "hmm")
    found = carried_out(check)
    assert Finding.from_json(json.loads(json.dumps(found.to_json()))) == found
    assert carried_out(Check(**json.loads(json.dumps(vars(check))))) == found
    assert len(found.columns) == 11 and all(len(row) == 11 for row in found.numbers.values())


def test_sizes() -> None:
    def sizes(**options: Any) -> set[tuple[Any, Any]]:
        return {(c.settings["particles"], c.settings["steps"]) for c in plan("dpf", "hmm", **options)}

    assert sizes() == {(2, 2), (2, 3), (3, 2)}
    assert sizes(particles=2, steps=3) == {(2, 3)}
    assert sizes(particles=1, steps=4) == {(1, 4)}
    assert sizes(particles=1000, steps=200) == sizes()  # as many runs cannot be enumerated
    adaptive = plan("dpf_adaptive", "hmm", particles=2, steps=2)  # too few to be mixed
    assert {(c.settings["particles"], c.settings["steps"]) for c in adaptive} == {(2, 3), (3, 2)}
    assert sizes(size="full") == {(2, 2), (2, 3), (3, 2), (3, 3)}
    assert plan("dpf", "lgssm") == [] and plan("dpf_initial", "hmm") == []
    for check in plan("dpf", "hmm", particles=1, steps=2) + plan("pf", "hmm", particles=2, steps=1):
        assert carried_out(check).outcome == "agrees", check.claim


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filter": "dpg"}, "no filter runs 'dpg'"),
        ({"scene": "hnm"}, "no model is called 'hnm'"),
        ({"particles": 0}, "there cannot be 0 particles"),
        ({"steps": 0}, "there cannot be 0 steps"),
        ({"size": "large"}, "no size is called 'large'"),
    ],
)
def test_bad_input(arguments: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"filter": "dpf", "scene": "hmm", "particles": None, "steps": None, "seed": 1}
    with pytest.raises(EvaluationError, match=message):
        exact.plan(**(good | arguments))


def test_a_model_without_an_enumeration() -> None:
    with pytest.raises(EvaluationError, match="lgssm is not finite"):
        carried_out(claim("dpf", "unbiased", scene="lgssm"))
