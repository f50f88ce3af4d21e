"""The experiments: runs that are kept and go on, and the linear Gaussian one at a small scale."""

from __future__ import annotations

import json
import math
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.execution import Shard
from surrogate_calculus.numeric.models import draw_observations

FOLDER = Path(__file__).resolve().parents[1] / "examples" / "experiments"


@pytest.fixture
def experiments(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ModuleType, ModuleType]]:
    monkeypatch.syspath_prepend(str(FOLDER))
    import common
    import figure1

    yield common, figure1
    for name in ("common", "figure1"):
        sys.modules.pop(name)


SMALL = {"epochs": 3, "steps": 6, "sequences": 2, "tests": 3, "rate": 0.05, "data": 1}


def shard(method: str, particles: int = 5, seed: int = 4, **changes: Any) -> Shard:
    return Shard(0, seed, {"method": method, "particles": particles, **SMALL, **changes})


# -- what is kept --


def test_results_are_there_again_and_a_cut_line_is_not(experiments, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    common, _ = experiments
    path = tmp_path / "deeper" / "r.jsonl"
    results = common.Results(path)
    one, two = Shard(0, 1, {"n": 1}), Shard(1, 2, {"n": 2})
    results.add(one, [1.5])
    results.add(two, None)
    with path.open("a") as file:
        file.write('{"key": "cut')
    again = common.Results(path)
    assert again.known == {one.key: [1.5], two.key: None}
    again.add(Shard(2, 3, {}), 7)
    assert [json.loads(line)["result"] for line in path.read_text().splitlines()] == [[1.5], None, 7]
    assert common.Results(path, fresh=True).known == {}


@pytest.mark.parametrize("line", ["nonsense", "[1, 2]", '{"key": 1}', "3"])
def test_a_line_that_is_no_result_is_one_error(experiments, tmp_path: Path, line: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "r.jsonl"
    path.write_text(line + "\n")
    with pytest.raises(EvaluationError, match="line 1: this is no result"):
        experiments[0].Results(path)


@pytest.mark.parametrize("text", ["my notes, without an end", '{"key": "a", "result": 1}\nnotes', "\xff\xfe"])
def test_what_is_no_file_of_results_is_left_as_it_is(experiments, tmp_path: Path, text: str) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "r.jsonl"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(EvaluationError, match="this is no result"):
        experiments[0].Results(path)
    assert path.read_bytes() == text.encode("latin-1")


def test_a_folder_that_cannot_be_is_one_error(experiments, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "file").touch()
    with pytest.raises(EvaluationError, match="cannot be used") as refused:
        experiments[0].Results(tmp_path / "file" / "r.jsonl")
    assert "--out" in str(refused.value)


def test_methods_of_one_replicate_have_one_seed(experiments) -> None:  # type: ignore[no-untyped-def]
    shards = experiments[0].shards_of([{"m": 1}, {"m": 2}], Namespace(seed=3, seeds=2))
    assert [s.settings["replicate"] for s in shards] == [0, 0, 1, 1]
    assert shards[0].seed == shards[1].seed != shards[2].seed == shards[3].seed
    assert len({s.key for s in shards}) == 4


def test_a_mistake_is_one_message_and_status_2(experiments, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    def wrong() -> None:
        raise EvaluationError("no", instead="yes")

    with pytest.raises(SystemExit) as caught:
        experiments[0].main(wrong)
    assert caught.value.code == 2 and capsys.readouterr().err == "error: no\n  instead: yes\n"


def test_ctrl_c_says_how_to_go_on(experiments, capsys: pytest.CaptureFixture[str]) -> None:  # type: ignore[no-untyped-def]
    def stopped() -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as caught:
        experiments[0].main(stopped)
    assert caught.value.code == 130 and "the same command" in capsys.readouterr().err


# -- Figure 1 --


def test_the_test_value_is_the_joint_gaussian_density(experiments) -> None:  # type: ignore[no-untyped-def]
    figure1 = experiments[1]
    y = draw_observations(figure1.MODEL, 4, 3, torch.Generator().manual_seed(2))
    assert y.shape == (4, 3)
    a, c = 0.7, 1.3
    covariance = torch.zeros(4, 4, dtype=torch.float64)
    for i in range(4):
        for j in range(4):
            # x₁ ~ N(0, 1) whatever a is, and each step adds 1.
            shared = sum(a ** (i - k) * a ** (j - k) for k in range(min(i, j) + 1))
            covariance[i, j] = c * c * shared + (0.1 if i == j else 0.0)
    law = torch.distributions.MultivariateNormal(torch.zeros(4, dtype=torch.float64), covariance)
    found = figure1.exact_mean(y, {"a": torch.tensor(a).double(), "c": torch.tensor(c).double()})
    assert float(found) == pytest.approx(float(law.log_prob(y.T).mean()), rel=1e-6)


def test_the_data_have_the_moments_of_the_model(experiments) -> None:  # type: ignore[no-untyped-def]
    y = draw_observations(experiments[1].MODEL, 2, 40_000, torch.Generator().manual_seed(3))
    assert y.var(1).tolist() == pytest.approx([1.1, 1.91], rel=0.03)
    assert float((y[0] * y[1]).mean()) == pytest.approx(0.9, rel=0.05)


@pytest.mark.parametrize("method", ["sis", "pf", "pf-sf", "dpf"])
def test_a_run_has_a_value_for_each_epoch_and_is_the_same_again(experiments, method: str) -> None:  # type: ignore[no-untyped-def]
    figure1 = experiments[1]
    found = figure1.train(shard(method))
    assert found["a"][0] == found["c"][0] == 0.1 and found["stopped"] == ""
    assert {len(found[name]) for name in ("a", "c", "test")} == {4}
    assert found["a"][1] != 0.1
    assert figure1.train(shard(method)) == found != figure1.train(shard(method, seed=5))


def test_with_many_particles_the_differentiable_filter_climbs_as_the_exact_score_does(experiments) -> None:  # type: ignore[no-untyped-def]
    figure1 = experiments[1]
    changes = {"epochs": 6, "steps": 12, "rate": 0.1}
    exact = figure1.train(shard("exact", **changes))
    found = figure1.train(shard("dpf", 2000, **changes))
    assert found["a"] == pytest.approx(exact["a"], abs=0.02)
    assert found["c"] == pytest.approx(exact["c"], abs=0.02)
    assert exact["test"][-1] > exact["test"][0] + 10


def test_a_filter_that_breaks_down_ends_its_training_only(experiments) -> None:  # type: ignore[no-untyped-def]
    found = experiments[1].train(shard("pf", rate=1e100))
    assert found["stopped"] and found["a"] == [0.1] and len(found["test"]) == 1


def test_a_value_that_overflows_is_left_out_alone(experiments) -> None:  # type: ignore[no-untyped-def]
    y = draw_observations(experiments[1].MODEL, 6, 1, torch.Generator().manual_seed(1))
    found = experiments[1].tested(y, {"a": [0.1, 1e100, 0.2], "c": [0.1, 1.0, 0.1]})
    assert [math.isfinite(v) for v in found] == [True, False, True]


def test_the_command_makes_a_table_and_a_plot_and_goes_on(  # type: ignore[no-untyped-def]
    experiments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    figure1 = experiments[1]
    small = "--executor serial --particles 3 4 --epochs 2 --steps 5 --sequences 1 --tests 2 --seeds 2"
    monkeypatch.setattr(sys, "argv", ["figure1.py", *small.split(), "--out", str(tmp_path)])
    figure1.run()
    first = capsys.readouterr()
    assert "17 runs" in first.err and "DPF-SGR" in first.out
    rows = [json.loads(line) for line in (tmp_path / "figure1.jsonl").read_text().splitlines()]
    assert len(rows) == 17
    assert all(math.isfinite(v) for row in rows for v in row["result"]["test"])
    assert (tmp_path / "figure1.png").read_bytes().startswith(b"\x89PNG")
    figure1.run()
    again = capsys.readouterr()
    assert "0 runs" in again.err and again.out == first.out


@pytest.mark.parametrize(("words", "what"), [("--epochs 0", "--epochs"), ("--particles 0", "0 particles")])
def test_numbers_that_cannot_be(  # type: ignore[no-untyped-def]
    experiments, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: str, what: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["figure1.py", *words.split(), "--out", str(tmp_path)])
    with pytest.raises(EvaluationError, match=what):
        experiments[1].run()
