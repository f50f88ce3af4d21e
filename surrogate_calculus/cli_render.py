"""Derivations and verdicts as the command prints them: text, Unicode, LaTeX, MathML, JSON."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from .derive import Derivation, Step
    from .kernel.judgement import Verdict
    from .language.terms import Term

__all__ = ["Format", "Grain", "as_json", "ascii_only", "render", "verdict_json", "verdict_lines"]


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


def printer(form: Format) -> Callable[[Term], str]:
    """The function that prints one term in this format; JSON carries Unicode text."""
    if form is Format.text:
        from .printing.text import to_text

        return to_text
    if form is Format.latex:
        from .printing.latex import to_latex

        return to_latex
    if form is Format.mathml:
        from .printing.mathml import to_mathml

        return to_mathml
    from .printing.text import to_unicode

    return to_unicode


_ASCII = {
    "⊥": "stop",
    "→": "eval",
    "∇": "grad ",
    "Σ": "sum",
    "∏": "prod",
    "𝔼": "E",
    "≠": "!=",
    "≥": ">=",
    "≤": "<=",
    "·": ".",
    "–": "-",
    "—": "-",
    "′": "'",
    "²": "^2",
    "³": "^3",
    "∂": "d",
    "Δ": "Delta",
    "…": "...",
    "−": "-",
    "×": "*",
    "∞": "oo",
}


def ascii_only(text: str) -> str:
    """Prose in ASCII: mathematical signs spelled out, accents dropped, the rest escaped."""
    spelled = []
    for char in text:
        if char.isascii():
            spelled.append(char)
        elif char in _ASCII:
            spelled.append(_ASCII[char])
        else:
            name = unicodedata.name(char, "")
            if name.startswith("GREEK ") and "LETTER " in name and " WITH " not in name:
                greek = name.rpartition("LETTER ")[2].lower()
                spelled.append(greek if "SMALL" in name else greek.capitalize())
            else:
                base = unicodedata.normalize("NFKD", char).encode("ascii", "ignore").decode()
                spelled.append(base or char.encode("ascii", "backslashreplace").decode())
    return "".join(spelled)


def _prose(form: Format) -> Callable[[str], str]:
    return ascii_only if form is Format.text else str


def render(derivation: Derivation, form: Format, grain: Grain | None) -> str:
    """A derivation in any format but JSON: its start, its steps if wanted, its result, its hypotheses."""
    steps: Sequence[Step] = () if grain is None else derivation.steps_in(grain.value)
    if form is Format.latex:
        return "\n".join(_latex(derivation, steps))
    if form is Format.mathml:
        return "\n".join(_mathml(derivation, steps))
    return "\n".join(_text(derivation, steps, form, places=grain is Grain.full))


def conditions(derivation: Derivation, form: Format) -> list[str]:
    """The lines that say under which hypotheses the result holds, and what else a reader must know."""
    prose = _prose(form)
    show = printer(Format.text if form is Format.text else Format.unicode)
    lines = [prose(f"given that {h.render(show)}") for h in derivation.hypotheses]
    return lines + [prose(f"note: {note}") for note in derivation.notes]


def reason(step: Step) -> str:
    """The rule of a step and where the literature has it."""
    return f"{step.rule} [{step.reference}]" if step.reference else step.rule


def _text(derivation: Derivation, steps: Sequence[Step], form: Format, places: bool) -> Iterator[str]:
    show, prose = printer(form), _prose(form)
    yield show(derivation.start)
    if steps:
        reasons = [prose(reason(step)) for step in steps]
        width = min(44, max(map(len, reasons)))
        digits = len(str(len(steps)))
        for number, (step, why) in enumerate(zip(steps, reasons, strict=True), 1):
            line = f"  {number:>{digits}}. {why:<{width}}  = {show(step.term)}"
            if places:
                at = "".join(f".{position}" for position in step.place) or "."
                rewrite = f"{show(step.before)} {'=>' if form is Format.text else '↦'} {show(step.after)}"
                line += f"    (at {at}: {rewrite})"
            yield line
    yield f"  = {show(derivation.result)}"
    yield from conditions(derivation, form)


def _latex_text(text: str) -> str:
    """Prose inside LaTeX: its special signs escaped, its mathematical ones in mathematics."""
    escapes = {
        "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
        "$": r"\$", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "⊥": r"$\bot$",
        "→": r"$\rightarrow$", "∇": r"$\nabla$", "Σ": r"$\sum$", "∏": r"$\prod$", "≠": r"$\neq$",
    }  # fmt: skip
    return "".join(escapes.get(c, c) for c in text)


def _latex(derivation: Derivation, steps: Sequence[Step]) -> Iterator[str]:
    show = printer(Format.latex)
    yield r"\begin{align*}"
    rows = [(show(step.term), _latex_text(reason(step))) for step in steps]
    if not rows or steps[-1].term != derivation.result:
        rows.append((show(derivation.result), ""))
    start = show(derivation.start)
    for number, (term, why) in enumerate(rows):
        left = start if number == 0 else ""
        comment = rf" && \text{{{why}}}" if why else ""
        end = r" \\" if number < len(rows) - 1 else ""
        yield f"  {left} &= {term}{comment}{end}".replace("   &=", "  &=")
    yield r"\end{align*}"
    for line in conditions(derivation, Format.latex):
        yield f"% {line}"


def _inside(math: str) -> str:
    """What stands between ``<math …>`` and ``</math>``."""
    return math[math.index(">") + 1 : math.rindex("</math>")]


def _mathml(derivation: Derivation, steps: Sequence[Step]) -> Iterator[str]:
    show = printer(Format.mathml)
    rows = [(show(step.term), reason(step)) for step in steps]
    if not rows or steps[-1].term != derivation.result:
        rows.append((show(derivation.result), ""))
    yield '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">'
    yield '<mtable columnalign="right left left">'
    left = f"<mrow>{_inside(show(derivation.start))}</mrow>"
    for term, why in rows:
        comment = f"<mtd><mtext>{escape(why)}</mtext></mtd>" if why else ""
        yield f"<mtr><mtd>{left}</mtd><mtd><mo>=</mo><mrow>{_inside(term)}</mrow></mtd>{comment}</mtr>"
        left = ""
    yield "</mtable></math>"
    for line in conditions(derivation, Format.mathml):
        yield f"<!-- {line.replace('--', '- -')} -->"


def as_json(derivation: Derivation, grain: Grain | None) -> dict[str, Any]:
    """A derivation for machines: formulas as Unicode text, which parses back."""
    show = printer(Format.unicode)
    out: dict[str, Any] = {
        "start": show(derivation.start),
        "result": show(derivation.result),
        "latex": printer(Format.latex)(derivation.result),
        "hypotheses": [str(h) for h in derivation.hypotheses],
        "notes": list(derivation.notes),
    }
    if grain is not None:
        out["steps"] = [
            {
                "rule": step.rule,
                "reference": step.reference,
                "place": list(step.place),
                "before": show(step.before),
                "after": show(step.after),
                "term": show(step.term),
            }
            for step in derivation.steps_in(grain.value)
        ]
    return out


def verdict_lines(verdict: Verdict, form: Format) -> Iterator[str]:
    """A verdict on a certificate: what it says, its claim, and everything that it rests on."""
    show, prose = printer(form), _prose(form)
    if verdict.status == "proved":
        yield f"proved, by replaying {verdict.steps} kernel steps"
    else:
        yield prose(f"{verdict.status}: {verdict.reason}")
    if verdict.claim is not None:
        yield f"  {show(verdict.claim.lhs)}"
        yield f"  {prose(verdict.claim.relation.value)} {show(verdict.claim.rhs)}"
    text = printer(Format.text if form is Format.text else Format.unicode)
    for hypothesis in verdict.hypotheses:
        yield prose(f"given that {hypothesis.render(text)}")
    for name in verdict.definitions:
        yield prose(f"by the definition of {name}")
    for assumption in verdict.assumptions:
        yield prose(f"declared: {assumption}")


def verdict_json(verdict: Verdict) -> dict[str, Any]:
    """A verdict for machines."""
    show = printer(Format.unicode)
    claim = verdict.claim
    return {
        "status": verdict.status,
        "claim": None if claim is None else [show(claim.lhs), claim.relation.value, show(claim.rhs)],
        "hypotheses": [str(h) for h in verdict.hypotheses],
        "definitions": list(verdict.definitions),
        "assumptions": list(verdict.assumptions),
        "reason": verdict.reason,
        "steps": verdict.steps,
    }
