"""Somebody else's filter held to the derived formulas: pydpf's stop-gradient filters, pathwise.

Each runs on the linear Gaussian model 20 times; its particles and ancestors go into the formula
derived from the document of the catalogue, and autograd's derivatives of its log Ẑ must be the formula's.

    python benchmarks/verify_pydpf.py [--particles 6] [--steps 8]

pydpf is installed first, see ``pydpf_environment.py``.  Exit status 1 where something disagrees or pydpf
fails, 2 where it cannot be had.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from pydpf_environment import PydpfError, PydpfWorker
from rich.console import Console
from rich.table import Table
from torch import Tensor

from surrogate_calculus import evaluate
from surrogate_calculus.estimators import load_estimator
from surrogate_calculus.numeric.models import ScalarLinearGaussian
from surrogate_calculus.numeric.verify import pathwise

#: The filter of pydpf, the worker's name for it, replicates at once, and the document that it should be.
FILTERS = [
    ("StopGradientDPF", "stop-gradient", 20, "dpf"),
    ("MarginalStopGradientDPF", "marginal", 20, "dpf2"),
    ("where ESS < N/2, and at t = 1", "adaptive", 1, "dpf_adaptive"),
    ("the same, 20 replicates at once", "adaptive", 20, "dpf_adaptive"),
    ("where ESS < N/2", "as given", 1, "dpf_adaptive"),
]
MODEL = ScalarLinearGaussian()
REPLICATES = 20


def together(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Runs as replicates of one."""
    found: dict[str, Any] = {key: torch.cat([r[key] for r in runs], 1) for key in ("x", "a")}
    found["log_likelihood"] = torch.cat([r["log_likelihood"] for r in runs])
    for key in ("first", "second"):
        found[key] = {name: torch.cat([r[key][name] for r in runs]) for name in runs[0][key]}
    return found


def values(run: dict[str, Any], y: Tensor, name: str, document: str) -> dict[str, Any]:
    """A run as values of the document's names, θ being the parameter of that name."""

    def natural(θ: Tensor) -> Any:
        return MODEL.natural({**MODEL.defaults(), name: θ})

    def log_q(x: Tensor, z: Tensor, φ: Tensor) -> Tensor:
        return MODEL.log_transition(natural(φ), 2, x, z)

    def log_p(x: Tensor, y: Tensor, z: Tensor, θ: Tensor) -> Tensor:
        return MODEL.log_transition(natural(θ), 2, x, z) + MODEL.log_observation(natural(θ), 2, y, x)

    θ = MODEL.defaults()[name].expand(REPLICATES)
    found = {"N": run["x"].shape[-1], "T": len(y), "y": y, "θ": θ, "φ": θ, "log p": log_p}
    found |= {"x": run["x"].movedim(-1, 1), "a": run["a"].movedim(-1, 1) + 1}
    found["log q"] = (lambda x, z, y, φ: log_q(x, z, φ)) if document == "dpf2" else log_q
    if document == "dpf_adaptive":
        found["r"] = found["a"]
    return found


def main() -> int:
    """Run, print, and say whether all agree."""
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--particles", type=int, default=6)
    options.add_argument("--steps", type=int, default=8)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    generator = torch.Generator().manual_seed(given.seed)
    y = torch.randn(given.steps, generator=generator, dtype=torch.float64)
    table = Table(title=f"pydpf, pathwise, N = {given.particles}, T = {given.steps}, {REPLICATES} runs")
    for column in ("filter of pydpf", "document", "what", "deviation / Σ|summands|", "tolerance", "verdict"):
        table.add_column(column)
    agrees = True
    with PydpfWorker() as pydpf, tempfile.TemporaryDirectory() as folder:
        for title, kind, at_once, document in FILTERS:
            path = Path(folder) / "run.pt"
            runs, resampled = [], 0.0
            try:
                for k in range(REPLICATES // at_once):
                    request = {"filter": kind, "particles": given.particles, "replicates": at_once}
                    request |= {"seed": given.seed + k, "observations": y.tolist(), "path": str(path)}
                    resampled += pydpf.ask(do="trace", **request)["resampled"]
                    runs.append(torch.load(path))
            except PydpfError as error:
                table.add_row(title, f"@{document}", "a run", "", "", f"pydpf raises {error}")
                table.add_section()
                agrees = False
                continue
            run = together(runs)
            title += f", {resampled / len(runs):.0%} of steps resampled" if resampled < len(runs) else ""
            at = values(run, y, "a", document)
            level = torch.as_tensor(evaluate("log Z", at, given=load_estimator(document).document))
            off = float((level - run["log_likelihood"]).abs().max())
            fine = off <= 1e-10 * float(level.abs().max())
            agrees &= fine
            table.add_row(title, f"@{document}", "log Ẑ", f"{off:.1e}", "1e-10", word(fine))
            for order, derivative in enumerate(("first", "second"), 1):
                for name, found in run[derivative].items():
                    finding = pathwise.compare_pathwise(
                        document, "log Z", autograd=found, values=values(run, y, name, document), order=order
                    )
                    agrees &= finding.outcome == "agrees"
                    what = f"∂{'²' * (order - 1)} log Ẑ / ∂{name}{'²' * (order - 1)}"
                    shown = f"{finding.deviation:.1e}", f"{finding.tolerance:.0e}", finding.outcome
                    table.add_row(title, f"@{document}", what, *shown)
            table.add_section()
    Console(width=None if sys.stdout.isatty() else 150).print(table)
    return 0 if agrees else 1


def word(fine: bool) -> str:
    return "agrees" if fine else "disagrees"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except PydpfError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
