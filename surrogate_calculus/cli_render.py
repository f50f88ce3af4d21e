"""What the command prints of a derivation and of a verdict, in each format."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .derive import Derivation
    from .estimators import Claim, Estimator
    from .kernel.judgement import Hypothesis, Verdict

__all__ = [
    "PIPED",
    "Format",
    "Grain",
    "ascii_only",
    "claim_json",
    "claim_lines",
    "derivation_lines",
    "print_catalogue",
    "verdict_json",
    "verdict_lines",
]


#: How wide a table is that goes to no terminal.
PIPED = 160


class Format(StrEnum):
    """How formulas are written."""

    text = "text"
    unicode = "unicode"
    latex = "latex"
    mathml = "mathml"
    json = "json"


class Grain(StrEnum):
    """How fine the steps are: a line per idea, or one rule per line."""

    brief = "brief"
    full = "full"


_ASCII = {
    "⊥": "stop", "→": "eval", "∇": "grad ", "Σ": "sum", "∏": "prod", "𝔼": "E", "≠": "!=", "≥": ">=",
    "≤": "<=", "·": ".", "–": "-", "—": "-", "′": "'", "²": "^2", "³": "^3", "∂": "d", "…": "...",
    "−": "-", "×": "*", "∞": "oo",
}  # fmt: skip


def ascii_only(text: str) -> str:
    """Prose in ASCII: mathematical signs spelled out, accents dropped, the rest escaped."""
    from .language.names import ascii_name

    out = []
    for char in text:
        if char.isascii():
            out.append(char)
        elif char in _ASCII or ascii_name(char).isascii():
            out.append(_ASCII.get(char) or ascii_name(char))
        else:
            base = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
            out.append(base or char.encode("ascii", "backslashreplace").decode())
    return "".join(out)


def derivation_lines(derivation: Derivation, form: Format, grain: Grain | None) -> Iterator[str]:
    """A derivation in a format other than JSON: its steps if wanted, its result, what it rests on.

    LaTeX and MathML hold the formula alone, or the steps; what it rests on follows as a comment.
    """
    if form in (Format.latex, Format.mathml):
        yield (derivation.to_latex if form is Format.latex else derivation.to_mathml)(grain)
        comment = "% {}" if form is Format.latex else "<!-- {} -->"
        for line in _conditions(derivation, Format.unicode):
            yield comment.format(line.replace("--", "- -"))
        return
    show = derivation.to_text if form is Format.text else derivation.to_unicode
    if grain is not None:
        yield show(grain)
    else:
        from .printing.text import to_text, to_unicode

        start = to_text if form is Format.text else to_unicode
        yield start(derivation.start, vector=derivation.vectors)
        yield f"  = {show()}"
    yield from _conditions(derivation, form)


def _conditions(derivation: Derivation, form: Format) -> Iterator[str]:
    """The lines that say under which hypotheses the result holds, and what else a reader must know."""
    from functools import partial

    from .printing.text import to_text, to_unicode

    show = partial(to_text if form is Format.text else to_unicode, vector=derivation.vectors)
    for line in derivation.defined(show):
        yield f"where {line}"
    for hypothesis in derivation.hypotheses:
        yield f"given that {_hypothesis(hypothesis, form)}"
    for note in derivation.notes:
        yield f"note: {ascii_only(note) if form is Format.text else note}"


def _hypothesis(hypothesis: Hypothesis, form: Format) -> str:
    if form is not Format.text:
        return str(hypothesis)
    from .printing.hypotheses import statement
    from .printing.text import to_text

    return ascii_only(statement(hypothesis.kind, hypothesis.term, to_text))


def verdict_lines(verdict: Verdict, form: Format) -> Iterator[str]:
    """A verdict on a certificate, as text or Unicode: its claim, and everything that it rests on."""
    from .printing.text import to_text, to_unicode

    show, prose = (to_text, ascii_only) if form is Format.text else (to_unicode, str)
    if verdict.status == "proved":
        yield f"proved, by replaying {verdict.steps} kernel steps"
    else:
        yield prose(f"{verdict.status}: {verdict.reason}")
    if verdict.claim is not None:
        yield f"  {show(verdict.claim.lhs)}"
        yield f"  {prose(verdict.claim.relation.value)} {show(verdict.claim.rhs)}"
    for hypothesis in verdict.hypotheses:
        yield f"given that {_hypothesis(hypothesis, form)}"
    for name in verdict.definitions:
        yield prose(f"by the definition of {name}")
    for assumption in verdict.assumptions:
        yield prose(f"declared: {assumption}")


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict for machines."""
    from .printing.text import to_unicode

    claim = verdict.claim
    return {
        "status": verdict.status,
        "claim": claim and [to_unicode(claim.lhs), claim.relation.value, to_unicode(claim.rhs)],
        "hypotheses": [str(h) for h in verdict.hypotheses],
        "definitions": list(verdict.definitions),
        "assumptions": list(verdict.assumptions),
        "reason": verdict.reason,
        "steps": verdict.steps,
    }


