"""``surrogate verify``: its session, its tables, its exit status."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cli_render import PIPED, ascii_only
from .cli_status import FAILS, HOLDS, INTERRUPTED, UNDECIDED
from .errors import EvaluationError

if TYPE_CHECKING:
    from rich.console import Console

    from .numeric.verify import Check, Finding

__all__ = ["Asked", "run"]

#: From here on a table tells what the tolerances are of.
_WIDE = 120
#: Where claims have fewer columns than this, or scores fewer in all, there is no table but a list.
_CLAIM, _NARROW = 16, 72
_SHORT = ("filter", "model", "kind", "deviation", "tolerance", "verdict")
_MARKS = {"agrees": "✓", "disagrees": "✗", "undecided": "?"}
_STYLES = {"agrees": "green", "disagrees": "bold red", "undecided": "yellow"}
#: Rows of numbers that are one score, told several ways.
_SCORES = {
    "autograd": "autograd of the surrogate",
    "formula": "derived formula",
    "online": "online, without backpropagation",
    "exact": "exact, of p(y)",
}


@dataclass(frozen=True)
class Asked:
    """The options of the command.

    Attributes:
        filters: names, without ``@``.
        every: all filters.
        models: names, or None for all.
        kinds: of checks, or None for all.
        particles: N, or None for what suits each check.
        steps: T, likewise.
        seed: of everything random.
        full: more seeds, replicates and orders.
        report: where to write the page, or None.
        results: a file to keep findings in, or None for one of the user's cache, found again by ``--resume``.
        resume: whether to go on from that file.
        executor: serial, local or dask.
        workers: how many processes, or None for as many as there are processors.
        scheduler: the address of a Dask scheduler, or None.
    """

    filters: Sequence[str]
    every: bool
    models: Sequence[str] | None
    kinds: Sequence[str] | None
    particles: int | None
    steps: int | None
    seed: int
    full: bool
    report: Path | None
    results: Path | None
    resume: bool
    executor: str
    workers: int | None
    scheduler: str | None


def run(asked: Asked, *, say_json: Callable[[object], None] | None, ascii_output: bool) -> int:
    """Carry out what was asked, show it, and return the exit status.

    Args:
        asked: the options.
        say_json: writes the findings for machines, instead of the tables; or None.
        ascii_output: whether standard output has ASCII alone.

    Raises:
        EvaluationError: bad input, told before any check begins.
    """
    kept: Path | None = None
    try:
        with _torch_needed():
            checks = _checks(asked)
            _see_files(asked)
            kept = asked.results or _cached(checks)
            findings, whole, kept = _findings(asked, checks, kept)
        if say_json is not None:
            say_json([finding.to_json() for finding in findings])
        else:
            _print_findings(findings, len(checks), ascii_output=ascii_output)
        if asked.report is not None and findings:
            _report(asked, findings, len(checks))
    except KeyboardInterrupt:  # before the first check, or after the last
        there = kept is not None and kept.exists()
        sys.stderr.write(f"interrupted: {_kept(asked, kept) if there else 'nothing is kept'}\n")
        return INTERRUPTED
    if not whole:
        done = f"{len(findings)} of {len(checks)} checks are done"
        sys.stderr.write(f"interrupted: {done} and {_kept(asked, kept)}\n")
    elif asked.results is None and kept is not None:  # nothing is left that could be lost
        with suppress(OSError):
            kept.unlink(missing_ok=True)
    return _status(findings, whole)


def _kept(asked: Asked, kept: Path | None) -> str:
    """What became of the findings, and how to go on after Ctrl-C."""
    if kept is None:
        return "not kept, for want of a file; --results FILE keeps them"
    where = f" in {kept}" if asked.results is not None else ""
    return f"kept{where}; the same command with --resume goes on"


def _see_files(asked: Asked) -> None:
    """See to it, before any check begins, that there is a place for what was asked.

    Raises:
        EvaluationError: there is none.
    """
    if asked.report is None:
        return
    from .numeric.verify.report import check_writable, require_plots

    if asked.results is not None and os.path.realpath(asked.report) == os.path.realpath(asked.results):
        raise EvaluationError(
            f"the report would take the place of the results in {asked.results}",
            instead="two names, such as --report report.html --results findings.jsonl",
        )
    check_writable(asked.report)
    require_plots()


def _checks(asked: Asked) -> list[Check]:
    """The plan.

    Raises:
        EvaluationError: no filter, or one that there is not; an option that makes no sense.
    """
    from .numeric.execution import EXECUTORS
    from .numeric.verify.finding import KINDS
    from .numeric.verify.planning import plan
    from .numeric.verify.programs import program_names

    if asked.every and asked.filters:
        raise EvaluationError("--all is every filter, and some are named", instead="one of the two")
    if not asked.every and not asked.filters:
        raise EvaluationError("no filter is named", instead=f"one of {', '.join(program_names())}; or --all")
    if asked.executor not in EXECUTORS:
        raise EvaluationError(
            f"no executor is called {asked.executor!r:.40}", instead=f"--executor {'|'.join(EXECUTORS)}"
        )
    if asked.scheduler is not None and asked.executor != "dask":
        raise EvaluationError("--scheduler is of a Dask cluster", instead="--executor dask --scheduler …")
    if asked.workers is not None and asked.executor == "serial":
        raise EvaluationError(
            "--workers is of several processes, and this one alone is asked for",
            instead=f"--executor local --workers {asked.workers}",
        )
    kinds = asked.kinds or KINDS
    for kind in kinds:
        if kind not in KINDS:
            raise EvaluationError(f"no kind of check is called {kind!r:.40}", instead=", ".join(KINDS))
    checks = plan(
        program_names() if asked.every else list(dict.fromkeys(asked.filters)),
        asked.models,
        kinds=[kind for kind in KINDS if kind in kinds],
        particles=asked.particles,
        steps=asked.steps,
        seed=asked.seed,
        size="full" if asked.full else "quick",
    )
    planned = {name for check in checks for name in (check.filter, check.model, check.kind)}
    named = dict.fromkeys([*asked.filters, *(asked.models or ()), *(asked.kinds or ())])
    idle = [name for name in named if name not in planned]
    if idle:  # must not pass for verified
        sys.stderr.write(f"note: nothing is checked of {', '.join(idle)}: there is no such claim\n")
    return checks


@contextmanager
def _torch_needed() -> Iterator[None]:
    """Say which library is missing, and how to install it.

    Raises:
        EvaluationError: torch or numpy is not installed.
    """
    try:
        yield
    except ImportError as error:
        library = (error.name or "").partition(".")[0]
        if library not in ("torch", "numpy"):
            raise
        raise EvaluationError(
            f"`surrogate verify` needs {library}, which is not installed",
            instead="pip install 'surrogate-calculus[torch]'",
        ) from None


def _findings(
    asked: Asked, checks: Sequence[Check], kept: Path | None
) -> tuple[list[Finding], bool, Path | None]:
    """Carry out the checks, with a progress bar where standard error is a terminal.

    Args:
        asked: the options.
        checks: the plan.
        kept: the file that findings are kept in, or None for nowhere.

    Returns:
        what was found, in the order of the checks; whether that is all of it; where it is kept.

    Raises:
        EvaluationError: a file that cannot be used; an executor that cannot be had.
    """
    from .numeric.execution import open_executor
    from .numeric.verify.planning import carry_out
    from .numeric.verify.results import FileInUse
    from .numeric.verify.session import Interrupted, run_checks

    own = asked.results is None
    if own and asked.resume and (kept is None or not kept.exists()):
        raise EvaluationError(
            "no interrupted run of these checks is kept", instead="the same command without --resume"
        )

    def session(executor: Any, path: Path | None, on_finding: Callable[[Finding], object]) -> list[Finding]:
        return run_checks(
            checks,
            carry_out,
            executor=executor,
            on_finding=on_finding,
            results=path,
            resume=asked.resume,
            apart=own,  # an interrupted run that was not asked for stays until this one has come to its end
            on_resume=lambda found: sys.stderr.write(f"resumed: {found}\n"),
        )

    try:
        with ExitStack() as stack:
            executor = None
            stack.enter_context(_pipes_of_workers())
            if asked.executor != "serial":
                executor = stack.enter_context(open_executor(asked.executor, asked.workers, asked.scheduler))
            advance = stack.enter_context(_progress(len({check.key for check in checks})))
            try:
                return session(executor, kept, advance), True, kept
            except FileInUse:  # by the same command, elsewhere
                if not own or asked.resume:
                    raise
                kept = None
                return session(executor, kept, advance), True, kept
    except Interrupted as stopped:
        return stopped.findings, False, kept


def _cached(checks: Sequence[Check]) -> Path | None:
    """Where an interrupted run of these checks is kept; None for nowhere."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = (Path(base) if base else Path.home() / ".cache") / "surrogate-calculus"
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        return None
    name = sha256(" ".join(check.key for check in checks).encode()).hexdigest()[:16]
    return folder / f"verify-{name}.jsonl" if os.access(folder, os.W_OK) else None


