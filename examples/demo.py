"""The main job, start to end: from surrogate expressions to estimators, and to real data.

Run by ``make demo``.
"""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

import surrogate_calculus as sc
from surrogate_calculus.estimators import load_estimator

HERE = Path(__file__).resolve().parent

#: Title, expression, parameter (None where the expression has its own ∇), order, grain of the steps.
TUTORIAL = [
    ("DiCE, first order (Eq. 6, 43–44)", "p(x;θ)/⊥(p(x;θ)) * f(x;θ)", "θ", 1, "full"),
    ("DiCE, second order", "p(x;θ)/⊥(p(x;θ)) * f(x;θ)", "θ", 2, "brief"),
    ("The gradient of an evaluated expression (Eq. 31–32)", "∇x →(x + ⊥(x)^2 + x*⊥(x)^2)", None, 1, "brief"),
    ("The evaluated gradient of the same (Eq. 33–34)", "→(∇x(x + ⊥(x)^2 + x*⊥(x)^2))", None, 1, "brief"),
    ("Gradient, evaluation, gradient (Eq. 35–40)", "∇x →(∇x exp(⊥(x) + log x))", None, 1, "brief"),
    ("E over ⊥E (Eq. 41)", "g(x;θ)/⊥(g(x;θ))", "θ", 1, "brief"),
    ("⊥E over E (Eq. 42)", "⊥(g(x;θ))/g(x;θ)", "θ", 1, "brief"),
]


class Screen:
    """Where the demonstration writes: headings, prose and formulas."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self.plain = "utf" not in (self.console.encoding or "").lower()

    def heading(self, text: str) -> None:
        self.console.print()
        self.console.print(Panel(Text(text, style="bold")) if self.console.is_terminal else f"=== {text}")

    def say(self, text: str) -> None:
        self.console.print(Text(text))

    def formula(self, text: str) -> None:
        self.console.print(Text(text, style="cyan"))


def show(screen: Screen, derivation: sc.Derivation, grain: str | None) -> None:
    """A derivation, the hypotheses it rests on, and the kernel's verdict on its certificate."""
    if grain is not None:
        screen.formula((derivation.to_text if screen.plain else derivation.to_unicode)(grain))
    verdict = sc.check(derivation.certificate)
    if not verdict:
        raise SystemExit(f"the kernel does not confirm this derivation: {verdict.reason}")
    for hypothesis in derivation.hypotheses:
        screen.say(f"  given that {hypothesis}")
    screen.say(f"  {verdict.status}: the kernel replayed {verdict.steps} steps from the certificate alone")


def particle_filter(screen: Screen) -> None:
    """Part (a): the score of the differentiable particle filter, for symbolic N and T."""
    screen.heading("A differentiable particle filter, for every N and T: from Algorithm 1 to Eq. 13")
    entry = load_estimator("dpf")
    filter_, _ = entry.document.text.split("\n\n# What they are in value")
    for line in filter_[filter_.index("sample ") :].splitlines():
        screen.say(f"  {line}")
    claim = entry.claims[0]
    derivation = claim.derive()
    screen.say("\nautomatic differentiation of its log-likelihood makes")
    screen.formula(f"  {show_start(screen, derivation)}\n    = {show_result(screen, derivation)}")
    show(screen, derivation, None)
    agreement = sc.check_derivation(derivation, points=3)
    if not agreement:
        raise SystemExit(str(agreement))
    screen.say(f"  {agreement}")


def show_start(screen: Screen, derivation: sc.Derivation) -> str:
    """What is derived, as the screen can show it."""
    from surrogate_calculus.printing.text import to_text, to_unicode

    return (to_text if screen.plain else to_unicode)(derivation.start, vector=derivation.vectors)


def show_result(screen: Screen, derivation: sc.Derivation) -> str:
    """A derivation's result, as the screen can show it."""
    return (derivation.to_text if screen.plain else derivation.to_unicode)()


def tutorial(screen: Screen) -> None:
    """Part (b): DiCE, and the worked examples of the paper's tutorial."""
    for title, text, wrt, order, grain in TUTORIAL:
        screen.heading(title)
        show(screen, sc.derive(text, wrt, order), grain)

    screen.heading("∇→E is not →∇E: the two results above, side by side")
    for text in (TUTORIAL[2][1], TUTORIAL[3][1]):
        screen.formula(f"{text}  =  {sc.derive(text).result}")

    screen.heading("What the REINFORCE surrogate f + ⊥f log p lacks")
    dice, reinforce = "p(x;θ)/⊥(p(x;θ))*f(x;θ)", "f(x;θ) + ⊥(f(x;θ))*log p(x;θ)"
    for order in (1, 2):
        missing = sc.derive(f"{dice} - ({reinforce})", "θ", order)
        screen.say(f"order {order}: →∇{'²' * (order - 1)} of DiCE minus the same of the surrogate is")
        screen.formula(f"  {missing.result}")
        show(screen, missing, None)


def fisher(screen: Screen) -> None:
    """Part (c): the self-normalised Fisher estimator, from its document, for symbolic N."""
    screen.heading("The self-normalised Fisher estimator, for every N (Eq. 10–12): examples/fisher.sc")
    document = sc.load(str(HERE / "fisher.sc"))
    for target in document.targets:
        derivation = sc.derive(target.term, given=document)
        show(screen, derivation, "brief")
        screen.say("so the estimator is")
        screen.formula(f"  {derivation.result}")


def nile(screen: Screen) -> None:
    """Part (d): the estimator on the Nile flow series, against autograd and the exact score."""
    screen.heading("The same estimator on the Nile flow series, 1871–1970: examples/nile.py")
    sys.path.insert(0, str(HERE))
    from nile import run

    run()


def verify(screen: Screen) -> None:
    """Part (e): the filter that runs in torch, held to the formula, on the same series."""
    from surrogate_calculus.cli import app

    arguments = ["verify", "dpf", "--model", "nile", "--kind", "pathwise"]
    arguments += ["--particles", "100", "--steps", "100"]
    screen.heading("The particle filter in torch, held to what is derived, on the Nile flow series")
    screen.say("$ surrogate " + " ".join(arguments))
    status = app(arguments, standalone_mode=False)
    if status:
        raise SystemExit(f"surrogate verify ended with status {status}")
    screen.say(
        "Autograd, the formula and the online score are one number, that of this run of 100 particles. The "
        "Kalman filter's is what they estimate: see `surrogate verify dpf --kind exact,statistical`."
    )


def main() -> None:
    """Run the five parts and say how long they took."""
    start = time.perf_counter()
    if isinstance(sys.stdout, io.TextIOWrapper):  # what the terminal cannot show is escaped, not an error
        sys.stdout.reconfigure(errors="backslashreplace")
    screen = Screen()
    screen.say("surrogate-calculus: which estimator does automatic differentiation make of a surrogate?")
    particle_filter(screen)
    tutorial(screen)
    fisher(screen)
    nile(screen)
    verify(screen)
    screen.heading(f"done in {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
