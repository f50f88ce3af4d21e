"""Figure 3 of the paper: the parameters of a stochastic volatility model, learnt by DPF-OT, DPF-SGR and PF.

The model is that of section 11.1, x₀ ~ N(0, σ²/(1 - φ²)), x_t = μ (1 - φ) + φ x_{t-1} + N(0, σ²), y_t =
exp(x_t/2) N(0, 1), T = 100, with μ = 2, φ = 0.9, σ = 1.  Adam climbs the log Ẑ of a bootstrap filter that is
resampled when its effective sample size falls below N/2.  What is shown is how far the parameters are from
the truth in the course of training, and the time of one forward and one backward pass.

PF and DPF-SGR differentiate the weights of constant particles; DPF-OT moves particles by transports and
differentiates them too.  ``exact`` is the same training with the gradient of the likelihood itself, the state
being integrated out on a grid: what is left of the error then is that of 100 observations.

Several series are fitted side by side, as replicates of one run.  Run ``python
examples/experiments/figure3.py``; ``--help`` lists what can be changed.
"""

from __future__ import annotations

import math
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from statistics import fmean, stdev
from typing import Any

import torch
from common import COLOURS, Results, arguments, carried_out, main, shards_of, subplots
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.execution import Shard
from surrogate_calculus.numeric.filters import ParticleFilter, Transport
from surrogate_calculus.numeric.models import StochasticVolatility, draw_observations

MODEL = StochasticVolatility()
TRUTH = {"mu": 2.0, "phi": 0.9, "sigma": 1.0}
#: The paper does not say where training starts.
START = StochasticVolatility(mu=0.0, phi=0.5, sigma=0.5)
METHODS = {"ot": "DPF-OT", "dpf": "DPF-SGR", "pf": "PF"}
#: What is timed.  The derivative of one Sinkhorn iteration is cheap; that of all of them is the right one.
TIMED = {"ot": "DPF-OT, all iterations", "ot-last": "DPF-OT, last iteration", "dpf": "DPF-SGR", "pf": "PF"}
#: Points of the grid of the exact likelihood, and where it ends.
GRID, ENDS = 161, (-14.0, 18.0)
#: Epochs between two that are kept.
EVERY = 5


def simulated(steps: int, series: int, seed: int) -> Tensor:
    """Observations of the model with the true parameters, (steps, series)."""
    return draw_observations(MODEL, steps, series, torch.Generator().manual_seed(seed))


