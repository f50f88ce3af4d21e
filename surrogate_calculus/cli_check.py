"""``surrogate check`` of proof documents: which there are, what is found of them, as lines and a table."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cli_input import is_document
from .cli_render import PIPED, Format, ascii_only, verdict_json
from .cli_status import BAD_INPUT, FAILS, HOLDS, INTERRUPTED, UNDECIDED
from .errors import DeriveError, ParseError, Span, SurrogateError

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console
    from rich.progress import Progress

    from .derive.rejected import Rejected
    from .derive.theorems import Book, TheoremVerdict

__all__ = ["check_documents", "print_hints", "proof_files"]

#: Folders of what is not ours.
_LEFT_OUT = ("__pycache__", "node_modules")


def proof_files(argument: str) -> list[Path]:
    """The proof documents that an argument names: a file, or all below a folder that have theorems.

    In folders named ``rejected`` every document counts, what is wrong with it being anything.

    Raises:
        ParseError: there are none.
    """
    from .derive.rejected import must_fail
    from .language.blocks import has_theorems
    from .language.document import read_text

    if not is_document(argument):
        raise ParseError(
            "this is no proof document, and certificates are checked one at a time",
            instead="a file that ends in .sc, or a folder",
            text=argument or " ",
            span=Span(0, max(1, len(argument))),
        )
    path = Path(argument)
    if not path.is_dir():
        if not must_fail(path) and not has_theorems(read_text(path)):
            instead = (
                "a document with a theorem, a lemma, or a refute; surrogate derive FILE.sc for derive lines"
            )
            raise ParseError("this document claims nothing", instead=instead, file=argument)
        return [path]
    found = [
        p
        for p in sorted(path.rglob("*.sc"))
        if not any(part in _LEFT_OUT or part.startswith(".") for part in p.relative_to(path).parts[:-1])
        and (must_fail(p) or has_theorems(read_text(p)))
    ]
    if not found:
        instead = "a folder that holds .sc files with a theorem, a lemma, or a refute"
        raise ParseError("there is no proof document in this folder", instead=instead, file=argument)
    return found


def check_documents(arguments: Sequence[str], form: Format, folder: Path | None) -> int:
    """Check documents, print what is found of each statement and a table of all; the exit status.

    A document that cannot be read is told on standard error, and the others are checked all the same.
    Documents that must fail are counted by themselves: one that fails for its reason is no failure, unless
    it is asked whether it holds, by naming it or the folder ``rejected`` that it is in.
    An interrupt ends the check, not the report of what was found before it.

    Raises:
        SurrogateError: an argument that names no document; a folder that cannot be written to.
    """
    from rich.console import Console
    from rich.text import Text

    from .derive.rejected import check_rejected, must_fail

    named: dict[Path, bool] = {}  # whether the argument was the document itself, or the folder that it is in
    for argument in arguments:
        for p in proof_files(argument):
            named[p] = named.get(p, False) or Path(argument) in (p, p.parent)
    shown = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
    verdicts: list[TheoremVerdict] = []
    rejected: list[Rejected] = []
    status = HOLDS
    try:
        with _progress(shown, form) as progress:
            for file in named:
                if must_fail(file):
                    rejected.append(check_rejected(file))
                    if form is not Format.json:
                        _say_rejected(rejected[-1], named[file], shown, form)
                    continue
                try:
                    book = _book(file)
                except SurrogateError as error:
                    sys.stderr.write(f"error: {error}\n")
                    status = BAD_INPUT
                    continue
                for verdict in _verdicts(book, progress):
                    verdicts.append(verdict)
                    if verdict.failure is not None and form is not Format.json:
                        shown.print(Text(_report(verdict, form)))
                    if folder is not None and verdict.certificate is not None:
                        _write(folder, file, verdict)
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        status = INTERRUPTED
    if form is Format.json:
        data = [*map(statement_json, verdicts), *map(rejected_json, rejected)]
        shown.print(Text(json.dumps(data, ensure_ascii=not _unicode(sys.stdout.encoding), indent=2)))
    else:
        if verdicts:
            _table(verdicts, form, Console())
        if rejected:
            as_stated, seconds = sum(r.passed for r in rejected), sum(r.seconds for r in rejected)
            said = f"{as_stated} of {len(rejected)} are rejected for the reasons that they state"
            shown.print(Text(f"{said}, in {seconds:.1f} seconds"))
    if any(not r.passed or named[r.path] for r in rejected):
        status = status or FAILS
    return status if status else _status(verdicts)


def _say_rejected(rejected: Rejected, named: bool, console: Console, form: Format) -> None:
    """What is found of a document that must fail: why it is not rejected; where it is named, what fails."""
    from rich.text import Text

    reports = [found.report for found in rejected.found] if named else []
    if rejected.failure is not None:
        reports.append(f"{rejected.path} is not rejected as it must be\n{rejected.failure}")
    for report in reports:
        console.print(Text(ascii_only(report) if form is Format.text else report))


def _unicode(encoding: str | None) -> bool:
    try:
        "⊥→∇θ̄𝔼".encode(encoding or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True


def _status(verdicts: Sequence[TheoremVerdict]) -> int:
    failures = [v.failure.kind for v in verdicts if v.failure is not None]
    if any(kind != "undecided" for kind in failures):
        return FAILS
    return UNDECIDED if failures else HOLDS


def _book(file: Path) -> Book:
    from .derive.theorems import Book
    from .language.proof_reader import load_proofs

    return Book(load_proofs(file))


def _verdicts(book: Book, progress: Progress | None) -> Iterator[TheoremVerdict]:
    """What is found of each statement, with a bar that moves on a terminal."""
    statements = book.proofs.statements
    task = None if progress is None else progress.add_task(str(book.proofs.file), total=len(statements))
    for statement in statements:
        if progress is not None and task is not None:
            progress.update(task, description=f"{book.proofs.file}: {statement.name}")
        yield book.verdict(statement)
        if progress is not None and task is not None:
            progress.advance(task)


@contextmanager
def _progress(console: Console, form: Format) -> Iterator[Progress | None]:
    if not console.is_terminal or form is Format.json:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=console, transient=True) as progress:
        yield progress


def _show(form: Format) -> Callable[..., str]:
    from .printing.text import to_text, to_unicode

    return to_text if form is Format.text else to_unicode


def _report(verdict: TheoremVerdict, form: Format) -> str:
    assert verdict.failure is not None
    report = f"{verdict.kind} {verdict.name} fails\n{verdict.failure.report(_show(form))}"
    return ascii_only(report) if form is Format.text else report


def statement_json(verdict: TheoremVerdict) -> dict[str, Any]:
    """What was found of a statement, for machines."""
    failure = verdict.failure
    return {
        "file": verdict.file,
        "line": verdict.line,
        "kind": verdict.kind,
        "name": verdict.name,
        "passed": verdict.passed,
        **verdict_json(verdict),
        "uses": list(verdict.uses),
        "notes": list(verdict.notes),
        "counterexample": None if verdict.counterexample is None else str(verdict.counterexample),
        "failure": failure
        and {
            "kind": failure.kind,
            "line": failure.line,
            "reason": failure.reason,
            "instead": failure.instead,
            "report": str(failure),
        },
        "seconds": round(verdict.seconds, 3),
    }


def rejected_json(rejected: Rejected) -> dict[str, Any]:
    """What was found of a document that must fail, for machines; it passes when it fails as it states."""
    reason = rejected.reason
    return {
        "file": str(rejected.path),
        "kind": "rejected",
        "name": rejected.path.stem,
        "passed": rejected.passed,
        "status": "rejected" if rejected.passed else "fails",
        "must_fail": reason and {"kind": reason.kind, "line": reason.line, "phrase": reason.phrase},
        "found": [
            {"kind": f.kind, "line": f.line, "says": f.says, "report": f.report} for f in rejected.found
        ],
        "failure": rejected.failure,
        "seconds": round(rejected.seconds, 3),
    }


def _table(verdicts: Sequence[TheoremVerdict], form: Format, console: Console) -> None:
    """The summary: a row for each statement."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    prose = ascii_only if form is Format.text else str
    table = Table(box=box.ASCII if form is Format.text else box.SIMPLE_HEAD)
    for name, justify in (("theorem", "left"), ("status", "left"), ("rests on", "left"), ("steps", "right")):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    table.add_column("seconds", justify="right", no_wrap=True)
    before = None
    for v in verdicts:
        if v.file != before:
            table.add_row(Text(prose(str(v.file))), "", "", "", "")
            before = v.file
        rests = [str(h) for h in v.hypotheses] + [f"by {name}" for name in v.uses] + list(v.notes)
        steps = str(v.steps) if v.steps else ""
        table.add_row(
            Text(prose(f"  {v.name}")),
            v.status if v.failure is None else "undecided" if v.failure.kind == "undecided" else "fails",
            Text(prose("; ".join(rests))),
            steps,
            f"{v.seconds:.2f}",
        )
    passed = sum(v.passed for v in verdicts)
    if console.is_terminal:
        console.print(table)
    else:  # without the blanks that fill its lines
        console = Console(width=PIPED, highlight=False)
        with console.capture() as captured:
            console.print(table)
        lines = [line.rstrip() for line in captured.get().splitlines()]
        console.print(Text("\n".join(line for line in lines if line)))
    steps_in_all, seconds = sum(v.steps for v in verdicts), sum(v.seconds for v in verdicts)
    console.print(
        Text(f"{passed} of {len(verdicts)} hold, by {steps_in_all} kernel steps, in {seconds:.1f} seconds")
    )