def claim_lines(
    entry: Estimator,
    claim: Claim,
    derivation: Derivation,
    form: Format,
    grain: Grain | None,
    verdict: str,
) -> Iterator[str]:
    """A result of the catalogue: what it is, its derivation, and what the paper has.

    Around LaTeX and MathML the prose stands in comments.
    """
    comment = {Format.latex: "% {}", Format.mathml: "<!-- {} -->"}.get(form, "{}")
    prose = ascii_only if form is Format.text else str

    def remark(text: str) -> str:
        return prose(comment.format(text.replace("--", "- -") if form is Format.mathml else text))

    yield remark(f"@{entry.name}: {claim.name} ({claim.paper})")
    yield from derivation_lines(derivation, form, grain)
    if verdict != "proved":
        yield remark(f"{verdict}: equal to what the catalogue has, {claim.estimator}")
    if claim.misprint:
        yield remark(f"as printed: {claim.misprint}")
    if claim.note:
        yield remark(f"note: {claim.note}")


def claim_json(entry: Estimator, derivations: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """An entry of the catalogue for machines, with the derivations of its claims if they were made."""
    from .printing.text import to_unicode

    vector = entry.document.vector_names
    claims = [
        {
            "name": claim.name,
            "surrogate": to_unicode(claim.surrogate, vector=vector),
            "wrt": list(claim.wrt),
            "order": claim.order,
            "estimator": to_unicode(claim.expected, vector=vector),
            "paper": claim.paper,
            "misprint": claim.misprint,
            "note": claim.note,
        }
        for claim in entry.claims
    ]
    for claim, derivation in zip(claims, derivations or (), strict=False):
        claim["derivation"] = derivation
    return {"name": entry.name, "title": entry.title, "about": entry.about, "claims": claims}


def print_catalogue(entries: list[Estimator], form: Format) -> None:
    """The catalogue as a table on standard output: what is claimed, not derived."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from .language.names import ascii_name
    from .printing.text import to_text, to_unicode

    plain = form is Format.text
    show, prose, spell = (to_text, ascii_only, ascii_name) if plain else (to_unicode, str, str)
    table = Table(show_lines=True, box=box.ASCII if plain else box.HEAVY_HEAD)
    table.add_column("name", no_wrap=True)
    table.add_column("surrogate", overflow="fold", max_width=30)
    table.add_column("estimator", overflow="fold")
    table.add_column("order", no_wrap=True)
    table.add_column("paper", overflow="fold", max_width=20)
    for entry in entries:
        for number, claim in enumerate(entry.claims):
            table.add_row(
                Text("" if number else f"@{entry.name}"),
                Text(f"{prose(claim.name)}: {show(claim.surrogate)}"),
                Text(show(claim.expected, vector=entry.document.vector_names)),
                Text(f"{claim.order} in {spell(claim.wrt[0])}" if claim.wrt else ""),
                Text(prose(claim.paper)),
            )
    terminal = Console().is_terminal
    Console(width=None if terminal else PIPED, highlight=False).print(table)