@contextmanager
def _pipes_of_workers() -> Iterator[None]:
    """Keep a worker that is gone from ending the command.

    ``surrogate … | head`` ends by SIGPIPE, which a write to a dead worker's pipe or socket raises as well.
    Threads inherit the mask of the one that starts them: those of executors get an error instead.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGPIPE})
    try:
        yield
    finally:
        if signal.SIGPIPE not in before:
            while signal.SIGPIPE in signal.sigpending():
                signal.sigwait({signal.SIGPIPE})
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Finding], object]]:
    """A progress bar on standard error, gone at the end; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("verifying"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[now]}"),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("", total=total, now="")

        def advance(finding: Finding) -> None:
            failed = "" if finding.outcome == "agrees" else f" [{finding.outcome}]"
            now = f"{finding.check.filter} on {finding.check.model}: {finding.check.kind}{failed}"
            bar.update(task, advance=1, now=now)

        yield advance


def _status(findings: Sequence[Finding], whole: bool) -> int:
    """The exit status: 1 where a claim fails, 3 where one is undecided, 130 after Ctrl-C."""
    outcomes = {finding.outcome for finding in findings}
    if "disagrees" in outcomes:
        return FAILS
    if not whole:
        return INTERRUPTED
    return UNDECIDED if "undecided" in outcomes else HOLDS


