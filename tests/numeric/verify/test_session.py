"""A session loses nothing that is done, whatever ends it; a resumed one answers as one never interrupted."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from interrupting import stopped

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.verify import Check, Finding, results, session
from surrogate_calculus.numeric.verify.results import ResultsFile, read_findings
from surrogate_calculus.numeric.verify.session import (
    NOT_CARRIED_OUT,
    Interrupted,
    Resumed,
    carried_out,
    run_checks,
)


def check(number: int, **settings: Any) -> Check:
    settings["number"] = number
    return Check(f"∇θ log Ẑ, no. {number}", "pathwise", "test", "dpf", "lgssm", settings)


CHECKS = [check(n) for n in range(6)]


def finding(asked: Check) -> Finding:
    number = float(asked.settings["number"] or 0)
    return Finding(
        asked,
        number * 1e-12 / 3,
        1e-10,
        "1e-10 of Σ|summands|",
        "agrees",
        quantity="seed 0",
        numbers={"autograd": (number, math.nan), "formula": (number, math.inf)},
        columns=("a", "b"),
    )


def slow(asked: Check) -> Finding:
    time.sleep(0.02)
    return finding(asked)


def failing(asked: Check) -> Finding:
    if asked.settings["number"] == 1:
        raise EvaluationError("the observation at t = 3 is infinite", instead="a finite one")
    if asked.settings["number"] == 3:
        return {}[asked.claim]  # type: ignore[no-any-return]
    if asked.settings["number"] == 4:
        return finding(check(99))
    return finding(asked)


def killed(asked: Check) -> Finding:
    if asked.settings["number"] == 0:
        os._exit(1)
    time.sleep(0.2)
    return finding(asked)


def written(findings: list[Finding]) -> list[str]:
    """Findings as text, the time aside: NaN is not equal to itself."""
    return [repr(replace(f, seconds=0.0)) for f in findings]


WANTED = written([finding(c) for c in CHECKS])


class Backwards(Executor):
    """Carries out nothing before the last check has come, and then the last first."""

    def __init__(self, count: int, meanwhile: Callable[[list[Future[Any]]], None] | None = None) -> None:
        self.count = count
        self.meanwhile = meanwhile
        self.waiting: list[tuple[Future[Any], Any, tuple[Any, ...]]] = []

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, fn, args))
        if len(self.waiting) == self.count:
            if self.meanwhile is not None:
                self.meanwhile([future for future, _, _ in self.waiting])
            for waiting, function, arguments in reversed(self.waiting):
                if waiting.set_running_or_notify_cancel():
                    waiting.set_result(function(*arguments))
        return future


def test_findings_come_in_the_order_of_the_checks(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    seen: list[Finding] = []
    found = run_checks(CHECKS, slow, on_finding=seen.append, results=path)
    assert written(found) == WANTED and seen == found
    assert all(0.02 <= f.seconds < 10 for f in found)
    assert [json.loads(line)["key"] for line in path.read_text(encoding="utf-8").splitlines()] == [
        c.key for c in CHECKS
    ]
    assert read_findings(path)[3].check == CHECKS[3]


def test_findings_come_in_the_order_of_the_checks_whatever_ends_first(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    seen: list[Finding] = []
    found = run_checks(
        CHECKS, finding, executor=Backwards(len(CHECKS)), on_finding=seen.append, results=path
    )
    assert written(found) == WANTED
    # The last is done before its callback is there to say so.
    assert [f.check.settings["number"] for f in seen] == [4, 3, 2, 1, 0, 5]
    assert [f.check for f in read_findings(path)] == [f.check for f in seen]


def test_threads_and_processes_find_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(3) as threads:
        assert written(run_checks(CHECKS, slow, executor=threads)) == WANTED
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as processes:
        assert written(run_checks(CHECKS, slow, executor=processes)) == WANTED


def test_a_finding_is_on_the_disk_before_the_next_check_begins(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"

    def looks(asked: Check) -> Finding:
        lines = path.read_text(encoding="utf-8").splitlines()
        return replace(finding(asked), note=f"{len(lines)} lines")

    assert [f.note for f in run_checks(CHECKS, looks, results=path)] == [f"{n} lines" for n in range(6)]


def test_a_check_that_is_given_twice_is_carried_out_once() -> None:
    asked: list[Check] = []

    def counts(one: Check) -> Finding:
        asked.append(one)
        return finding(one)

    found = run_checks([CHECKS[0], CHECKS[1], CHECKS[0]], counts)
    assert asked == CHECKS[:2]
    assert [f.check for f in found] == [CHECKS[0], CHECKS[1], CHECKS[0]]
    assert run_checks([], counts) == []


# ---- what fails ----


@pytest.mark.parametrize("executor", [None, Backwards(6)], ids=["here", "executor"])
def test_a_check_that_fails_is_undecided_and_says_why(executor: Any) -> None:
    found = run_checks(CHECKS, failing, executor=executor)
    assert [carried_out(f) for f in found] == [True, False, True, False, False, True]
    for number in (1, 3, 4):
        assert found[number].outcome == "undecided" and found[number].basis == NOT_CARRIED_OUT
        assert math.isnan(found[number].deviation) and found[number].check == CHECKS[number]
    assert found[1].note == "the observation at t = 3 is infinite; instead: a finite one"
    assert found[3].note.startswith("KeyError: ") and "(test_session.py, line " in found[3].note
    assert "did not answer the check" in found[4].note


def test_what_json_cannot_hold_is_not_carried_out() -> None:
    found = run_checks(CHECKS[:1], lambda c: replace(finding(c), deviation=1j))  # type: ignore[arg-type]
    assert not carried_out(found[0]) and "TypeError" in found[0].note


def test_a_worker_that_is_killed_loses_what_it_had_and_is_told(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        found = run_checks(CHECKS[:2], killed, executor=processes, results=path)
        assert [carried_out(f) for f in found] == [False, False]
        assert "BrokenProcessPool" in found[0].note
        again = run_checks(CHECKS[2:3], finding, executor=processes)
        assert not carried_out(again[0])
    assert written(run_checks(CHECKS, finding, results=path, resume=True)) == WANTED


def test_a_future_that_somebody_cancels_is_told() -> None:
    executor = Backwards(6, lambda futures: futures[2].cancel())
    found = run_checks(CHECKS, finding, executor=executor)
    assert [carried_out(f) for f in found] == [True, True, False, True, True, True]


def test_a_failure_of_the_caller_cancels_what_is_not_begun(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    futures: list[Future[Any]] = []

    class Held(Backwards):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            futures.append(future)
            if len(futures) == 1:
                future.set_result(fn(*args))
            return future

    def pipe_closed(_: Finding) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        run_checks(CHECKS, finding, executor=Held(6), on_finding=pipe_closed, results=path)
    assert [f.cancelled() for f in futures] == [False] + [True] * 5
    assert [f.check for f in read_findings(path)] == CHECKS[:1]


# ---- files ----


def test_a_resumed_session_carries_out_the_rest_and_answers_the_same(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    other = check(50)
    first = run_checks([CHECKS[4], other, CHECKS[1]], finding, results=path)
    before = path.read_bytes()
    asked: list[Check] = []
    seen: list[Check] = []

    def counts(one: Check) -> Finding:
        asked.append(one)
        return finding(one)

    found = run_checks(
        CHECKS, counts, results=path, resume=True, on_finding=lambda f: seen.append(f.check)
    )
    assert written(found) == WANTED
    assert asked == [CHECKS[n] for n in (0, 2, 3, 5)]
    assert seen == [CHECKS[n] for n in (1, 4, 0, 2, 3, 5)]
    assert found[4].seconds == first[0].seconds
    assert path.read_bytes().startswith(before)
    assert {f.check.key for f in read_findings(path)} == {c.key for c in (*CHECKS, other)}
    assert repr(run_checks(CHECKS, failing, results=path, resume=True)) == repr(found)  # nothing left to run


def test_what_failed_is_tried_again_and_the_last_line_of_a_check_holds(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    run_checks(CHECKS, failing, results=path)
    assert written(run_checks(CHECKS, finding, results=path, resume=True)) == WANTED
    assert len(path.read_text(encoding="utf-8").splitlines()) == 9
    assert [f.check.settings["number"] for f in read_findings(path)] == [0, 2, 5, 1, 3, 4]


def test_other_settings_are_another_check(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    run_checks([check(1, seed=1)], finding, results=path)
    run_checks([check(1, seed=2)], finding, results=path, resume=True)
    assert len(read_findings(path)) == 2


def changed_code(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    for module in (results, session):
        monkeypatch.setattr(module, "fingerprint", lambda: code)


def test_what_other_code_found_is_found_anew_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.jsonl"
    changed_code(monkeypatch, "old")
    run_checks([*CHECKS[:3], check(50)], finding, results=path)
    before = path.read_bytes()
    changed_code(monkeypatch, "new")
    asked: list[Check] = []
    told: list[Resumed] = []

    def counts(one: Check) -> Finding:
        asked.append(one)
        return replace(finding(one), note="by the new code")

    found = run_checks(CHECKS[:4], counts, results=path, resume=True, on_resume=told.append)
    assert asked == CHECKS[:4] and {f.note for f in found} == {"by the new code"}
    assert told == [Resumed(taken_up=0, outdated=3, failed=0, new=1, others=1)]
    assert "3 are done again, since the code or torch has changed" in str(told[0])
    assert path.read_bytes().startswith(before)
    # Each code takes up its own: nothing of either is lost.
    run_checks(CHECKS[:4], lambda _: pytest.fail("taken up"), results=path, resume=True)
    changed_code(monkeypatch, "old")
    found = run_checks(CHECKS[:3], lambda _: pytest.fail("taken up"), results=path, resume=True)
    assert {f.note for f in found} == {""}


def test_a_file_that_tells_no_code_is_not_taken_up(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.write_text(GOOD + "\n", encoding="utf-8")
    told: list[Resumed] = []
    asked: list[Check] = []

    def counts(one: Check) -> Finding:
        asked.append(one)
        return finding(one)

    run_checks(CHECKS[:1], counts, results=path, resume=True, on_resume=told.append)
    assert asked == CHECKS[:1] and told[0].outdated == 1
    assert [json.loads(line).get("code") is None for line in path.read_text().splitlines()] == [True, False]


def test_a_worker_with_other_code_finds_nothing() -> None:
    class Elsewhere(Executor):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            future: Future[Any] = Future()
            *others, code = args
            assert code == session.fingerprint()
            future.set_result(fn(*others, "that of another machine"))
            return future

    (found,) = run_checks(CHECKS[:1], finding, executor=Elsewhere())
    assert not carried_out(found) and "other code" in found.note and "instead: " in found.note


def test_the_fingerprint_is_that_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    code = session.fingerprint()
    session.fingerprint.cache_clear()
    assert session.fingerprint() == code
    read = Path.read_bytes
    for changed in ("filter.py", "dpf.sc", "grammar.lark", "nile.csv"):
        assert list(Path(results.__file__).parents[2].rglob(changed)), "the name of a file that decides"
        monkeypatch.setattr(
            Path, "read_bytes", lambda p, name=changed: read(p) + (b"#" if p.name == name else b"")
        )
        session.fingerprint.cache_clear()
        assert session.fingerprint() != code
    monkeypatch.undo()
    session.fingerprint.cache_clear()


def test_a_session_apart_takes_up_nothing_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    run_checks(CHECKS[:3], finding, results=path)
    before = path.read_bytes()
    asked: list[Check] = []

    def stops(one: Check) -> Finding:
        asked.append(one)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return finding(one)

    with pytest.raises(Interrupted):
        run_checks(CHECKS, stops, results=path, apart=True)
    assert asked == CHECKS[:2] and path.read_bytes().startswith(before)
    asked.clear()
    told: list[Resumed] = []
    run_checks(CHECKS[:3], stops, results=path, resume=True, on_resume=told.append)
    assert asked == [] and told == [Resumed(3, 0, 0, 0, 0)]


@pytest.mark.parametrize("cut", [1, 2, 9, 40, 300])
def test_a_torn_last_line_is_dropped(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "results.jsonl"
    run_checks(CHECKS[:3], finding, results=path)
    whole = path.read_bytes()
    lines = whole.splitlines(keepends=True)
    kept = b"".join(lines[:2])
    path.write_bytes(kept + lines[2][:cut])
    assert [f.check for f in read_findings(path)] == CHECKS[:2]
    assert written(run_checks(CHECKS, finding, results=path, resume=True)) == WANTED
    assert path.read_bytes().startswith(kept)
    assert [f.check for f in read_findings(path)] == CHECKS


def test_a_last_line_that_lacks_its_end_alone_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    run_checks(CHECKS[:3], finding, results=path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    run_checks(CHECKS, finding, results=path, resume=True)
    assert path.read_bytes().startswith(whole) and [f.check for f in read_findings(path)] == CHECKS


def test_a_write_that_was_torn_is_mended_by_the_next(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    with ResultsFile(path) as file:
        file.append(finding(CHECKS[0]))
        with path.open("ab") as other:
            other.write(b'{"claim": "half a li')
        file.append(finding(CHECKS[1]))
    assert [f.check for f in read_findings(path)] == CHECKS[:2]


GOOD = json.dumps(finding(CHECKS[0]).to_json())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{GOOD}\nnot json\n{GOOD}\n", 2),
        (f"{GOOD}\n{GOOD[:50]}\n{GOOD}\n", 2),
        (f"{GOOD}\n\n5\n", 3),
        ("[]\n", 1),
        ('{"claim": "x"}\n', 1),
        (GOOD.replace("agrees", "proved") + "\n", 1),
        ("my notes, without an end", 1),
        (f"{GOOD}\nmy notes", 2),
        ("\xff\xfe\n", 1),
        ("[" * 100_000 + "\n", 1),
    ],
)
def test_a_line_that_is_no_finding_is_told_and_kept(tmp_path: Path, text: str, line: int) -> None:
    path = tmp_path / "results.jsonl"
    path.write_bytes(text.encode("latin-1"))
    for use in (lambda: run_checks(CHECKS, finding, results=path, resume=True), lambda: read_findings(path)):
        with pytest.raises(EvaluationError) as refused:
            use()
        assert f"results.jsonl: line {line}: this is no finding" in str(refused.value)
        assert refused.value.instead
    assert path.read_bytes() == text.encode("latin-1")


def test_a_file_that_holds_something_is_never_begun_anew(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    path.touch()
    run_checks(CHECKS[:1], finding, results=path)
    before = path.read_bytes()
    with pytest.raises(EvaluationError, match="holds results already") as refused:
        run_checks(CHECKS, finding, results=path)
    assert refused.value.instead == "--resume to go on from them, or another name"
    assert path.read_bytes() == before
    with pytest.raises(EvaluationError, match="nothing to resume"):
        run_checks(CHECKS, finding, resume=True)


def test_a_file_that_cannot_be_written_is_told_before_any_check(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none" / "results", tmp_path / "pipe", tmp_path / ("x" * 300)):
        with pytest.raises(EvaluationError) as refused:
            run_checks(CHECKS, lambda _: pytest.fail("a check was carried out"), results=path)
        assert str(path) in str(refused.value) and refused.value.instead


def test_two_sessions_do_not_write_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    code = (
        "import sys; from pathlib import Path\n"
        "from surrogate_calculus.numeric.verify.results import ResultsFile\n"
        "with ResultsFile(Path(sys.argv[1])): print('open', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdin is not None
        assert other.stdout.readline() == "open\n"
        with pytest.raises(EvaluationError, match="another session"):
            run_checks(CHECKS, finding, results=path)
        other.stdin.close()
    run_checks(CHECKS, finding, results=path)


def test_a_name_that_utf8_has_no_bytes_for_is_written_and_read(tmp_path: Path) -> None:
    path = tmp_path / "results.jsonl"
    asked = [replace(CHECKS[0], claim="file \udc80, θ̂ \u2028")]
    run_checks(asked, finding, results=path)
    assert read_findings(path)[0].check == asked[0]
    assert "θ̂".encode() in path.read_bytes()


# ---- interrupts ----


def test_an_interrupt_keeps_what_has_ended_and_cancels_the_rest(tmp_path: Path) -> None:
    """The first ended before the interrupt, the last is running; the others wait."""
    path = tmp_path / "results.jsonl"
    all_of_them: list[Future[Any]] = []

    def interrupts(futures: list[Future[Any]]) -> None:
        all_of_them.extend(futures)
        futures[0].set_running_or_notify_cancel()
        futures[0].set_result(finding(CHECKS[0]))
        futures[5].set_running_or_notify_cancel()
        raise KeyboardInterrupt

    class Late(Backwards):
        def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
            if len(self.waiting) == 6:
                interrupts([future for future, _, _ in self.waiting])
            return super().submit(fn, *args, **kwargs)

    with pytest.raises(Interrupted, match="1 of 7 checks are done") as stopped:
        run_checks([*CHECKS, check(6)], finding, executor=Late(100), results=path)
    assert [f.check for f in stopped.value.findings] == CHECKS[:1] == [f.check for f in read_findings(path)]
    assert [f.cancelled() for f in all_of_them] == [False, True, True, True, True, False]
    assert isinstance(stopped.value, KeyboardInterrupt)


@pytest.mark.parametrize("executor", [None, Backwards(6)], ids=["here", "executor"])
def test_an_interrupt_in_the_middle_of_writing_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, executor: Any
) -> None:
    path = tmp_path / "results.jsonl"
    calls: list[int] = []

    def interrupted(file: int) -> None:
        calls.append(file)
        if len(calls) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(Interrupted) as stopped:
        run_checks(CHECKS, finding, executor=executor, results=path)
    held = read_findings(path)
    assert len(held) == (3 if executor is None else 6)
    assert written(stopped.value.findings) == [w for w in WANTED if w in written(held)]
    assert path.read_bytes().count(b"\n") == len(held)


PROGRAM = '''
import sys, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from surrogate_calculus.numeric.verify import Check, Finding
from surrogate_calculus.numeric.verify.session import Interrupted, run_checks

CHECKS = [Check(f"claim {n}", "exact", "slow", "dpf", "hmm", {"number": n}) for n in range(8)]
SECONDS = float(sys.argv[2])

def slow(check):
    time.sleep(SECONDS)
    return Finding(check, 0.0, 0.0, "none", "agrees")

def main():
    spread = ProcessPoolExecutor(2, mp_context=get_context("fork")) if sys.argv[3] == "processes" else None
    try:
        found = run_checks(CHECKS, slow, executor=spread, results=Path(sys.argv[1]), resume=True)
    except Interrupted as stopped:
        print("interrupted", len(stopped.findings), flush=True)
        sys.exit(130)
    print("done", len(found))

if __name__ == "__main__":
    main()
'''


@pytest.mark.parametrize(("where", "how"), [("here", "int"), ("processes", "int"), ("here", "kill")])
def test_a_session_that_is_stopped_by_a_signal_is_resumed(tmp_path: Path, where: str, how: str) -> None:
    """As a terminal does it: the signal goes to every process of the group."""
    program, path = tmp_path / "slow_checks.py", tmp_path / "results.jsonl"
    program.write_text(PROGRAM, encoding="utf-8")
    command = [sys.executable, str(program), str(path)]
    stop = signal.SIGINT if how == "int" else signal.SIGKILL
    status, out, err = stopped([*command, "0.3", where], path, 2, stop)
    before = path.read_bytes()
    kept = read_findings(path)
    assert 2 <= len(kept) < 8
    if how == "int":
        assert status == 130, err
        assert out == f"interrupted {len(kept)}\n"
    start = time.monotonic()
    done = subprocess.run([*command, "0", where], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "done 8\n" and time.monotonic() - start < 30
    assert path.read_bytes().startswith(before)
    assert sorted(int(f.check.settings["number"] or 0) for f in read_findings(path)) == list(range(8))
