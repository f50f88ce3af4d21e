"""The stochastic volatility experiment, at a small scale."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.execution import Shard
from surrogate_calculus.numeric.filters import ParticleFilter

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "experiments"
SMALL = {"epochs": 5, "steps": 8, "series": 3, "rate": 0.05}


@pytest.fixture
def figure3(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    monkeypatch.syspath_prepend(str(FOLDER))
    import figure3

    yield figure3
    for name in ("common", "figure3"):
        sys.modules.pop(name, None)


def shard(method: str, particles: int = 8, seed: int = 4, **changes: float) -> Shard:
    return Shard(0, seed, {"method": method, "particles": particles, **SMALL, **changes})


def test_the_grid_has_the_likelihood_that_the_filter_estimates(figure3: ModuleType) -> None:
    """64 filters of 2,000 particles: the mean of Ẑ within 4.5 standard errors, and the mean of the score."""
    y = figure3.simulated(12, 1, 3)
    own = {"mu": 1.5, "z_phi": 1.2, "log_sigma": -0.2}
    at = {name: torch.full((1,), v, dtype=torch.float64, requires_grad=True) for name, v in own.items()}
    value = figure3.exact(y, at)
    score = torch.cat(torch.autograd.grad(value.sum(), list(at.values())))
    each = {name: torch.full((64,), v, dtype=torch.float64, requires_grad=True) for name, v in own.items()}
    run = ParticleFilter(2000).run(figure3.MODEL, y, each, seed=5)
    ratio = torch.exp(run.log_likelihood - value).detach()
    assert abs(float(ratio.mean()) - 1) < 4.5 * float(ratio.std()) / 8
    assert float(ratio.std()) < 0.2
    for g, s in zip(torch.autograd.grad(run.likelihood.sum(), list(each.values())), score, strict=True):
        z = g / torch.exp(value).detach()
        assert abs(float(z.mean() - s)) < 4.5 * float(z.std()) / 8


def test_a_finer_grid_has_the_same_likelihood(figure3: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    y = figure3.simulated(20, 2, 3)
    start = {name: v.repeat(2) for name, v in figure3.START.defaults().items()}  # the narrowest step
    truth = {name: v.repeat(2) for name, v in figure3.MODEL.defaults().items()}
    coarse = [figure3.exact(y, at) for at in (start, truth)]
    monkeypatch.setattr(figure3, "GRID", 2 * figure3.GRID - 1)
    for value, at in zip(coarse, (start, truth), strict=True):
        torch.testing.assert_close(figure3.exact(y, at), value, rtol=0, atol=1e-4)


@pytest.mark.parametrize("method", ["pf", "dpf", "ot", "exact"])
def test_a_run_is_kept_and_the_same_again(figure3: ModuleType, method: str) -> None:
    found = figure3.train(shard(method))
    assert found["stopped"] == "" and len(found["final"]) == 3
    for name, first in (("mu", 0.0), ("phi", 0.5), ("sigma", 0.5)):
        assert found[name][0] == pytest.approx([first] * 3) and len(found[name]) == 2  # epochs 0 and 5
        assert found[name][1] != found[name][0]
    assert figure3.train(shard(method)) == found
    assert figure3.train(shard(method, seed=5)) != found


def test_with_many_particles_training_is_that_of_the_exact_gradient(figure3: ModuleType) -> None:
    found, exact = figure3.train(shard("dpf", 3000)), figure3.train(shard("exact"))
    for name in ("mu", "phi", "sigma"):
        assert found[name][-1] == pytest.approx(exact[name][-1], abs=0.03)


def test_a_filter_that_breaks_down_ends_its_training(figure3: ModuleType) -> None:
    found = figure3.train(shard("pf", rate=1e200, epochs=10))
    assert found["stopped"]


def test_errors_are_sums_of_deviations(figure3: ModuleType) -> None:
    run = {"mu": [[0.0, 3.0], [2.0, 2.5]], "phi": [[0.9, 0.9]] * 2, "sigma": [[0.5, 1.0]] * 2}
    assert figure3.errors(run, ["mu"]) == [[2.0, 1.0], [0.0, 0.5]]
    assert figure3.errors(run, ["mu", "phi", "sigma"]) == [[2.5, 1.0], [0.5, 0.5]]
    short = {name: rows[:1] for name, rows in run.items()}
    assert figure3.joined([run, short], ["mu"]) == [[2.0, 1.0, 2.0, 1.0], [0.0, 0.5, 2.0, 1.0]]


def test_the_command_makes_tables_and_a_plot_and_goes_on(
    figure3: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    small = "--executor serial --particles 6 --epochs 5 --steps 6 --series 2 --times 5 6 --repeats 1"
    monkeypatch.setattr(sys, "argv", ["figure3.py", *small.split(), "--out", str(tmp_path)])
    figure3.run()
    first = capsys.readouterr()
    assert "4 runs" in first.err and "DPF-SGR" in first.out
    rows = [json.loads(line) for line in (tmp_path / "figure3-times.jsonl").read_text().splitlines()]
    assert len(rows) == 8 and all(0 < v < math.inf for row in rows for v in row["result"].values())
    assert (tmp_path / "figure3.png").read_bytes().startswith(b"\x89PNG")
    figure3.run()
    again = capsys.readouterr()
    assert "0 runs" in again.err and again.out == first.out


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("--epochs 0", "--epochs"),
        ("--particles 0", "0 particles"),
        ("--times 0", "0 particles"),
        ("--rate nan", "--rate"),
        ("--rate -1", "--rate"),
        ("--series 0", "--series"),
    ],
)
def test_numbers_that_cannot_be(
    figure3: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str, what: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["figure3.py", *words.split(), "--out", str(tmp_path)])
    with pytest.raises(EvaluationError, match=what):
        figure3.run()