def _print_findings(findings: Sequence[Finding], checks: int, *, ascii_output: bool) -> None:
    """The table, what is to be said of each claim that does not agree, and the sum of it all.

    Args:
        findings: what was found.
        checks: how many there were to carry out.
        ascii_output: whether standard output has nothing else.
    """
    from rich.console import Console

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=PIPED)
    told = ascii_only if ascii_output else str
    _table(console, findings, told)
    for finding in findings:
        if finding.outcome != "agrees":
            console.print(told(_complaint(finding)), style=_STYLES[finding.outcome], soft_wrap=True)
    _scores(console, findings, told)
    counts = {outcome: sum(f.outcome == outcome for f in findings) for outcome in _MARKS}
    text = f"{counts['agrees']} of {checks} claims agree"
    text += f", {counts['disagrees']} disagree" if counts["disagrees"] else ""
    text += f", {counts['undecided']} undecided" if counts["undecided"] else ""
    text += f", {checks - len(findings)} not done" if len(findings) < checks else ""
    console.print(told(f"{text} (numbers that agree prove nothing)"))


def _table(console: Console, findings: Sequence[Finding], told: Callable[[str], str]) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    rows = [_row(finding, told) for finding in findings]
    widths = [max(map(len, column)) for column in zip(_SHORT, *rows, strict=True)]
    if console.width - sum(3 + width for width in widths) < _CLAIM:
        _list(console, findings, told)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("filter", no_wrap=True)
    table.add_column("model", no_wrap=True)
    table.add_column("kind", no_wrap=True)
    table.add_column("claim", ratio=2, overflow="fold")
    table.add_column("deviation", justify="right", no_wrap=True)
    table.add_column("tolerance", justify="right", no_wrap=True)
    wide = console.width >= _WIDE  # else the claims need the room
    if wide:
        table.add_column("of", ratio=1, overflow="fold")
    table.add_column("verdict", no_wrap=True)
    last = ("", "")
    for finding, (*_, deviation, bound, verdict) in zip(findings, rows, strict=True):
        check = finding.check
        here = (check.filter, check.model)
        names = here if here != last else ("", "")
        last = here
        table.add_row(
            *map(told, names),
            check.kind,
            told(check.claim),
            deviation,
            bound,
            *([told(finding.basis)] if wide else []),
            Text(verdict, _STYLES[finding.outcome]),
        )
    console.print(table)


