"""Findings and derivations for pages: every verdict, numbers of every kind, and texts that would do harm."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any

import surrogate_calculus as sc
from surrogate_calculus.numeric.verify import Check, Finding
from surrogate_calculus.numeric.verify.report import About, write_report
from surrogate_calculus.numeric.verify.session import NOT_CARRIED_OUT

#: What a page must show and not carry out.
HARM = (
    "<script>document.title='x'</script>\"><img src=http://example.invalid/x onerror=alert(1)>'&amp;{{ 7*7 }}"
)


def finding(claim: str = "∇θ log Ẑ is derived", outcome: Any = "agrees", **fields: Any) -> Finding:
    where = {"kind": "pathwise", "filter": "dpf", "model": "lgssm", "settings": {"seed": 1}}
    where |= {name: fields.pop(name) for name in list(fields) if name in where}
    given = {"deviation": 3e-13, "tolerance": 1e-10, "basis": "1e-10 of Σ|summands|"} | fields
    return Finding(Check(claim=claim, runner="test", **where), outcome=outcome, **given)


FINDINGS = [
    finding(
        numbers={"autograd": (-0.7350917887656253, 10.5), "formula": (-0.7350917887656256, 10.5)},
        columns=("∂/∂a", "∂/∂c"),
        seconds=7.7,
    ),
    finding("bit for bit", deviation=0.0, tolerance=0.0, model="nile"),
    finding("𝔼[∂ᵏẐ]", "disagrees", kind="exact", deviation=0.25, quantity="∂³ of Ẑ", note="N = 2, T = 1"),
    finding("a word" + "x" * 400, filter="pf", deviation=math.inf, outcome="disagrees"),
    finding(
        "the bias falls like 1/N",
        kind="statistical",
        deviation=0.4,
        tolerance=3.9,
        numbers={"dpf": (0.3, 0.15, 0.08), "pf": (-0.8, -0.81, -0.8), "_none": (0.0, math.nan, 0.0)},
        columns=("N=10", "N=20", "N=40"),
    ),
    finding("the variance grows like T²", "undecided", kind="statistical", filter="dpf2", note="power 0.61"),
    finding("none", "undecided", deviation=math.nan, tolerance=math.nan, basis=NOT_CARRIED_OUT, note="why"),
    finding(
        f"claim {HARM}",
        filter=f"filter {HARM}",
        model=f"model {HARM}",
        basis=f"basis {HARM}",
        quantity=f"quantity {HARM}",
        note=f"note {HARM}",
        settings={f"name {HARM}": f"value {HARM}", "none": None, "yes": True, "zero": 0},
        numbers={f"row {HARM} $x_" + "w" * 40: tuple(n + 1.0 for n in range(30))},
        columns=tuple(f"T={n + 1}" for n in range(30)),
    ),
]


@cache
def derivations() -> dict[str, Any]:
    return {
        "a ratio": sc.derive("f(x;θ)/g(x;θ) * p(x;θ)/⊥(p(x;θ))", "θ", 2),
        f"estimator {HARM}": sc.derive("log Σ[i=1..N](⊥(w[i])*p(x[i];θ))", "θ"),
    }


def write_page(path: Path, findings: list[Finding] | None = None, **about: Any) -> str:
    about = {"command": f"surrogate verify --all {HARM}", "date": "2026-11-21", "seed": 7} | about
    write_report(path, FINDINGS if findings is None else findings, derivations(), About(**about))
    return path.read_text(encoding="utf-8")
