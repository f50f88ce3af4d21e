"""The command ``surrogate``.

Exit status: 0 when what was asked holds, 1 when it does not, 2 for bad input (one message on standard
error, never a traceback), 3 when undecided, 130 after Ctrl-C.  Results go to standard output, plain text
unless it is a terminal.  What a command computes is imported when it runs, so that ``--help`` is quick.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from .cli_input import at_end, is_document, placed, read_file, read_source, standard_input
from .cli_render import (
    Format,
    Grain,
    ascii_only,
    claim_json,
    claim_lines,
    derivation_lines,
    print_catalogue,
    verdict_json,
    verdict_lines,
)
from .cli_status import BAD_INPUT, FAILS, HOLDS, INTERRUPTED, UNDECIDED
from .errors import DeriveError, EvaluationError, ParseError, Span, SurrogateError

if TYPE_CHECKING:
    from .derive import Derivation
    from .estimators import Estimator
    from .kernel import Verdict
    from .language.declarations import Document
    from .language.terms import Term

__all__ = ["app", "main"]

app = typer.Typer(
    name="surrogate",
    help="The stop-gradient calculus: which estimator a surrogate expression yields, and why.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def _root() -> None:
    """Keep the verbs as subcommands however many there are."""


class _DeriveCommand(TyperCommand):
    """Two liberties with the arguments: ``--steps`` alone, and an expression that begins with ``-``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Rewrite the arguments into what the option parser takes, then parse them."""
        valued = {o for p in self.params if not getattr(p, "is_flag", True) for o in p.opts}
        options: list[str] = []
        operands: list[str] = []
        given = list(args)
        while given:
            arg = given.pop(0)
            if arg == "--":
                operands += given
                break
            if arg == "--steps" and not (given and given[0] in {g.value for g in Grain}):
                options.append(f"--steps={Grain.brief.value}")
            elif arg in valued and given:
                options += [arg, given.pop(0)]
            elif arg.startswith("--"):
                options.append(arg)
            else:
                operands.append(arg)
        return super().parse_args(ctx, [*options, "--", *operands])


def _say(*lines: str) -> None:
    """Lines on standard output, each in one piece however long."""
    from rich.console import Console
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False, markup=False, emoji=False)
    for line in lines:
        console.print(Text(line))


def _say_json(data: object) -> None:
    """Data on standard output, as JSON in Unicode or, where the output cannot carry it, in ASCII."""
    _say(json.dumps(data, ensure_ascii=not _carries_unicode(), indent=2))


def _carries_unicode() -> bool:
    try:
        "⊥→∇θ̄𝔼".encode(sys.stdout.encoding or "utf-8")
    except (UnicodeError, LookupError):
        return False
    return True


@contextmanager
def _bad_input(text: str | None = None, file: str | None = None) -> Iterator[None]:
    """Turn every error that an input can cause into one message and exit status 2."""
    try:
        with placed(text, file):
            yield
    except KeyboardInterrupt:  # typer would make it 1, which is "does not hold"
        sys.stderr.write("interrupted\n")
        raise typer.Exit(INTERRUPTED) from None
    except SurrogateError as error:
        sys.stderr.write(f"error: {error}\n")
        raise typer.Exit(BAD_INPUT) from None


def _list(values: Sequence[str]) -> list[str]:
    """The names of a repeatable option whose values may be lists: ``--wrt θ,φ``."""
    return [name.strip() for value in values for name in value.split(",")]


def _name(text: str, option: str) -> str:
    """A name as the language spells it: ``theta`` is θ.

    Raises:
        ParseError: the text is no name.
    """
    from .language.names import canonical_name, is_name

    instead = f"{option} with a parameter's name, such as {option} θ or {option} theta"
    if not text:
        raise ParseError("a name is missing", instead=instead, text=f"{option} ", span=at_end(f"{option} "))
    name = canonical_name(text)
    if not is_name(name):
        span = Span(0, len(text))
        raise ParseError(f"{text!r:.60} is no name", instead=instead, text=text, span=span, file=option)
    return name


def _values(assignments: Sequence[str]) -> dict[str, float]:
    """The numbers of ``--at x=0.3,θ=1.2``.

    Raises:
        ParseError: an entry that is not ``name=number`` with a finite number.
    """
    out: dict[str, float] = {}
    for text in assignments:
        position = 0
        for entry in text.split(","):
            name, equals, number = entry.partition("=")
            try:
                value = float(number) if equals else None
            except ValueError:
                value = None
            if value is None or value - value != 0:
                raise ParseError(
                    "this is not a name with a finite number",
                    instead="--at x=0.3,θ=1.2",
                    text=text or " ",
                    span=Span(position, position + max(1, len(entry))),
                    file="--at",
                )
            out[_name(name.strip(), "--at")] = value
            position += len(entry) + 1
    return out


def _examples(*lines: str) -> str:
    """What stands below the options, its lines kept apart by a backspace, as click has it."""
    return "\n".join(("\b", "Examples:", *(f"  surrogate {line}" for line in lines)))


@app.command(
    cls=_DeriveCommand,
    epilog=_examples(
        "derive 'p(x;θ)/⊥(p(x;θ)) * f(x;θ)' --wrt θ --steps",
        "derive @dpf --what 'log Z' --order 1",
        "derive my_filter.sc",
        "derive my_filter.sc --what 'Z^2' --wrt θ --format latex",
    ),
)
def derive(
    source: Annotated[
        str,
        typer.Argument(
            metavar="EXPR|FILE|@NAME",
            help="An expression; a document's file, or an entry of the catalogue as @dpf; "
            "- for an expression on standard input.",
        ),
    ],
    what: Annotated[
        str | None,
        typer.Option(metavar="EXPR", help="Derive this, over the names of the document: 'log Z'."),
    ] = None,
    wrt: Annotated[
        list[str] | None,
        typer.Option(
            "--wrt",
            metavar="NAME,…",
            help="Parameter; of several the first is innermost: θ,φ is ∇φ∇θ.  "
            "With --what, by default that of the document's first derive statement.",
        ),
    ] = None,
    order: Annotated[int, typer.Option(min=1, help="Order k of →∇ᵏ.")] = 1,
    steps: Annotated[
        Grain | None, typer.Option("--steps", help="Show the steps; without a value, brief.")
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Default: unicode, or text where the output cannot carry it."),
    ] = None,
    as_data: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Compare with torch autograd at random points.")
    ] = False,
    points: Annotated[int, typer.Option(min=1, help="How many random points --check draws.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random points.")] = 0,
    at: Annotated[
        list[str] | None,
        typer.Option("--at", metavar="NAME=NUMBER,…", help="Evaluate the result there."),
    ] = None,
    vector: Annotated[
        list[str] | None, typer.Option("--vector", metavar="NAME,…", help="Parameters that are vectors.")
    ] = None,
    given: Annotated[
        str | None, typer.Option("--given", metavar="FILE|@NAME", help="A document that declares the names.")
    ] = None,
    latex: Annotated[bool, typer.Option("--latex", help="The expression is LaTeX.")] = False,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", metavar="FILE", help="Write the proof, for `check`.")
    ] = None,
) -> None:
    """Derive →∇ᵏ of a surrogate expression: the estimator that automatic differentiation makes of it."""
    form = _format(form, as_data)
    failed = False
    with _bad_input():
        vectors = [_name(v, "--vector") for v in _list(vector or ())]
        names = [_name(w, "--wrt") for w in _list(wrt or ())]
        values = _values(at or ())
        found = read_source(source, what=what, given=given, latex=latex, vector=vectors)
        names = names or list(found.wrt)
        if order > 1 and not names:
            raise DeriveError(
                "--order says how often to differentiate, and no parameter is named",
                instead="--wrt θ --order 2; or ∇²θ in the expression; or --what with a document",
            )
        if certificate is not None and len(found.terms) > 1:
            raise DeriveError(
                f"{len(found.terms)} derivations do not fit into one certificate",
                instead="--certificate with a document that has one derive statement",
            )
        data: list[dict[str, Any]] = []
        for number, (term, span) in enumerate(zip(found.terms, found.spans, strict=True)):
            with _bad_input(*found.where(span)):
                derivation = _derive(term, names, order, found.document, vectors)
                entry = derivation.to_dict(steps) if form is Format.json else {}
                lines = [""] if number else []
                if form is not Format.json:
                    lines += derivation_lines(derivation, form, steps)
                if values:
                    entry["value"], line = _evaluate(derivation, values)
                    lines.append(line)
                if check:
                    entry["check"], agrees, line = _compare(derivation, points, seed)
                    failed = failed or not agrees
                    lines.append(ascii_only(line) if form is Format.text else line)
            if certificate is not None:
                _write(certificate, derivation.certificate)
            data.append(entry)
            if form is not Format.json:
                _say(*lines)
    if form is Format.json:  # a list for a document, whose derive statements may be many
        _say_json(data if found.spans[0] is not None else data[0])
    raise typer.Exit(FAILS if failed else HOLDS)


def _format(form: Format | None, as_data: bool) -> Format:
    """The format asked for; else Unicode where standard output can carry it."""
    if as_data:
        return Format.json
    if form is not None:
        return form
    return Format.unicode if _carries_unicode() else Format.text


def _derive(
    term: Term, names: list[str], order: int, document: Document | None, vectors: list[str]
) -> Derivation:
    import surrogate_calculus as sc

    wrt = None if not names else names[0] if len(names) == 1 else names
    return sc.derive(term, wrt, order, given=document, vector=vectors)


def _evaluate(derivation: Derivation, values: dict[str, float]) -> tuple[float, str]:
    import surrogate_calculus as sc

    from .language.terms import App, postorder

    opaque = sorted({node.name for node in postorder(derivation.result) if isinstance(node, App)})
    if opaque:
        raise EvaluationError(
            f"--at gives numbers, and {', '.join(opaque)} has no formula",
            instead="--check, which draws random functions; or sc.evaluate in Python, which takes callables",
        )
    value = float(sc.evaluate(derivation.result, values))
    point = ", ".join(f"{name} = {number:g}" for name, number in values.items())
    return value, f"value {value!r} at {point}"


def _compare(derivation: Derivation, points: int, seed: int) -> tuple[dict[str, Any], bool, str]:
    try:
        from .numeric.compare import check_derivation
    except ImportError as error:
        if (error.name or "").partition(".")[0] not in ("torch", "numpy"):
            raise
        raise DeriveError(
            f"--check needs {error.name}, which is not installed",
            instead="pip install 'surrogate-calculus[torch]', or leave --check away",
        ) from None
    agreement = check_derivation(derivation, points=points, seed=seed)
    data = {
        "verdict": "agrees" if agreement.agrees else "disagrees",
        "largest_relative_difference": agreement.difference,
        "tolerance": agreement.tolerance,
        "points": points,
        "seed": seed,
        "failure": None if agreement.failure is None else str(agreement.failure),
        "notes": list(agreement.notes),
        "proof": False,
    }
    return data, agreement.agrees, f"check, numerically; not a proof: {agreement}"


@app.command(
    cls=_DeriveCommand,
    epilog=_examples(
        "estimators",
        "estimators dpf",
        "estimators dpf --steps full --format latex",
        "estimators dpf --source > my_filter.sc",
    ),
)
def estimators(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="An entry, to be derived; all are listed without.")
    ] = None,
    steps: Annotated[
        Grain | None, typer.Option("--steps", help="Show the steps; without a value, brief.")
    ] = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="Default: unicode, or text where the output cannot carry it."),
    ] = None,
    as_data: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    source: Annotated[bool, typer.Option("--source", help="Show the entry's document instead.")] = False,
) -> None:
    """List the catalogue of estimators, or derive all that one of its documents claims."""
    form = _format(form, as_data)
    with _bad_input():
        from .estimators import ESTIMATORS, load_estimator

        if name is None:
            if source or steps is not None or form in (Format.latex, Format.mathml):
                raise ParseError(
                    "no estimator is named",
                    instead=f"one of: {', '.join(ESTIMATORS)}",
                    text="estimators ",
                    span=at_end("estimators "),
                )
            entries = [load_estimator(n) for n in ESTIMATORS]
            if form is Format.json:
                _say_json([claim_json(entry) for entry in entries])
            else:
                print_catalogue(entries, form)
            raise typer.Exit(HOLDS)
        entry = load_estimator(name)
        if source:
            _say(*entry.document.text.rstrip().splitlines())
            raise typer.Exit(HOLDS)
        raise typer.Exit(_show_estimator(entry, form, steps))


def _show_estimator(entry: Estimator, form: Format, steps: Grain | None) -> int:
    """Derive what an entry claims, show it, and say whether it is what was claimed."""
    import surrogate_calculus as sc

    status = HOLDS
    data = []
    for number, claim in enumerate(entry.claims):
        derivation = claim.derive()
        same = derivation.result == claim.expected
        verdict = "proved" if same else sc.prove((derivation.result, claim.expected), entry.document).status
        status = max(status, {"proved": HOLDS, "refuted": FAILS}.get(verdict, UNDECIDED))
        if form is Format.json:
            data.append({**derivation.to_dict(steps), "as_claimed": verdict})
        else:
            _say(*([""] if number else ()), *claim_lines(entry, claim, derivation, form, steps, verdict))
    if form is Format.json:
        _say_json(claim_json(entry, data))
    return status


@app.command(
    cls=_DeriveCommand,
    epilog=_examples("paper", "paper 22", "paper --json", "paper --markdown > proofs/paper/README.md"),
)
def paper(
    equation: Annotated[
        str | None, typer.Argument(metavar="EQUATION", help="Its number; a table of all without.")
    ] = None,
    directory: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="The documents; proofs/paper by default.")
    ] = None,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="The table as a page.")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="A list of objects for machines.")] = False,
) -> None:
    """What becomes of each equation of the paper: proved, refuted, proved under a condition, not a claim."""
    from .cli_paper import equation_lines, fates_of, markdown, paper_folder, print_fates, say

    with _bad_input():
        from .derive.paper import paper_documents

        documents = paper_documents(paper_folder(directory))
        fates = fates_of(documents, equation)
        status = UNDECIDED if any(fate.fate == "undecided" for fate in fates) else HOLDS
        if as_data:
            _say_json([fate.to_json() for fate in fates])
        elif as_markdown:
            say(markdown(fates, documents))
        elif equation is None:
            print_fates(fates, _format(None, as_data))
        else:
            own = next(d for d in documents for b in d.equations if equation in b.numbers)
            _say(*equation_lines(fates[0], own))
        raise typer.Exit(status)


@app.command(
    epilog=_examples(
        "verify dpf --model lgssm --particles 1000 --steps 200",
        "verify dpf pf --model hmm --kind exact",
        "verify --all --report report.html",
        "verify --all --executor local --results findings.jsonl",
    ),
)
def verify(
    filters: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILTER…", help="Names of the catalogue: dpf or @dpf. See `estimators`."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Every filter.")] = False,
    model: Annotated[
        list[str] | None, typer.Option("--model", metavar="NAME,…", help="All models by default.")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND,…", help="pathwise, exact, statistical; all by default."),
    ] = None,
    particles: Annotated[
        int | None, typer.Option(metavar="N", help="Of checks that leave it open; else what suits each.")
    ] = None,
    steps: Annotated[int | None, typer.Option(metavar="T", help="Likewise.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    full: Annotated[bool, typer.Option("--full", help="More seeds, replicates and orders: minutes.")] = False,
    as_data: Annotated[bool, typer.Option("--json", help="A list of objects for machines.")] = False,
    report: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write a page with plots and derivations there.")
    ] = None,
    results: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keep each finding there, a line each.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where an earlier run stopped.")] = False,
    executor: Annotated[
        str, typer.Option(metavar="serial|local|dask", help="This process, several, or a Dask cluster.")
    ] = "serial",
    workers: Annotated[int | None, typer.Option(min=1, help="How many processes.")] = None,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Of a Dask scheduler: tcp://host:8786.")
    ] = None,
) -> None:
    """Hold particle filters, as torch runs them, to what is derived: 0 if all agrees, 1 if not."""
    from .cli_verify import Asked, run

    with _bad_input():
        asked = Asked(
            filters=[name.removeprefix("@") for name in _list(filters or ())],
            every=every,
            models=_list(model) if model else None,
            kinds=_list(kind) if kind else None,
            particles=particles,
            steps=steps,
            seed=seed,
            full=full,
            report=report,
            results=results,
            resume=resume,
            executor=executor,
            workers=workers,
            scheduler=scheduler,
        )
        status = run(asked, say_json=_say_json if as_data else None, ascii_output=not _carries_unicode())
    raise typer.Exit(status)


def _write(path: Path, certificate: object) -> None:
    try:
        path.write_text(json.dumps(certificate, ensure_ascii=False), encoding="utf-8")
    except OSError as error:
        raise DeriveError(
            f"cannot be written: {error.strerror}", instead="a path that can be", file=str(path)
        ) from None


@app.command(
    cls=_DeriveCommand,
    epilog=_examples(
        "check proofs/",
        "check proofs/dice.sc --certificate out/",
        "check certificate.json",
        "check --hints",
    ),
)
def check(
    paths: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PATH…",
            help="Proof documents (.sc), folders of them, or a certificate (JSON); "
            "- for a certificate on standard input.",
        ),
    ] = None,
    as_data: Annotated[bool, typer.Option("--json", help="The verdicts for machines.")] = False,
    certificate: Annotated[
        Path | None, typer.Option("--certificate", metavar="DIR", help="Write each theorem's proof there.")
    ] = None,
    hints: Annotated[bool, typer.Option("--hints", help="List what may stand behind `by`.")] = False,
) -> None:
    """Check proof documents, or replay certificates: 0 if all holds, 1 if not, 3 if something is undecided.

    In a folder every document with theorems is checked. Documents in folders named `rejected` must fail, each
    for the reason in its first line; named themselves, they fail.
    """
    form = _format(None, as_data)
    if hints:
        from .cli_check import print_hints

        print_hints(form)
        raise typer.Exit(HOLDS)
    if not paths:
        raise typer.BadParameter("a proof document, a folder of them, or a certificate", param_hint="PATH…")
    with _bad_input():
        if len(paths) > 1 or is_document(paths[0]):
            from .cli_check import check_documents

            raise typer.Exit(check_documents(paths, form, certificate))
        verdict = _replayed(paths[0])
        if form is Format.json:
            _say_json(verdict_json(verdict))
        else:
            _say(*verdict_lines(verdict, form))
    if verdict.status == "proved":
        raise typer.Exit(HOLDS)
    # A certificate that does not replay refutes nothing, but what was asked (does it?) does not hold.
    rejected = verdict.status == "refuted" or verdict.reason.startswith("rejected")
    raise typer.Exit(FAILS if rejected else UNDECIDED)


def _replayed(file: str) -> Verdict:
    """The verdict on the certificate in a file.

    Raises:
        ParseError: it cannot be read, or is not JSON.
    """
    import surrogate_calculus as sc

    return sc.check(
        _json(*((standard_input(), "standard input") if file == "-" else (read_file(file), file)))
    )


def _json(text: str, file: str) -> object:
    """The data of a JSON text.

    Raises:
        ParseError: it is not JSON.
    """
    instead = "a certificate written by  surrogate derive … --certificate FILE.json"
    try:
        return json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        text = text.rstrip() or " "
        span = Span(min(error.pos, len(text)), min(error.pos, len(text)) + 1)
        raise ParseError(
            f"this is not JSON: {error.msg}", instead=instead, text=text, span=span, file=file
        ) from None
    except (RecursionError, ValueError):  # nested too deep, a number of too many digits, a key twice
        raise ParseError("this is not a certificate", instead=instead, file=file) from None


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object of JSON.

    Raises:
        ValueError: a key stands twice: readers differ in which one counts.
    """
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def main() -> None:
    """Run the command in a process of its own."""
    if hasattr(signal, "SIGPIPE"):  # `surrogate … | head` ends quietly
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by `>&-`: the exit status still tells
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        stream = getattr(sys, name)
        if hasattr(stream, "reconfigure"):  # what the terminal cannot show is escaped, not an error
            stream.reconfigure(errors="backslashreplace")
    try:
        try:
            app(prog_name="surrogate")
        finally:
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except OSError as error:
        if error.filename is not None:  # of no stream but of a file, which is none of ours
            raise
        sys.stderr.write(f"error: standard output cannot be written: {error.strerror}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # where Python flushes what is left
        sys.exit(BAD_INPUT)