def _row(finding: Finding, told: Callable[[str], str]) -> tuple[str, ...]:
    """The cells of the columns in :data:`_SHORT`, which are not broken."""
    check = finding.check
    cells = (told(name) for name in (check.filter, check.model, check.kind))
    return (*cells, _number(finding.deviation), told(_bound(finding)), _verdict(finding, told))


def _list(console: Console, findings: Sequence[Finding], told: Callable[[str], str]) -> None:
    """The same where a table has no room."""
    from rich.text import Text

    for finding in findings:
        check = finding.check
        text = f": {check.filter} on {check.model}, {check.kind}: {check.claim}"
        text += f"; deviation {_number(finding.deviation)} {_bound(finding)}"
        console.print(Text.assemble((_verdict(finding, told), _STYLES[finding.outcome]), told(text)))


def _verdict(finding: Finding, told: Callable[[str], str]) -> str:
    mark = _MARKS[finding.outcome]
    return f"{mark} {finding.outcome}" if told(mark) == mark else finding.outcome


def _report(asked: Asked, findings: Sequence[Finding], planned: int) -> None:
    """Write the page, with the derivations of what was verified."""
    from datetime import UTC, datetime

    from .estimators import load_estimator
    from .numeric.verify.report import About, write_report

    assert asked.report is not None
    names = dict.fromkeys(finding.check.filter for finding in findings)
    derivations = {
        f"@{name}: {claim.name}": claim.derive() for name in names for claim in load_estimator(name).claims
    }
    about = About(
        command=shlex.join(["surrogate", *sys.argv[1:]]),
        date=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        seed=asked.seed,
        planned=planned,
    )
    write_report(asked.report, findings, derivations, about)


def _number(value: float) -> str:
    if value != value:
        return "-"
    return f"{value:.1e}" if value and not 0.01 <= abs(value) < 1000 else f"{value:.3g}"


def _bound(finding: Finding) -> str:
    """The tolerance, and on which side of it the deviation is: a bias that is claimed lies beyond."""
    if finding.deviation != finding.deviation:
        return _number(finding.tolerance)
    return f"{'≤' if finding.deviation <= finding.tolerance else '>'} {_number(finding.tolerance)}"


def _complaint(finding: Finding) -> str:
    """One line or two on a claim that does not agree: where, and what there is to know."""
    check = finding.check
    text = f"{finding.outcome}: {check.filter} on {check.model}, {check.kind}: {check.claim}"
    where = f"; largest for {finding.quantity}" if finding.quantity else ""
    note = f"\n  {finding.note}" if finding.note else ""
    return text + where + note


def _scores(console: Console, findings: Sequence[Finding], told: Callable[[str], str]) -> None:
    """One score several ways, where a single filter on a single model was asked for and has an exact one."""
    from rich import box
    from rich.table import Table

    places = {(f.check.filter, f.check.model) for f in findings}
    found = next((f for f in findings if {"autograd", "formula"} <= set(f.numbers)), None)
    if len(places) != 1 or found is None:
        return
    settings = found.check.settings
    sizes = ", ".join(
        f"{letter} = {settings[name]}"
        for letter, name in (("N", "particles"), ("T", "steps"))
        if settings.get(name) is not None
    )
    title = f"The score, {found.check.filter} on {found.check.model}" + (f", {sizes}" if sizes else "")
    ways = {told(text): found.numbers[key] for key, text in _SCORES.items() if key in found.numbers}
    if console.width < _NARROW:
        console.print(told(title))
        for way, values in ways.items():
            pairs = zip(found.columns, values, strict=True)
            console.print(told(f"{way}: " + ", ".join(f"{name} = {value:.12g}" for name, value in pairs)))
        return
    rows = [["", *map(told, found.columns)]]
    rows += [[way, *(f"{value:.12g}" for value in values)] for way, values in ways.items()]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=told(title), title_justify="left")
    if sum(3 + max(map(len, column)) for column in zip(*rows, strict=True)) > console.width:
        rows = [list(column) for column in zip(*rows, strict=True)]  # many parameters: a row for each
        table.padding = (0, 1, 0, 0)
    for name, *cells in zip(*rows, strict=True):
        widest = max(map(len, cells))
        table.add_column(name, justify="right" if name else "left", overflow="fold", min_width=widest)
    for row in rows[1:]:
        table.add_row(*row)
    console.print(table)
