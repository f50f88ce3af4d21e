"""``surrogate paper``: the fates of a paper's equations, as a table, one by one, as a page."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from .cli_render import PIPED, Format, ascii_only
from .cli_status import HOLDS, UNDECIDED
from .errors import ParseError, Span

if TYPE_CHECKING:
    from .derive.paper import Fate
    from .language.papers import PaperDocument

__all__ = ["equation_lines", "fates_of", "markdown", "paper_folder", "print_fates", "say"]

#: Where an installed package has its documents, below the folder of data files.
_INSTALLED = Path("share") / "surrogate-calculus" / "paper"
_SHOWN = 160
#: What stands above the table.
_ABOUT = """\
What becomes of each equation of Ścibior & Wood, *Differentiable Particle Filtering without Modifying the
Forward Pass*, and of its two algorithms. `surrogate paper --markdown` writes this page; a test keeps it
current. `surrogate paper 22` shows one equation with its proof or counterexample.

- **proved**: the kernel replays a proof that all members of the chain are equal.
- **refuted**: a member on its line is wrong, by an exact counterexample; what should stand there is proved.
- **proved_under_condition**: the same under a condition that the paper names, without which it fails.
- **not_a_claim**: a definition, a limit, an approximation, an experiment.

Equality of surrogates (`=`) is claimed by the calculus rules and by Eq. 55–60, equality of values by all
other chains. Where the text says that a chain comes from an algorithm or a construction, that is right by
definition; else the largest class of equal members is, and in a tie all tied members are wrong. A member
that runs over several lines belongs to the number of each.

Assumed throughout: densities smooth and positive, of common support, printed denominators not zero,
N, T ≥ 1, ∇ and ∫ may be exchanged, and p(x̃[1:T], y[1:T]) given x₀ is the product of the one-step
densities.
"""


def paper_folder(given: str | None) -> Path:
    """The folder of the documents: the one given, ``proofs/paper`` here or in the source, the installed one.

    Raises:
        ParseError: there are none.
    """
    places = (
        [Path(given)]
        if given is not None
        else [
            Path("proofs") / "paper",
            Path(__file__).resolve().parents[1] / "proofs" / "paper",
            Path(sysconfig.get_path("data")) / _INSTALLED,
        ]
    )
    for place in places:
        if place.is_dir() and any(place.glob("*.sc")):
            return place
    shown = given if given is not None else "proofs/paper"
    raise ParseError(
        "there are no documents of equations in this folder",
        instead="surrogate paper --directory FOLDER, with the .sc files in it",
        text=shown or " ",
        span=Span(0, max(1, len(shown))),
    )


def _place(fate: Fate) -> tuple[int, str]:
    """Equations in the order of their numbers, algorithms behind them."""
    return (int(fate.equation), "") if fate.equation.isdigit() else (1_000_000, fate.equation)


def fates_of(documents: Sequence[PaperDocument], number: str | None) -> list[Fate]:
    """The fates in the order of their numbers; of one equation only, where it is named.

    Raises:
        ParseError: there is no such equation.
    """
    from .derive.paper import paper_fates

    if number is None:
        return sorted(paper_fates(documents), key=_place)
    for document in documents:
        for block in document.equations:
            if number in block.numbers:
                return [fate for fate in paper_fates([document], {number}) if fate.equation == number]
    known = [n for d in documents for b in d.equations for n in b.numbers]
    raise ParseError(
        f"there is no equation {number}",
        instead=f"one of {known[0]} … {known[-1]}; surrogate paper lists them",
        text=number or " ",
        span=Span(0, max(1, len(number))),
    )


def print_fates(fates: Iterable[Fate], form: Format) -> int:
    """The table on standard output; the exit status: 3 where an equation is undecided."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    plain = form is Format.text
    prose = ascii_only if plain else str
    table = Table(box=box.ASCII if plain else box.HEAVY_HEAD)
    table.add_column("equation", no_wrap=True)
    table.add_column("fate", no_wrap=True)
    table.add_column("why", overflow="fold")
    table.add_column("corrected", overflow="fold")
    status = HOLDS
    for fate in fates:
        status = max(status, UNDECIDED if fate.fate == "undecided" else HOLDS)
        why = "; ".join([fate.reason, *fate.conditions])
        cells = (fate.equation, fate.fate, why, _cut(fate.corrected))
        table.add_row(*(Text(prose(cell)) for cell in cells))
    Console(width=None if Console().is_terminal else PIPED, highlight=False).print(table)
    return status


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[: _SHOWN - 2] + " …"


def equation_lines(fate: Fate, document: PaperDocument) -> list[str]:
    """All that is found of one equation."""
    lines = [f"Equation {fate.equation} ({document.title.rstrip('.')}): {fate.fate}", f"  {fate.reason}", ""]
    lines += ["printed:", *(f"  {line}" for line in fate.printed.splitlines()), ""]
    if fate.conditions:
        lines += ["under the condition:", *(f"  {condition}" for condition in fate.conditions), ""]
    if fate.comparisons:
        lines.append("compared:")
        for judged in fate.comparisons:
            sign = "=→" if judged.values else "="
            steps = f", by a certificate of {judged.verdict.steps} steps" if judged.verdict.steps else ""
            lines += [f"  {judged.left}", *([f"    {sign} {judged.right}"] if judged.right else [])]
            lines.append(f"      {judged.verdict.status}{steps}")
    if fate.counterexample is not None:
        lines += ["", f"counterexample: {fate.counterexample}"]
        functions = fate.counterexample.functions
        if functions:
            lines.append("  the functions there, u1, u2, … being their arguments in order:")
        lines += [f"  {name} is {function}" for name, function in functions.items()]
    if fate.corrected:
        lines += ["", "corrected, and proved:", f"  {fate.corrected}"]
    return lines


def markdown(fates: Sequence[Fate], documents: Sequence[PaperDocument]) -> str:
    """The table as a page."""
    counts = {name: sum(f.fate == name for f in fates) for name in dict.fromkeys(f.fate for f in fates)}
    lines = [
        "# The paper replayed",
        "",
        *_ABOUT.splitlines(),
        "",
        ", ".join(f"{n} {name}" for name, n in counts.items()) + ".",
        "",
        "| equation | fate | why | corrected | document |",
        "| --- | --- | --- | --- | --- |",
    ]
    for fate in fates:
        why = "; ".join([fate.reason, *fate.conditions])
        corrected = f"`{fate.corrected}`" if fate.corrected else ""
        cells = (fate.equation, fate.fate, why, corrected, f"[{fate.document}]({fate.document})")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def say(text: str) -> None:
    """Write to standard output, whatever its encoding."""
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        sys.stdout.write(ascii_only(text))
