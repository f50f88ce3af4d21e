"""Figure 1 and the linear Gaussian half of Table 1 of the paper: learning two numbers by four filters.

The model is that of Le et al. (2018), section 5.1: x₁ ~ N(0, 1), x_t = θ₁ x_{t-1} + N(0, 1), y_t = θ₂ x_t +
N(0, 0.1), T = 200, with θ = (0.9, 1).  Starting from θ = (0.1, 0.1), Adam climbs the log Ẑ of a bootstrap
filter, whose gradient each of the methods takes in its own way; the forward pass is the same.  What is shown
is the exact log-likelihood of a test set (Kalman filter), in the course of training.  ``exact`` is the same
training with the score of the Kalman filter.

Run ``python examples/experiments/figure1.py``; ``--help`` lists what can be changed.  With
``--executor dask --scheduler tcp://host:8786`` it runs on a cluster whose workers have this folder on their
PYTHONPATH.
"""

from __future__ import annotations

import math
from argparse import Namespace
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

import torch
from common import COLOURS, arguments, carried_out, main, shards_of, subplots
from rich.console import Console
from rich.table import Table
from torch import Tensor

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.exact import kalman_log_likelihood
from surrogate_calculus.numeric.execution import Shard
from surrogate_calculus.numeric.filters import ParticleFilter
from surrogate_calculus.numeric.models import ScalarLinearGaussian, draw_observations

METHODS = {"sis": "SIS", "pf": "PF", "pf-sf": "PF-SF", "dpf": "DPF-SGR"}
TRUTH = {"a": 0.9, "c": 1.0}
START = {"a": 0.1, "c": 0.1}
#: x₀ is 0, so that x₁ ~ N(0, 1) whatever the parameters, as Le et al. have it.
MODEL = ScalarLinearGaussian(a=0.9, c=1.0, q=1.0, r=0.1, variance=0.0)

#: Table 1 of the paper: best test log Z, mean and deviation, for N of 10 and 10,000.
PAPER = {
    (10, "pf-sf"): "-475.73 ± 55.69",
    (10, "sis"): "-2742.99 ± 279.97",
    (10, "pf"): "-300.46 ± 2.62",
    (10, "dpf"): "-292.70 ± 1.28",
    (10_000, "pf-sf"): "-1038.85 ± 176.02",
    (10_000, "sis"): "-343.65 ± 15.61",
    (10_000, "pf"): "-290.04 ± 0.00",
    (10_000, "dpf"): "-290.08 ± 0.02",
}


def data(settings: Mapping[str, Any]) -> tuple[Tensor, Tensor]:
    """Training and test set, (T, sequences): the same for every run."""
    generator = torch.Generator().manual_seed(settings["data"])
    train = draw_observations(MODEL, settings["steps"], settings["sequences"], generator)
    return train, draw_observations(MODEL, settings["steps"], settings["tests"], generator)


