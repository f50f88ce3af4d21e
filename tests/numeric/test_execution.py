"""Executors and shards: the same results whoever computes them, and whoever is killed while doing it."""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from pathlib import Path

import pytest

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.execution import (
    EXECUTORS,
    Shard,
    make_shards,
    open_executor,
    run_shards,
    shard_seed,
)

# -- what workers do; they import this module --


def draw(shard: Shard) -> list[float]:
    """Numbers that its seed decides; on the way, a SIGKILL to itself where a marker is not there yet."""
    marker = shard.settings.get("die")
    generator = random.Random(shard.seed)
    numbers = [generator.random()]
    if marker is not None and not Path(str(marker)).exists():
        Path(str(marker)).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    numbers.append(generator.random())
    return numbers


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def wait_for(path: str) -> str:
    """Tell the process's number, and wait to be told to go on."""
    file = Path(path)
    lines = file.read_text().splitlines() if file.exists() else []
    with file.open("a") as out:
        out.write(f"{os.getpid()}\n")
    while len(lines) == 0:  # the first attempt never ends by itself
        time.sleep(0.01)
    return "done"


def square(x: int) -> int:
    return x * x


def refuse(x: int) -> int:
    raise EvaluationError(f"not {x}", instead="another")


def threads() -> tuple[str | None, int]:
    import torch

    return os.environ.get("OMP_NUM_THREADS"), torch.get_num_threads()


