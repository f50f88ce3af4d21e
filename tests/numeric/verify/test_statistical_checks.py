"""Every statistical claim is found as claimed; the same tests refuse wrong ones, or say that they cannot."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
import torch

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.verify import Check, Finding, growth, samples, statistical
from surrogate_calculus.numeric.verify.programs import PROGRAMS


def plan(name: str, scene: str, **options: Any) -> list[Check]:
    options = {"particles": None, "steps": None, "seed": 1} | options
    return statistical.plan(name, scene, **options)


def carried_out(check: Check) -> Finding:
    return statistical.RUNNERS[check.runner](check)


@pytest.mark.parametrize(
    ("name", "scene"),
    [(name, "hmm") for name in ("sis", "pf", "pf_dice", "dpf", "dpf2")]
    + [(name, "nile") for name in ("sis", "pf", "dpf_adaptive", "dpf2")]
    + [("dpf", "lgssm"), ("sis", "lgssm2")],
)
def test_every_claim_is_found_as_claimed(name: str, scene: str) -> None:
    checks = plan(name, scene)
    assert len(checks) >= 2 and len({c.key for c in checks}) == len(checks)
    for check in checks:
        found = carried_out(check)
        assert found.outcome == "agrees", (check.claim, found)
        assert f"{check.settings['replicates']:,} replicates" in found.note
        assert all(len(row) == len(found.columns) for row in found.numbers.values())
        if check.runner in ("value", "score"):
            assert "power" in found.note and "1e-04" not in found.basis and "0.0001" in found.basis


def test_what_is_claimed() -> None:
    claims = {(name, scene): [c.runner for c in plan(name, scene, size="full")]
              for name in PROGRAMS for scene in ("lgssm", "lgssm2", "nile", "hmm")}  # fmt: skip
    assert claims["pf", "lgssm"] == ["value", "score biased", "bias stays"]
    assert claims["dpf", "lgssm"] == ["value", "score", "bias falls"]
    assert claims["pf_dice", "lgssm"] == ["value", "score", "variance grows in N"]
    assert claims["dpf", "hmm"][-5:] == ["variance like T²", *["ancestors"] * 4]
    assert claims["dpf2", "hmm"][-1] == "variance like T"
    assert {r for rows in claims.values() for r in rows} == set(statistical.RUNNERS)
    for scene in ("volatility", "growth", "hmm-hidden"):
        assert plan("dpf", scene) == []


def of(name: str, scene: str, runner: str, like: str = "dpf", **settings: Any) -> Check:
    """A claim of one filter, made of another."""
    (check,) = [c for c in plan(like, scene) if c.runner == runner]
    return replace(check, filter=name, settings={**check.settings, **settings})


@pytest.mark.parametrize("scene", ["hmm", "nile"])
def test_the_plain_filter_is_not_unbiased(scene: str) -> None:
    found = carried_out(of("pf", scene, "score"))
    assert found.outcome == "disagrees" and found.deviation > 3 * found.tolerance
    assert found.quantity.startswith("∂/∂") and found.quantity.endswith("of Ẑ")


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "pf-sf", "scheme": "systematic", "correct_initial": False},
        {"method": "dpf", "gradient": "live", "correct_initial": False},
        {"method": "soft", "correct_initial": False},
    ],
    ids=str,
)
def test_a_wrong_surrogate_disagrees(wrong: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"wrong {wrong}"
    monkeypatch.setitem(PROGRAMS, name, wrong)  # type: ignore[arg-type]
    assert carried_out(of(name, "hmm", "value")).outcome == "agrees"
    found = carried_out(of(name, "hmm", "score", replicates=20_000))
    assert found.outcome == "disagrees", found


def test_a_wrong_likelihood_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of p(y), which the test has the power to see."""
    right = samples._log_likelihood
    monkeypatch.setattr(samples, "_log_likelihood", lambda *given: right(*given) + 0.1)
    found = carried_out(of("dpf", "hmm", "value", seed=1234567))
    assert found.outcome == "disagrees" and found.quantity == "Ẑ/p(y)"


def test_a_wrong_score_by_a_tenth_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    """The effect that the power is stated against."""
    right = samples.gradients

    def wrong(*given: Any) -> Any:
        value, first, second = right(*given)
        extra = torch.zeros_like(first)
        extra[..., 3] = 0.1 * 1.7  # ‖s‖ is 1.7
        return value, first + extra, second + extra

    monkeypatch.setattr(samples, "gradients", wrong)
    found = carried_out(of("dpf", "hmm", "score", seed=7654321))
    assert found.outcome == "disagrees" and found.quantity == "∂/∂transition[0, 1] of Ẑ"


@pytest.mark.parametrize(
    ("name", "runner", "like"),
    [
        ("dpf", "score biased", "pf"),
        ("pf", "bias falls", "dpf"),
        ("dpf", "bias stays", "pf"),
        ("dpf", "variance grows in N", "pf_dice"),
        ("pf", "variance like T²", "dpf"),
        ("dpf", "variance like T", "dpf"),
    ],
)
def test_what_is_claimed_of_one_filter_is_not_true_of_another(name: str, runner: str, like: str) -> None:
    if runner == "variance like T":
        found = carried_out(replace(of(name, "hmm", "variance like T²"), runner=runner))
    elif name == "pf" and runner == "variance like T²":
        found = carried_out(of(name, "hmm", runner, like, particles=32, sets=24))
    else:
        found = carried_out(of(name, "hmm", runner, like))
    assert found.outcome == "disagrees", found


