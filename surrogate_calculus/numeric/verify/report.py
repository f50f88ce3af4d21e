"""The report of a verification: one HTML file that needs nothing else, to be read, printed and kept.

The page has no script, and a policy in its head forbids it every request.  What others wrote is escaped by
the template engine; formulas (MathML) and plots (SVG) are made here, and escape what they contain.
"""

from __future__ import annotations

import math
import os
import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from ...errors import EvaluationError, SurrogateError
from .finding import Finding
from .plots import Plot, ladder, overview, require_plots
from .session import carried_out

if TYPE_CHECKING:
    from ...derive import Derivation
    from ...language.terms import Term

__all__ = ["About", "check_writable", "require_plots", "write_report"]

#: The failing ones first.
_ORDER = ("disagrees", "failed", "undecided", "agrees")
_WORDS = {
    "agrees": ("✓", "agrees"),
    "disagrees": ("✗", "disagrees"),
    "undecided": ("?", "undecided"),
    "failed": ("!", "not carried out"),
}
#: MathML longer than this is folded away in a list of steps.
_LONG = 40_000


@dataclass(frozen=True)
class About:
    """What the page says of the run, besides the versions of the package, torch and Python.

    Attributes:
        command: the command line.
        date: when; "" for not told.
        seed: that the checks started from; None for not told.
        dtype: of the numbers that were compared.
        planned: how many checks there were; more than there are findings where the run was interrupted.
        more: further facts, by name.
    """

    command: str = ""
    date: str = ""
    seed: int | None = None
    dtype: str = "float64"
    planned: int | None = None
    more: Mapping[str, str] = field(default_factory=dict)


def check_writable(path: Path) -> None:
    """See to it that a report can be written, before any long work; nothing is left behind.

    Raises:
        EvaluationError: the path is no regular file, or its folder cannot be written to.
    """
    target = _target(path)
    part = _part(target)
    try:
        part.open("xb").close()
        part.unlink()
    except OSError as error:
        raise _unwritable(path, error) from None


def write_report(
    path: Path,
    findings: Sequence[Finding],
    derivations: Mapping[str, Derivation] | None = None,
    about: About | None = None,
) -> None:
    """Write the page, whole or not at all: a file of that name is replaced when the new one is complete.

    Each derivation is replayed by the kernel, and the page says what came of it.

    Args:
        path: of the file.
        findings: what was found, in the order of the checks.
        derivations: of the estimators that were verified, by the headings that they get.
        about: of the run.

    Raises:
        EvaluationError: the file cannot be written, or matplotlib or jinja2 is not installed.
    """
    require_plots()
    target = _target(path)
    data = _page(list(findings), derivations or {}, about or About()).encode("utf-8", "replace")
    part = _part(target)
    try:
        with part.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with suppress(OSError):
            part.unlink()


def _target(path: Path) -> Path:
    """The file itself, not a link to it."""
    path = Path(path)
    there, regular = True, False
    try:  # in every version of Python this tells of links that go round, and of names that are too long
        regular = stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:
        there = False
    except OSError as error:
        raise _unwritable(path, error) from None
    target = path.resolve()
    if there and not regular:
        raise EvaluationError(f"{path} is no regular file", instead="the name of a file for the report")
    if there and not os.access(path, os.W_OK):
        raise _unwritable(path, PermissionError(13, os.strerror(13)))
    return target


def _part(target: Path) -> Path:
    """Where the page grows: beside the file, so that it can take its place in one step."""
    return target.with_name(f".{target.name}.{token_hex(4)}.part")


def _unwritable(path: Path, error: OSError) -> EvaluationError:
    why = error.strerror or error
    return EvaluationError(f"{path} cannot be written: {why}", instead="a file in a folder that can be")


def _page(findings: list[Finding], derivations: Mapping[str, Derivation], about: About) -> str:
    """The page as text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader(__package__ or "", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rows = [_row(number, finding) for number, finding in enumerate(findings, 1)]
    plot = overview(findings)
    counts = {state: sum(row["state"] == state for row in rows) for state in _ORDER}
    return templates.get_template("report.html").render(
        about=about,
        facts=_facts(about),
        counts=counts,
        words=_WORDS,
        order=_ORDER,
        headline=_headline(counts, about),
        state=next((state for state in _ORDER if counts[state]), "undecided"),
        unfinished=max((about.planned or 0) - len(findings), 0),
        failing=[row for state in _ORDER[:3] for row in rows if row["state"] == state],
        groups=_groups(rows),
        overview=plot and _marked(plot),
        derivations=[_derived(n, name, d) for n, (name, d) in enumerate(derivations.items(), 1)],
    )


def _headline(counts: Mapping[str, int], about: About) -> str:
    """What came out, in a sentence that is also the page's title."""
    total = sum(counts.values())
    claims = "1 claim" if total == 1 else f"{total} claims"
    if not total:
        return "Nothing was checked"
    if counts["disagrees"]:
        return f"{counts['disagrees']} of {claims} {'disagrees' if counts['disagrees'] == 1 else 'disagree'}"
    open_ = counts["undecided"] + counts["failed"]
    if open_:
        return f"No disagreement, but {open_} of {claims} undecided"
    if (about.planned or 0) > total:
        return f"No disagreement in the {claims} checked of {about.planned}"
    return "The claim agrees" if total == 1 else f"All {claims} agree"


