"""Carrying out a list of checks, in this process or by an executor, so that no finding is lost.

What a check can end in:

* a finding: the claim agrees, disagrees, or a test has too little power to tell;
* no finding, since something failed: an input without a value, a program under test that raises, a worker
  that was killed.  That says nothing about the claim, and must neither pass for agreement nor stop the other
  checks.  It is told as *undecided*, with the basis :data:`NOT_CARRIED_OUT` and the error's text as the note,
  and a resumed session tries it again.
* an interrupt: what was not begun is cancelled, what has ended is kept, and :class:`Interrupted` is raised.
"""

from __future__ import annotations

import json
import math
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

from ...errors import EvaluationError, SurrogateError
from .finding import Check, Finding
from .fingerprint import fingerprint
from .results import Held, ResultsFile

__all__ = ["NOT_CARRIED_OUT", "Interrupted", "Resumed", "Submits", "carried_out", "run_checks"]

#: The basis of a finding that says that its check failed before it found anything.
NOT_CARRIED_OUT = "not carried out"
#: How much of an error's text is kept.
_LONGEST_NOTE = 2000


class Submits(Protocol):
    """What carries out checks elsewhere: any executor of ``concurrent.futures``, or one that acts like it."""

    def submit(self, fn: Callable[..., Finding], /, *args: Any) -> Future[Finding]:
        """The future of ``fn(*args)``."""
        ...


class Interrupted(KeyboardInterrupt):
    """A session was interrupted (Ctrl-C).

    Attributes:
        findings: what was done, in the order of the checks; all of it is in the file of results, if there is
            one.
        checks: how many distinct checks there were.
    """

    def __init__(self, findings: list[Finding], checks: int) -> None:
        super().__init__(f"interrupted: {len(findings)} of {checks} checks are done")
        self.findings = findings
        self.checks = checks


@dataclass(frozen=True)
class Resumed:
    """What a file of results has of the checks that are asked for.

    Attributes:
        taken_up: how many are not carried out again.
        outdated: how many are, since the code has changed that found what the file has.
        failed: how many are, since they were not carried out to their end.
        new: how many it has nothing of.
        others: how many other checks it holds findings of, which stay in it.
    """

    taken_up: int
    outdated: int
    failed: int
    new: int
    others: int

    def __str__(self) -> str:
        """One line for the user."""
        checks = self.taken_up + self.outdated + self.failed + self.new
        parts = [f"{self.taken_up} of {checks} checks are taken up"]
        if self.outdated:
            parts.append(f"{self.outdated} are done again, since the code or torch has changed")
        if self.failed:
            parts.append(f"{self.failed} are tried again that failed to run")
        if self.new:
            parts.append(f"{self.new} are new")
        if self.others:
            parts.append(f"findings of {self.others} other checks stay in the file")
        return ", ".join(parts)


def carried_out(finding: Finding) -> bool:
    """Whether a check came to an end; otherwise the finding's note has the error."""
    return finding.basis != NOT_CARRIED_OUT


def run_checks(
    checks: Iterable[Check],
    runner: Callable[[Check], Finding],
    *,
    executor: Submits | None = None,
    on_finding: Callable[[Finding], object] | None = None,
    results: Path | None = None,
    resume: bool = False,
    apart: bool = False,
    on_resume: Callable[[Resumed], object] | None = None,
) -> list[Finding]:
    """Carry out checks, and keep each finding as soon as there is one.

    A check given twice is carried out once.  What is returned is what the file of results holds, to the last
    digit, so that a resumed session answers as one that was never interrupted.

    Args:
        checks: what is to be checked.
        runner: carries out one; a function of a module, where an executor sends it to other processes.
            Its findings get the seconds that it took.
        executor: carries out several at once; None for one after another in this process.  It is not shut
            down.
        on_finding: called in this process with the finding of each distinct check: first with those that the
            file holds, then with the others as they end.
        results: a file that each finding is appended to, as a line of JSON, when there is one; None for none.
        resume: take the findings of this code that the file holds, and carry out the rest.  Other lines stay:
            those about other checks, and those that other code found.  A file that is not there is begun.
        apart: let be what the file holds, and carry out everything; a later session can resume from both.
        on_resume: called with what is taken up, before anything is carried out.

    Returns:
        A finding for each check, in the order of the checks.

    Raises:
        EvaluationError: the file cannot be written; it holds results that are not to be resumed, or a line
            that is no finding; it is open in another session (:class:`~.results.FileInUse`); there is none to
            resume.
        Interrupted: by Ctrl-C.  What had ended is kept, what was not begun is cancelled, what was running is
            given up.
    """
    checks = list(checks)
    if resume and results is None:
        raise EvaluationError("there is nothing to resume", instead="the file of results to go on from")
    wanted = {check.key: check for check in checks}
    found: dict[str, Finding] = {}
    with ExitStack() as stack:
        how: Held = "resume" if resume else "apart" if apart else "none"
        file = None if results is None else stack.enter_context(ResultsFile(Path(results), how))

        ended: list[Finding] = []  # the last of them is perhaps not kept yet

        def keep(finding: Finding) -> None:
            if finding.check.key in found:
                return
            ended.append(finding)
            if file is not None:
                file.append(finding)
            found[finding.check.key] = finding
            if on_finding is not None:
                on_finding(finding)

        try:
            if file is not None and resume and on_resume is not None:
                on_resume(_resumed(wanted, file))
            for key in wanted:
                held = None if file is None else file.held.get(key)
                if held is not None and carried_out(held):
                    found[key] = held
                    if on_finding is not None:
                        on_finding(held)
            left = [check for key, check in wanted.items() if key not in found]
            if executor is None:
                for check in left:
                    keep(carry_out(runner, check))
            else:
                _spread(left, runner, executor, keep)
        except KeyboardInterrupt:
            for finding in ended[-1:]:
                keep(finding)  # the interrupt may have come in the middle of this
            done = [found[key] for key in wanted if key in found]
            raise Interrupted(done, len(wanted)) from None
    return [found[check.key] for check in checks]