@pytest.mark.parametrize(
    ("name", "runner", "like", "settings"),
    [
        ("dpf", "value", "dpf", {"replicates": 30}),
        ("dpf", "score", "dpf", {"replicates": 50}),
        ("dpf", "score biased", "pf", {"replicates": 30}),
        ("dpf", "bias falls", "dpf", {"replicates": 50}),
        ("dpf", "bias stays", "pf", {"replicates": 20}),
        ("dpf2", "variance like T", "dpf2", {"sets": 3, "replicates": 4}),
    ],
)
def test_without_power_nothing_is_decided(name: str, runner: str, like: str, settings: Any) -> None:
    found = carried_out(of(name, "hmm", runner, like, **settings))
    assert found.outcome == "undecided", found


@pytest.mark.parametrize(
    ("name", "runner"),
    [
        (name, check.runner)
        for name in ("pf", "pf_dice", "dpf", "dpf2")
        for check in plan(name, "hmm")
        if check.runner != "ancestors"
    ],
)
def test_what_is_no_number_disagrees(name: str, runner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that returns NaN is neither unbiased nor undecided, and shows no bias that is claimed."""

    def none(name: str, scene: Any, y: Any, particles: int, shape: tuple[int, ...], seed: int) -> Any:
        size = sum(v.numel() for v in scene.model.defaults().values())
        firsts = torch.full((*shape, size), torch.nan, dtype=torch.float64)
        return firsts[..., 0], firsts, firsts

    for module in (samples, growth):
        monkeypatch.setattr(module, "gradients", none)
    caches = (samples.sample_of, growth._variances)
    for cache in caches:
        cache.cache_clear()
    found = carried_out(of(name, "hmm", runner, name))
    for cache in caches:
        cache.cache_clear()
    assert found.outcome == "disagrees" and found.deviation != found.deviation, found


@pytest.mark.parametrize("scheme", ["multinomial", "stratified", "systematic", "residual"])
def test_a_wrong_resampler_disagrees(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights that are flattened; and, for each scheme, the draws of another."""
    right = statistical.resample
    check = next(c for c in plan("dpf", "hmm") if c.settings.get("scheme") == scheme)
    assert carried_out(check).outcome == "agrees"
    monkeypatch.setattr(statistical, "resample", lambda w, s, g: right(0.9 * w, s, g))
    assert carried_out(check).outcome == "disagrees"
    other = "stratified" if scheme == "multinomial" else "multinomial"
    monkeypatch.setattr(statistical, "resample", lambda w, s, g: right(w, other, g))
    found = carried_out(check)
    assert found.outcome == "disagrees" and len(found.quantity) == 3


def test_exponents_are_recovered() -> None:
    sizes = torch.tensor([8.0, 16.0, 32.0], dtype=torch.float64)
    found, error = growth._exponent(sizes, torch.log(3 * sizes**-1.5), torch.full_like(sizes, 0.1))
    assert found == pytest.approx(-1.5) and error == pytest.approx(0.1 / (2**0.5 * torch.log(sizes[1] / 8)))


def test_a_finding_is_plain_data_and_the_same_again() -> None:
    check = of("dpf", "hmm", "score", replicates=300)
    found = carried_out(check)
    assert Finding.from_json(json.loads(json.dumps(found.to_json()))) == found
    samples.sample_of.cache_clear()
    assert carried_out(Check(**json.loads(json.dumps(vars(check))))) == found
    other = carried_out(replace(check, settings={**check.settings, "seed": 2}))
    assert other.deviation != found.deviation


def test_batches_do_not_change_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replicates in one batch and in many: the same number of them, and means within 5 standard errors."""
    one = samples.sample_of("dpf", "hmm", 8, 3, 2000, 5)
    monkeypatch.setattr(samples, "_BATCH", 8 * 300)
    samples.sample_of.cache_clear()
    many = samples.sample_of("dpf", "hmm", 8, 3, 2000, 5)
    assert one.of_log.shape == many.of_log.shape == (2000, 10)
    difference = one.of_log.mean(0) - many.of_log.mean(0)
    assert bool((difference.abs() <= 5 * (2 / 2000) ** 0.5 * one.of_log.std(0)).all())


def test_sizes() -> None:
    def size(**options: Any) -> tuple[Any, Any]:
        check = plan("dpf", "nile", **options)[0]
        return check.settings["particles"], check.settings["steps"]

    own = size()
    assert size(particles=20, steps=5) == (20, 5)
    assert size(particles=1000, steps=100) == own  # replicates of these would take too long
    assert size(particles=1, steps=500) == own  # there are 100 flows
    (quick, *_), (full, *_) = plan("dpf", "nile"), plan("dpf", "nile", size="full")
    assert full.settings["replicates"] == 4 * quick.settings["replicates"]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filter": "dpg"}, "no filter runs 'dpg'"),
        ({"scene": "nil"}, "no model is called 'nil'"),
        ({"particles": -1}, "there cannot be -1 particles"),
        ({"steps": 0}, "there cannot be 0 steps"),
        ({"size": "large"}, "no size is called 'large'"),
    ],
)
def test_bad_input(arguments: dict[str, Any], message: str) -> None:
    good: dict[str, Any] = {"filter": "dpf", "scene": "nile", "particles": None, "steps": None, "seed": 1}
    with pytest.raises(EvaluationError, match=message):
        statistical.plan(**(good | arguments))


def test_one_series_has_no_data_sets() -> None:
    with pytest.raises(EvaluationError, match="one series"):
        carried_out(replace(of("dpf", "hmm", "variance like T²"), model="nile"))