def _facts(about: About) -> dict[str, str]:
    from ... import __version__

    try:
        torch = version("torch")
    except PackageNotFoundError:
        torch = "not installed"
    facts = {
        "Command": about.command,
        "Date": about.date,
        "surrogate-calculus": __version__,
        "torch": torch,
        "Python": sys.version.split()[0],
        "dtype": about.dtype,
        "Seed": "" if about.seed is None else str(about.seed),
        **about.more,
    }
    return {name: value for name, value in facts.items() if value}


def _groups(rows: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The rows by filter, in the order of the checks, those that fail first."""
    names = dict.fromkeys(row["finding"].check.filter for row in rows)
    ranked = sorted(rows, key=lambda row: _ORDER.index(row["state"]))
    return [(name, [row for row in ranked if row["finding"].check.filter == name]) for name in names]


def _row(number: int, finding: Finding) -> dict[str, Any]:
    """A finding as the template wants it."""
    plot = ladder(finding)
    return {
        "id": f"finding-{number}",
        "state": finding.outcome if carried_out(finding) else "failed",
        "finding": finding,
        "deviation": _short(finding.deviation),
        "tolerance": _short(finding.tolerance),
        "seconds": _time(finding.seconds),
        "settings": {name: _setting(value) for name, value in finding.check.settings.items()},
        "columns": finding.columns,
        "numbers": {name: [_short(value, 10) for value in row] for name, row in finding.numbers.items()},
        "width": max([len(finding.columns), *(len(row) for row in finding.numbers.values())]),
        "plot": plot and _marked(plot),
    }


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 0.05 else f"{seconds * 1e3:.0f} ms"


def _short(value: float, digits: int = 3) -> str:
    """A number to read, or its name where it is no number."""
    if math.isnan(value):
        return "no number"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return f"{value:.{digits}g}".replace("-", "−")


def _setting(value: object) -> str:
    words = {None: "none", True: "yes", False: "no", "": "none"}
    return words[value] if value in ("", None) or isinstance(value, bool) else str(value)


def _marked(plot: Plot) -> dict[str, Any]:
    from markupsafe import Markup

    return {"svg": Markup(plot.svg), "caption": plot.caption}


# ---- derivations ----


def _derived(number: int, name: str, derivation: Derivation) -> dict[str, Any]:
    """A derivation as the template wants it: statement, what it rests on, steps, the kernel's answer."""
    from ...kernel import check
    from ...language.terms import Indexed, Sym

    document = derivation.document
    steps = list(_steps(derivation))
    try:
        verdict = check(derivation.certificate)
        replayed, reason = verdict.status == "proved", f"{verdict.status}: {verdict.reason}"
        kernel_steps, rests = verdict.steps, [*verdict.axioms, *verdict.assumptions]
    except SurrogateError as error:
        replayed, reason, kernel_steps, rests = False, error.what, 0, []
    return {
        "id": f"derivation-{number}",
        "name": name,
        "start": _math(derivation.start, document),
        "result": _math(derivation.result, document),
        "relation": derivation.relation.value,
        "where": [
            (_math(Indexed(d.name, *map(Sym, d.indices)), document), _math(d.body, document))
            for d in derivation.where
        ],
        "hypotheses": [_hypothesis(h.kind, h.term, derivation) for h in derivation.hypotheses],
        "notes": derivation.notes,
        "steps": steps,
        "replayed": replayed,
        "reason": reason,
        "kernel_steps": kernel_steps,
        "rests": [str(item) for item in rests],
        "document": "" if document is None else document.text.strip(),
    }


def _steps(derivation: Derivation) -> Iterator[dict[str, Any]]:
    for step in derivation.steps_in("brief"):
        math = _math(step.term, derivation.document)
        yield {
            "rules": step.rule.replace("_", " "),
            "reference": step.reference,
            "math": math,
            "long": len(math) > _LONG,
        }


def _math(term: Term, document: Any, inline: bool = False) -> Any:
    """A term in MathML, or as a remark where it is too large to print."""
    from markupsafe import Markup

    from ...printing.mathml import to_mathml

    try:
        text = to_mathml(term, given=document)
    except SurrogateError as error:
        return f"({error.what})"
    return Markup(text.replace('display="block"', 'display="inline"', 1) if inline else text)


def _hypothesis(kind: str, term: Term, derivation: Derivation) -> Any:
    from markupsafe import Markup, escape

    from ...printing.hypotheses import statement

    # The words of a hypothesis are the package's own; what it is said of comes escaped.
    return Markup(statement(kind, term, lambda t: str(escape(_math(t, derivation.document, inline=True)))))