def _resumed(wanted: Mapping[str, Check], file: ResultsFile) -> Resumed:
    held = [file.held[key] for key in wanted if key in file.held]
    ended = sum(map(carried_out, held))
    outdated = len(file.outdated & wanted.keys())
    return Resumed(
        ended,
        outdated,
        len(held) - ended,
        len(wanted) - len(held) - outdated,
        len((file.held.keys() | file.outdated) - wanted.keys()),
    )


def carry_out(runner: Callable[[Check], Finding], check: Check, code: str | None = None) -> Finding:
    """The finding of one check, wherever it is carried out, or what kept it from being one.

    Args:
        runner: of the check.
        check: what to do.
        code: the fingerprint of the session's code, where this may be another process: its findings are kept
            under that.
    """
    start = time.perf_counter()
    try:
        if code is not None and code != fingerprint():
            raise EvaluationError(
                "the worker has other code, or another torch, than the session",
                instead="one version on every machine, and workers started since",
            )
        found = runner(check)
        if not isinstance(found, Finding) or found.check != check:
            raise TypeError(f"the runner {check.runner} did not answer the check that it was given")
        found = replace(found, seconds=time.perf_counter() - start)
        # Through JSON and back: what is returned here is what a resumed session will read.
        return Finding.from_json(json.loads(json.dumps(found.to_json())))
    except Exception as error:
        return _failed(check, error, time.perf_counter() - start)


def _failed(check: Check, error: BaseException, seconds: float = 0.0) -> Finding:
    """The finding that a check was not carried out."""
    return Finding(
        check, math.nan, math.nan, NOT_CARRIED_OUT, "undecided", note=_told(error), seconds=round(seconds, 3)
    )


def _told(error: BaseException) -> str:
    """An error as a note: an input's own words, or for a fault of a program its kind and its place."""
    if isinstance(error, SurrogateError):
        text = error.what + (f"; instead: {error.instead}" if error.instead else "")
    else:
        text = ": ".join(filter(None, (type(error).__name__, str(error))))
        frames = traceback.extract_tb(error.__traceback__)
        if frames:
            text += f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})"
    return text if len(text) <= _LONGEST_NOTE else text[: _LONGEST_NOTE - 2] + " …"


def _spread(
    checks: list[Check],
    runner: Callable[[Check], Finding],
    executor: Submits,
    keep: Callable[[Finding], None],
) -> None:
    """Have an executor carry out checks, and keep each finding when it comes."""
    # The callbacks need no more of a future than every executor gives, and a queue can be interrupted.
    ended: SimpleQueue[int] = SimpleQueue()
    futures: list[Future[Finding]] = []
    try:
        for number, check in enumerate(checks):
            futures.append(_submitted(executor, runner, check))
            futures[-1].add_done_callback(partial(_tell, ended, number))
        for _ in checks:
            number = ended.get()
            keep(_answer(checks[number], futures[number]))
    except BaseException as stop:
        for future in futures:
            future.cancel()
        if isinstance(stop, KeyboardInterrupt):
            for check, future in zip(checks, futures, strict=False):
                # Neither what is running nor what the interrupt hit in its worker.
                if future.done() and not future.cancelled() and future.exception() is None:
                    keep(_answer(check, future))
        raise


def _submitted(executor: Submits, runner: Callable[[Check], Finding], check: Check) -> Future[Finding]:
    try:
        return executor.submit(carry_out, runner, check, fingerprint())
    except Exception as error:  # its processes are gone, or it was shut down
        failed: Future[Finding] = Future()
        failed.set_exception(error)
        return failed


def _tell(ended: SimpleQueue[int], number: int, _: Future[Finding]) -> None:
    ended.put(number)


def _answer(check: Check, future: Future[Finding]) -> Finding:
    """What an executor has for a check, a failure of its own included."""
    try:
        return future.result()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a worker killed, a future cancelled by somebody else, an exit
        return _failed(check, error)