def exact_mean(y: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
    """The mean over sequences (T, sequences) of log p(y), of the batch shape of the parameters."""
    return torch.stack([kalman_log_likelihood(MODEL, row, parameters) for row in y.unbind(1)]).mean(0)


def tested(y: Tensor, history: Mapping[str, Sequence[float]]) -> list[float]:
    """The exact mean at each of the parameters; -∞ where the Kalman filter overflows."""
    points = {name: torch.tensor(values, dtype=torch.float64) for name, values in history.items()}
    with torch.no_grad():
        try:
            return exact_mean(y, points).tolist()
        except torch.linalg.LinAlgError:
            count = len(next(iter(history.values())))
            if count == 1:
                return [-math.inf]
            each = [{name: values[i : i + 1] for name, values in history.items()} for i in range(count)]
            return [tested(y, point)[0] for point in each]


def train(shard: Shard) -> dict[str, Any]:
    """One run: parameters and test log-likelihood after each epoch, from 0.

    Training ends early where the filter breaks down: a parameter so far off that no particle has weight.
    """
    torch.set_num_threads(1)
    s = shard.settings
    y, tests = data(s)
    generator = torch.Generator().manual_seed(shard.seed)
    parameters = {
        name: torch.tensor(value, dtype=torch.float64, requires_grad=True) for name, value in START.items()
    }
    optimiser = torch.optim.Adam(parameters.values(), lr=s["rate"])
    history: dict[str, list[float]] = {name: [float(v.detach())] for name, v in parameters.items()}
    stopped = ""
    for _ in range(s["epochs"]):
        optimiser.zero_grad()
        try:
            if s["method"] == "exact":
                value = exact_mean(y, parameters)
            else:
                how = ParticleFilter(s["particles"], s["method"], scheme="multinomial")
                value = how.run(MODEL, y, parameters, generator=generator).log_likelihood.mean()
        except EvaluationError as error:
            stopped = error.what
            for values in history.values():  # what it broke down at is no result
                values.pop()
            break
        (-value).backward()
        optimiser.step()
        for name, v in parameters.items():
            history[name].append(float(v.detach()))
    values = tested(tests, history)
    return {
        "a": [round(v, 4) for v in history["a"]],
        "c": [round(v, 4) for v in history["c"]],
        "test": [round(v, 2) if math.isfinite(v) else None for v in values],
        "stopped": stopped,
    }


def best(run: Mapping[str, Any]) -> float:
    """The best test value in the course of training: what the paper's table has."""
    return max(v for v in run["test"] if v is not None)


def told(values: Sequence[float]) -> str:
    """Mean and deviation over seeds; a dash where none has a value."""
    if not values:
        return "–"
    return f"{fmean(values):.2f}" + (f" ± {stdev(values):.2f}" if len(values) > 1 else "")


def table(runs: Mapping[tuple[int, str], list[dict[str, Any]]], optimum: float, truth: float) -> Table:
    """The table, beside the paper's numbers."""
    found = Table(
        title=f"test log Z; true parameters {truth:.2f}, trained with the exact score {optimum:.2f}",
        title_justify="left",
    )
    for name in ("N", "method", "best", "at the end", "θ then", "paper, best"):
        found.add_column(name, justify="left" if name == "method" else "right")
    for (n, method), group in runs.items():
        last = [run["test"][-1] for run in group if run["test"][-1] is not None]
        theta = ", ".join(f"{fmean(run[name][-1] for run in group):.2f}" for name in ("a", "c"))
        paper = PAPER.get((n, method)) or (f"{PAPER[10_000, method]} (10k)" if n >= 1000 else "–")
        mark = f" ({sum(bool(run['stopped']) for run in group)} broke down)" if any(
            run["stopped"] for run in group
        ) else ""  # fmt: skip
        found.add_row(
            str(n), METHODS[method], told([best(r) for r in group]), told(last) + mark, theta, paper
        )
    return found


def plot(
    runs: Mapping[tuple[int, str], list[dict[str, Any]]], reference: Mapping[str, Any], args: Namespace
) -> None:
    """Test log Z against epochs, a column for each N; below, the same zoomed in."""
    columns = list(dict.fromkeys(n for n, _ in runs))
    figure, axes = subplots(2, len(columns), (4.2 * len(columns), 5.6))
    top = max(best(reference), max(best(r) for group in runs.values() for r in group))
    for column, n in enumerate(columns):
        for row in (0, 1):
            axis = axes[row, column]
            for method, label in METHODS.items():
                group = runs.get((n, method), [])
                for i, run in enumerate(group):
                    curve = [math.nan if v is None else v for v in run["test"]]
                    axis.plot(curve, color=COLOURS[method], lw=1.1, alpha=0.8, label=None if i else label)
            axis.plot(reference["test"], color="black", lw=0.9, ls="--", label="exact score")
            axis.set_xlim(0, args.epochs)
        axes[0, column].set_title(f"N = {n}", fontsize=10)
        axes[1, column].set_ylim(top - 40, top + 3)
        axes[1, column].set_xlabel("epoch")
    for row, label in ((0, "test log Z"), (1, "test log Z, zoomed in")):
        axes[row, 0].set_ylabel(label)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, ncols=len(labels), loc="outside upper center")
    figure.savefig(args.out / "figure1.png", dpi=110)


def run() -> None:
    """The experiment."""
    parser = arguments("Figure 1 and the LGSSM half of Table 1: SIS, PF, PF-SF and DPF-SGR.", seeds=3)
    parser.add_argument("--particles", type=int, nargs="+", default=[10, 1000], help="N (default 10 1000)")
    parser.add_argument("--epochs", type=int, default=200, help="gradient steps (default 200)")
    parser.add_argument("--steps", type=int, default=200, help="T (default 200)")
    parser.add_argument("--sequences", type=int, default=2, help="of the training set (default 2)")
    parser.add_argument("--tests", type=int, default=10, help="sequences of the test set (default 10)")
    parser.add_argument("--rate", type=float, default=0.02, help="of Adam (default 0.02)")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    args = parser.parse_args()
    if args.quick:  # what is asked for by name counts
        parser.set_defaults(particles=[10, 50], epochs=30, seeds=1, sequences=2, rate=0.05)
        args = parser.parse_args()
    for name in ("epochs", "steps", "sequences", "tests"):
        if getattr(args, name) < 1:
            raise EvaluationError(f"--{name} cannot be {getattr(args, name)}", instead="1, 2, 3, …")
    if not 0 < args.rate < math.inf:
        raise EvaluationError(f"--rate cannot be {args.rate}", instead="a positive number")
    for n in args.particles:
        ParticleFilter(n)  # says what is wrong with a number that cannot be
    shared = {name: getattr(args, name) for name in ("epochs", "steps", "sequences", "tests", "rate")}
    shared["data"] = args.seed
    settings = [{"method": m, "particles": n, **shared} for n in args.particles for m in args.methods]
    shards = shards_of(settings, args)
    exact = Shard(len(shards), 0, {"method": "exact", **shared})
    *found, reference = carried_out("figure1", train, [*shards, exact], args)
    runs: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for shard, result in zip(shards, found, strict=True):
        runs.setdefault((shard.settings["particles"], shard.settings["method"]), []).append(result)
    runs = dict(sorted(runs.items(), key=lambda item: item[0][0]))
    tests = data(exact.settings)[1]
    truth = float(exact_mean(tests, {k: torch.tensor(v, dtype=torch.float64) for k, v in TRUTH.items()}))
    # Wide enough for the table, also where the output is a file.
    Console(width=max(100, Console().width)).print(table(runs, reference["test"][-1], truth))
    plot(runs, reference, args)


if __name__ == "__main__":
    main(run)