def nap(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


def drawn(executor: Executor, die: dict[int, Path] | None = None) -> list[list[float]]:
    shards = make_shards(5, [{"n": n} for n in range(6)])
    # Where a shard dies is no part of its seed.
    shards = [Shard(s.index, s.seed, {**s.settings, "die": str(p)}) if (p := (die or {}).get(s.index)) else s
              for s in shards]  # fmt: skip
    return run_shards(draw, shards, executor)


def serially() -> list[list[float]]:
    with open_executor("serial") as executor:
        return drawn(executor)


@pytest.fixture(scope="module", params=["local", "dask"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    with open_executor(request.param, workers=2) as found:
        yield found


# -- on processes --


def test_results_are_those_of_one_process(executor: Executor) -> None:
    assert drawn(executor) == serially()


def test_one_worker_or_two_are_the_same() -> None:
    with open_executor("local", workers=1) as executor:
        assert drawn(executor) == serially()


def test_a_worker_killed_at_work_changes_nothing(executor: Executor, tmp_path: Path) -> None:
    markers = {1: tmp_path / "one", 4: tmp_path / "four"}
    assert drawn(executor, markers) == serially()
    assert all(p.exists() for p in markers.values())  # they did die


def test_a_worker_killed_from_outside(executor: Executor, tmp_path: Path) -> None:
    file = tmp_path / "pids"
    future = executor.submit(wait_for, str(file))
    others = [executor.submit(square, n) for n in range(4)]
    deadline = time.monotonic() + 120
    while not (file.exists() and file.read_text().endswith("\n")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    first = int(file.read_text())
    os.kill(first, signal.SIGKILL)
    assert future.result(timeout=120) == "done"
    assert [f.result(timeout=120) for f in others] == [0, 1, 4, 9]
    pids = file.read_text().split()
    assert len(pids) == 2 and int(pids[1]) != first


def test_an_error_comes_back_as_it_was(executor: Executor) -> None:
    with pytest.raises(EvaluationError) as caught:
        executor.submit(refuse, 3).result(timeout=120)
    assert caught.value.what == "not 3" and caught.value.instead == "another"


def test_workers_have_one_thread_for_torch(executor: Executor) -> None:
    assert executor.submit(threads).result(timeout=120) == ("1", 1)


def test_a_running_scheduler_is_used_and_left_running() -> None:
    from distributed import LocalCluster

    quiet = {"dashboard_address": "127.0.0.1:0", "scheduler_kwargs": {"dashboard": False}}
    with LocalCluster(n_workers=1, threads_per_worker=1, processes=True, **quiet) as cluster:
        for n in (3, 4):
            with open_executor("dask", address=cluster.scheduler_address) as executor:
                assert executor.submit(square, n).result(timeout=120) == n * n
                assert drawn(executor) == serially()


@pytest.mark.parametrize("kind", ["local", "dask"])
def test_a_call_that_always_kills_is_given_up_alone(kind: str) -> None:
    with open_executor(kind, workers=2, retries=0) as executor:
        # The others wait at, or for, the worker that dies.
        others = [executor.submit(nap, 0.1 + n / 1000) for n in range(3)]
        bad = executor.submit(die)
        others += [executor.submit(nap, 0.1 + n / 1000) for n in range(3, 6)]
        with pytest.raises(EvaluationError, match="die: its worker died 1 times"):
            bad.result(timeout=120)
        assert [f.result(timeout=120) for f in others] == [0.1 + n / 1000 for n in range(6)]


def test_retries_are_counted() -> None:
    with (
        open_executor("local", workers=1, retries=1) as executor,
        pytest.raises(EvaluationError, match="died 2 times"),
    ):
        executor.submit(die).result(timeout=120)


def test_leaving_by_ctrl_c_ends_what_runs() -> None:
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt), open_executor("local", workers=1) as executor:  # noqa: PT012
        futures = [executor.submit(nap, 600.0) for _ in range(3)]
        while not futures[0].running():
            time.sleep(0.01)
        raise KeyboardInterrupt
    for future in futures:
        with pytest.raises(CancelledError):
            future.result(timeout=120)
    assert time.monotonic() - began < 120


def test_a_closed_executor_takes_nothing() -> None:
    for kind in ("serial", "local"):
        with open_executor(kind, workers=1) as executor:
            pass
        with pytest.raises(RuntimeError, match="shutdown"):
            executor.submit(square, 2)


# -- in this process --


def test_results_come_in_the_order_of_the_shards_and_one_by_one() -> None:
    seen = []
    shards = make_shards(1, [{"n": n} for n in range(3)])
    with open_executor("serial") as executor:
        found = run_shards(lambda s: s.settings["n"], shards, executor, on_result=lambda s, r: seen.append(r))
    assert found == seen == [0, 1, 2]


def test_known_results_are_not_computed_again() -> None:
    shards = make_shards(1, [{"n": n} for n in range(4)])
    computed, told = [], []

    def compute(shard: Shard) -> int:
        computed.append(shard.index)
        return 10 * shard.index

    with open_executor("serial") as executor:
        found = run_shards(
            compute,
            shards,
            executor,
            on_result=lambda s, r: told.append(s.index),
            results={shards[1].key: -1, shards[3].key: -3, "other": 7},
        )
    assert found == [0, -1, 20, -3] and computed == told == [0, 2]


def test_a_failure_leaves_the_rest_alone() -> None:
    done = []

    def compute(shard: Shard) -> int:
        if shard.index == 1:
            raise EvaluationError("no")
        return shard.index

    with open_executor("serial") as executor, pytest.raises(EvaluationError, match="no"):
        run_shards(compute, make_shards(1, [{}] * 4), executor, on_result=lambda s, r: done.append(r))
    assert done == [0]


def test_seeds_are_those_of_numpy_and_stay() -> None:
    import numpy

    children = numpy.random.SeedSequence(7).spawn(3)
    expected = [int(c.generate_state(1, numpy.uint64)[0]) >> 1 for c in children]
    assert [shard_seed(7, n) for n in range(3)] == expected
    assert shard_seed(0, 0) == 4334430513956379144
    assert len({shard_seed(s, i) for s in range(30) for i in range(30)}) == 900


def test_a_key_is_of_the_work_and_not_of_its_place() -> None:
    one = Shard(0, 3, {"a": 1, "b": 2})
    assert one.key == Shard(5, 3, {"b": 2, "a": 1}).key
    assert len({one.key, Shard(0, 4, {"a": 1, "b": 2}).key, Shard(0, 3, {"a": 1, "b": 3}).key}) == 3


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        ({"kind": "slurm"}, "no executor is called 'slurm'"),
        ({"kind": "local", "workers": 0}, "0 workers"),
        ({"kind": "serial", "workers": -1}, "-1 workers"),
        ({"kind": "dask", "workers": 1.5}, "1.5 workers"),
        ({"kind": "local", "workers": True}, "True workers"),
        ({"kind": "local", "address": "tcp://127.0.0.1:1"}, "no scheduler"),
        ({"kind": "dask", "address": "tcp://127.0.0.1:1", "workers": 2}, "workers of its own"),
        ({"kind": "local", "retries": -1}, "-1 retries"),
        ({"kind": "dask", "address": "nonsense://x"}, "no Dask scheduler answers"),
    ],
)
def test_bad_input_is_one_error(arguments: dict, what: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(EvaluationError) as caught, open_executor(**arguments):
        pass
    assert what in str(caught.value) and caught.value.instead


@pytest.mark.parametrize(("seed", "index"), [(-1, 0), (0, -1), (1.5, 0), (True, 0), ("1", 0)])
def test_a_bad_seed_is_one_error(seed: object, index: object) -> None:
    with pytest.raises(EvaluationError, match="cannot be"):
        shard_seed(seed, index)  # type: ignore[arg-type]


def test_without_dask_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EvaluationError) as caught, open_executor("dask"):
        pass
    assert "surrogate-calculus[dask]" in str(caught.value)


def test_the_names_of_the_executors() -> None:
    assert set(EXECUTORS) == {"serial", "local", "dask"}