def _write(folder: Path, file: Path, verdict: TheoremVerdict) -> None:
    path = folder / f"{file.stem}.{verdict.name}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(verdict.certificate, ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        why = f"cannot be written: {error.strerror}"
        raise DeriveError(
            why, instead="--certificate with a folder that can be written to", file=str(path)
        ) from None


def print_hints(form: Format) -> None:
    """What may stand behind ``by``: groups of rules, then the rules by their names."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from .derive.hints import GROUPS
    from .kernel.rules import RULES

    prose = ascii_only if form is Format.text else str
    rows = [(g.name, g.says) for g in GROUPS.values()]
    rows += [
        ("definition of v", "the definition of v, wherever v stands"),
        ("draw of x", "the sampling statement of x, under 𝔼 given what is known at a time"),
        ("induction on T", "at 0, and at T where it is supposed at T - 1"),
        ("using hypothesis", "with induction: what is supposed"),
        ("using NAME", "a lemma or theorem that stands before, or an assumed equation"),
        ("with f(x; θ) := …", "behind using: the lemma for a particular f"),
    ]
    rows += [(rule.name, rule.says) for rule in RULES.values()]
    if form is Format.json:
        sys.stdout.write(json.dumps([{"name": n, "says": s} for n, s in rows], indent=2) + "\n")
        return
    table = Table(box=box.ASCII if form is Format.text else box.SIMPLE_HEAD)
    table.add_column("hint", no_wrap=True)
    table.add_column("says", overflow="fold")
    for name, says in rows:
        table.add_row(Text(prose(name)), Text(prose(says)))
    terminal = Console().is_terminal
    Console(width=None if terminal else PIPED, highlight=False).print(table)
