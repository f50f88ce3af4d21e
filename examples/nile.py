"""The self-normalised Fisher estimator on the Nile flow series, beside autograd and the exact score.

The model is the local level of Durbin & Koopman with two variances, r of the level's steps and s of the
observations.  N trajectories are drawn from the prior (sequential importance sampling, no resampling)
and weighted; their proposal is stopped.  Torch differentiates the surrogate, the derived formula is
evaluated on the same trajectories, and the two are the same number.  The exact score by the Kalman
filter is another: the effective sample size says why.

Run by ``make demo``, or alone: ``python examples/nile.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from rich.console import Console
from rich.table import Table
from rich.text import Text

import surrogate_calculus as sc
from surrogate_calculus.numeric import Event
from surrogate_calculus.numeric.data import nile
from surrogate_calculus.numeric.exact import exact_derivatives, kalman_log_likelihood
from surrogate_calculus.numeric.models import LocalLevel

DOCUMENT = """
count N
parameter r, s                                 # variances of the level's steps, of the observations
index i, j = 1..N
observed x[i], y                               # whole trajectories of the level, the whole series
density p(x[i], y; r, s), q(x[i]; r)

define w[i] = p(x[i], y; r, s) / q(x[i]; r)
define w̄[i] = w[i] / Σ[j](w[j])
define v[i] = p(x[i], y; r, s) / ⊥(q(x[i]; r))

derive →(∇r log(1/N * Σ[i](v[i])))
derive →(∇s log(1/N * Σ[i](v[i])))
"""

#: The surrogate that torch differentiates, and what measures the weights.
SURROGATE = "log(1/N * Σ[i](v[i]))"
EFFECTIVE_SIZE = "1 / Σ[i](w̄[i]^2)"

#: A proper law for the level of 1871, and the variances at which the score is taken.
MODEL = LocalLevel(mean=1000.0, variance=200.0**2)
VARIANCES = {"r": 2500.0, "s": 12000.0}


@dataclass(frozen=True)
class Row:
    """One variance: what torch makes of the surrogate, the derived formula, the exact score."""

    name: str
    formula: str
    autograd: float
    derived: float
    exact: float

    @property
    def difference(self) -> float:
        """|autograd - derived| / |autograd|."""
        return abs(self.autograd - self.derived) / abs(self.autograd)


@dataclass(frozen=True)
class Result:
    """The rows of the table, and the effective number of trajectories out of ``particles``."""

    rows: tuple[Row, ...]
    effective_size: float
    particles: int


def exact_score(y: torch.Tensor) -> torch.Tensor:
    """(∂/∂r, ∂/∂s) log p(y), by autograd through the Kalman filter."""

    def log_likelihood(v: Mapping[str, torch.Tensor]) -> torch.Tensor:
        return kalman_log_likelihood(MODEL, y, {"log_r": v["r"].log(), "log_s": v["s"].log()})

    return exact_derivatives(log_likelihood, VARIANCES, 1).score


def compute(particles: int = 1000, seed: int = 1871) -> Result:
    """Derive, sample, evaluate; nothing is printed."""
    document = sc.parse_document(DOCUMENT)
    y = torch.tensor([flow for _, flow in nile()], dtype=torch.float64)
    r = torch.tensor(VARIANCES["r"], dtype=torch.float64)
    x = MODEL.sample(particles, len(y), r, torch.Generator().manual_seed(seed))
    values = {
        "N": particles,
        "x": Event(x, dims=1),
        "y": Event(y),
        **VARIANCES,
        # Joint densities of 100 years are as small as e^-1000: their logarithms are given.
        "log p": MODEL.log_joint,
        "log q": MODEL.log_prior,
    }
    rows = []
    for target, name, score in zip(document.targets, "rs", exact_score(y), strict=True):
        derivation = sc.derive(target.term, given=document)
        derived = sc.evaluate(derivation.result, values, given=document)
        autograd = sc.autodiff(SURROGATE, name, values=values, given=document)
        rows.append(Row(name, str(derivation.result), float(autograd), float(derived), float(score)))
    size = sc.evaluate(EFFECTIVE_SIZE, values, given=document)
    return Result(tuple(rows), float(size), particles)


def run(console: Console | None = None) -> Result:
    """The whole example, printed as a table with a sentence on what it shows."""
    console = console or Console(highlight=False)
    console.print(
        Text(
            f"100 annual flows, local-level model, r = {VARIANCES['r']:g}, s = {VARIANCES['s']:g}; "
            "1,000 trajectories from the prior, no resampling."
        )
    )
    result = compute()
    table = Table("variance", "torch autograd", "derived formula", "rel. diff.", "exact score")
    for row in result.rows:
        table.add_row(
            {"r": "r (level)", "s": "s (noise)"}[row.name],
            f"{row.autograd:.9e}",
            f"{row.derived:.9e}",
            f"{row.difference:.1e}",
            f"{row.exact:.6e}",
        )
    for row in result.rows:
        console.print(Text(f"derived: ∇{row.name} ⟶ {row.formula}", style="cyan"))
    console.print(table)
    console.print(
        Text(
            f"Autograd and the formula agree: both are the estimator. The exact score (Kalman filter) is "
            f"what it estimates; the distance is the sampling's: of {result.particles:,} "
            f"trajectories the weights leave {result.effective_size:.1f} effective ones (1/Σ w̄²), "
            "since none is ever resampled in 100 years."
        )
    )
    if not all(row.difference <= 1e-10 for row in result.rows):
        raise SystemExit("autograd and the derived formula differ by more than 1e-10")
    return result


if __name__ == "__main__":
    run()