def exact(y: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
    """log p(y) of each series, (series,), the state integrated over a grid by the trapezoidal rule.

    Args:
        y: (T, series).
        parameters: each (series,).
    """
    grid = torch.linspace(*ENDS, GRID, dtype=torch.float64)
    step = math.log((ENDS[1] - ENDS[0]) / (GRID - 1))
    c = MODEL.natural({name: v.reshape(-1, 1) for name, v in parameters.items()})
    pairs = MODEL.natural({name: v.reshape(-1, 1, 1) for name, v in parameters.items()})
    moves = torch.exp(MODEL.log_transition(pairs, 2, grid, grid.unsqueeze(-1)) + step)
    belief = torch.softmax(MODEL.log_initial(c, grid), -1)
    total = torch.zeros(y.shape[1], dtype=torch.float64)
    for row in y:
        density = MODEL.log_observation(c, 1, row.unsqueeze(-1), grid)
        top = density.detach().amax(-1, keepdim=True)
        joint = (belief.unsqueeze(1) @ moves).squeeze(1) * torch.exp(density - top)
        mass = joint.sum(-1, keepdim=True)
        total = total + (torch.log(mass) + top).squeeze(-1)
        belief = joint / mass
    return total


def filter_of(method: str, particles: int) -> ParticleFilter:
    """The filter of a method, resampled below an effective sample size of N/2."""
    if method.startswith("ot"):
        how = Transport(gradient="last" if method == "ot-last" else "unrolled")
        return ParticleFilter(particles, "ot", gradient="reparameterised", when=0.5, transport=how)
    return ParticleFilter(particles, "pf" if method == "pf" else "dpf", when=0.5)


def started(series: int) -> dict[str, Tensor]:
    """The parameters that training starts from, of each series its own."""
    return {name: v.repeat(series).requires_grad_() for name, v in START.defaults().items()}


def natural(parameters: Mapping[str, Tensor]) -> dict[str, list[float]]:
    """μ, φ and σ of each series."""
    c = MODEL.natural({name: v.detach() for name, v in parameters.items()})
    return {name: [round(v, 4) for v in values.tolist()] for name, values in c._asdict().items()}


def train(shard: Shard) -> dict[str, Any]:
    """One run: parameters after some of the epochs, and the exact log-likelihood where it ends.

    Training ends early where the filter breaks down: a parameter so far off that no particle has weight.
    """
    torch.set_num_threads(1)
    s = shard.settings
    y = simulated(s["steps"], s["series"], shard.seed)
    generator = torch.Generator().manual_seed(shard.seed + 1)
    parameters = started(s["series"])
    optimiser = torch.optim.Adam(parameters.values(), lr=s["rate"])
    history, stopped = [natural(parameters)], ""
    for epoch in range(1, s["epochs"] + 1):
        optimiser.zero_grad()
        try:
            if s["method"] == "exact":
                value = exact(y, parameters)
            else:
                how = filter_of(s["method"], s["particles"])
                value = how.run(MODEL, y, parameters, generator=generator).log_likelihood
        except EvaluationError as error:
            stopped = error.what
            break
        (-value.sum()).backward()  # each series has parameters, and moments of Adam, of its own
        optimiser.step()
        if epoch % EVERY == 0:
            history.append(natural(parameters))
    with torch.no_grad():
        final = exact(y, parameters).tolist()
    curves = {name: [point[name] for point in history] for name in TRUTH}
    return {**curves, "final": [round(v, 2) for v in final], "stopped": stopped}


def timed(settings: Mapping[str, Any]) -> dict[str, float]:
    """Seconds of a forward and of a backward pass of one series, each the shortest of some repeats.

    Processor time of one thread: on a machine of one's own it is the wall-clock time, and what else runs on
    one makes no difference to it, or makes it longer.
    """
    torch.set_num_threads(1)
    y = simulated(settings["steps"], 1, settings["data"])[:, 0]
    how = filter_of(settings["method"], settings["particles"])
    rows = []
    for repeat in range(settings["repeats"] + 1):
        parameters = {name: v.requires_grad_() for name, v in MODEL.defaults().items()}
        began = time.process_time()
        value = how.run(MODEL, y, parameters, seed=repeat).log_likelihood
        middle = time.process_time()
        value.backward()
        rows.append((middle - began, time.process_time() - middle))
    forward, backward = zip(*rows[1:], strict=True)  # the first one warms up
    return {"forward": min(forward), "backward": min(backward)}


def times(args: Namespace) -> dict[tuple[str, int], dict[str, float]]:
    """Times of each method and N, one after the other in this process; those that the file has are kept."""
    results = Results(args.out / "figure3-times.jsonl", args.fresh)
    found = {}
    work = [(n, method) for n in args.times for method in TIMED]
    for n, method in track(work, "times", console=Console(stderr=True)):
        settings = {"method": method, "particles": n, "steps": args.steps}
        settings |= {"repeats": args.repeats, "data": args.seed}
        shard = Shard(0, args.seed, settings)
        if shard.key not in results.known:
            results.add(shard, timed(settings))
        found[method, n] = results.known[shard.key]
    return found


def errors(run: Mapping[str, Any], names: Sequence[str]) -> list[list[float]]:
    """Σ |estimate - truth| over some parameters: for each kept epoch, of each series."""
    rows = zip(*(run[name] for name in names), strict=True)
    return [
        [sum(abs(v - TRUTH[n]) for n, v in zip(names, one, strict=True)) for one in zip(*row, strict=True)]
        for row in rows
    ]


def joined(runs: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[list[float]]:
    """The same over several runs; one that broke down stays where it was."""
    found = [errors(run, names) for run in runs]
    longest = max(len(rows) for rows in found)
    padded = [rows + rows[-1:] * (longest - len(rows)) for rows in found]
    return [[v for rows in epoch for v in rows] for epoch in zip(*padded, strict=True)]


def told(values: Sequence[float]) -> str:
    """Mean and standard error over series."""
    error = f" ± {stdev(values) / math.sqrt(len(values)):.2f}" if len(values) > 1 else ""
    return f"{fmean(values):.2f}{error}"


def tables(
    runs: Mapping[str, Sequence[Mapping[str, Any]]],
    truth: Sequence[float],
    clock: Mapping[tuple[str, int], Mapping[str, float]],
) -> tuple[Table, Table]:
    """Errors at the end of training beside log p(y) of the true parameters, and times."""
    first = Table(
        title="after the last epoch, mean ± standard error over series; log p(y) less that of the truth",
        title_justify="left",
    )
    for name in (
        "method",
        "|μ̂ - μ|",
        "|φ̂ - φ|",
        "|σ̂ - σ|",
        "sum",
        "log p(y)",
    ):
        first.add_column(name, justify="left" if name == "method" else "right")
    for method, group in runs.items():
        cells = [told(joined(group, names)[-1]) for names in (["mu"], ["phi"], ["sigma"], list(TRUTH))]
        final = [v for run in group for v in run["final"]]
        mark = " (broke down)" if any(run["stopped"] for run in group) else ""
        excess = told([v - own for v, own in zip(final, truth, strict=True)])
        first.add_row(METHODS.get(method, "exact gradient") + mark, *cells, excess)
    second = Table(title="forward + backward, milliseconds (and how many times PF's)", title_justify="left")
    sizes = list(dict.fromkeys(n for _, n in clock))
    second.add_column("method")
    for n in sizes:
        second.add_column(f"N = {n}", justify="right")
    for method, label in TIMED.items():
        cells = []
        for n in sizes:
            forward, backward = (1e3 * clock[method, n][k] for k in ("forward", "backward"))
            plain = 1e3 * sum(clock["pf", n].values())
            cells.append(f"{forward:.0f} + {backward:.0f}  ({(forward + backward) / plain:.2f}×)")
        second.add_row(label, *cells)
    return first, second


def plot(
    runs: Mapping[str, Sequence[Mapping[str, Any]]],
    clock: Mapping[tuple[str, int], Mapping[str, float]],
    args: Namespace,
) -> None:
    """The error of μ, that of all parameters, and times."""
    figure, axes = subplots(1, 3, (11.5, 3.4))
    panels = ((["mu"], "|μ̂ - μ|"), (list(TRUTH), "|μ̂ - μ| + |φ̂ - φ| + |σ̂ - σ|"))
    for axis, (names, label) in zip(axes[0], panels, strict=False):
        for method, group in runs.items():
            rows = joined(group, names)
            epochs = [EVERY * k for k in range(len(rows))]
            colour = COLOURS.get(method, "black")
            style = {"ls": "--", "lw": 1.0} if method == "exact" else {"lw": 1.6}
            if method != "exact":
                for one in zip(*rows, strict=True):
                    axis.plot(epochs, one, color=colour, lw=0.6, alpha=0.25)
            mean = [fmean(row) for row in rows]
            axis.plot(epochs, mean, color=colour, label=METHODS.get(method, "exact gradient"), **style)
        axis.set_xlabel("epoch")
        axis.set_ylabel(label)
        axis.set_ylim(bottom=0)
        axis.set_xlim(0, args.epochs)
    axes[0, 0].legend(frameon=False, fontsize=8)
    axis = axes[0, 2]
    styles = {"ot": "-", "ot-last": "--", "dpf": "-", "pf": "--"}
    for method, label in TIMED.items():
        points = [(n, 1e3 * sum(row.values())) for (m, n), row in clock.items() if m == method]
        colour = COLOURS[method.removesuffix("-last")]
        axis.plot(*zip(*points, strict=True), styles[method], marker="o", ms=3, color=colour, label=label)
    axis.set_xscale("log")
    axis.set_yscale("log")
    axis.set_ylim(bottom=500 * min(sum(row.values()) for row in clock.values()))
    sizes = sorted({n for _, n in clock})
    axis.set_xticks(sizes, [str(n) for n in sizes])
    axis.minorticks_off()
    axis.set_xlabel("N")
    axis.set_ylabel("forward + backward, ms")
    axis.legend(frameon=False, fontsize=8)
    figure.savefig(args.out / "figure3.png", dpi=100)


def run() -> None:
    """The experiment."""
    parser = arguments("Figure 3: stochastic volatility by DPF-OT, DPF-SGR and PF.", seeds=1)
    parser.add_argument("--series", type=int, default=6, help="fitted side by side, a replicate (default 6)")
    parser.add_argument("--particles", type=int, default=25, help="N of training (default 25)")
    parser.add_argument("--epochs", type=int, default=500, help="gradient steps (default 500)")
    parser.add_argument("--steps", type=int, default=100, help="T (default 100)")
    parser.add_argument("--rate", type=float, default=0.01, help="of Adam (default 0.01)")
    parser.add_argument("--times", type=int, nargs="+", default=[25, 50, 100, 200], help="N that are timed")
    parser.add_argument("--repeats", type=int, default=7, help="of a time (default 7)")
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=list(METHODS))
    args = parser.parse_args()
    if args.quick:  # what is asked for by name counts
        parser.set_defaults(series=2, epochs=20, rate=0.1, times=[25, 50], repeats=2)
        args = parser.parse_args()
    for name in ("series", "epochs", "steps", "repeats"):
        if getattr(args, name) < 1:
            raise EvaluationError(f"--{name} cannot be {getattr(args, name)}", instead="1, 2, 3, …")
    if not 0 < args.rate < math.inf:
        raise EvaluationError(f"--rate cannot be {args.rate}", instead="a positive number")
    for n in (args.particles, *args.times):
        ParticleFilter(n)  # says what is wrong with a number that cannot be
    shared = {name: getattr(args, name) for name in ("series", "epochs", "steps", "rate")}
    settings = [{"method": m, "particles": args.particles, **shared} for m in args.methods]
    shards = shards_of([*settings, {"method": "exact", **shared}], args)
    runs: dict[str, list[Any]] = {}
    for shard, result in zip(shards, carried_out("figure3", train, shards, args), strict=True):
        runs.setdefault(shard.settings["method"], []).append(result)
    clock = times(args)
    own = {name: v.repeat(args.series) for name, v in MODEL.defaults().items()}
    exacts = [s for s in shards if s.settings["method"] == "exact"]
    truth = [v for s in exacts for v in exact(simulated(args.steps, args.series, s.seed), own).tolist()]
    console = Console()
    for one in tables(runs, truth, clock):
        console.print(one)
    plot(runs, clock, args)


if __name__ == "__main__":
    main(run)
