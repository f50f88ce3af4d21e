"""Speed of the particle filters beside a plain hand-written loop, one thread, side by side.

The model is the linear Gaussian one of dimension 1, T = 200, bootstrap, systematic resampling at every step;
times are of forward and backward, the least of several rounds in which all take turns.

    python benchmarks/bench_filters.py [--particles 100 1000 10000] [--dtype float64 float32] [--rounds 5]
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from surrogate_calculus.numeric.filters import ParticleFilter
from surrogate_calculus.numeric.filters.online import online_score
from surrogate_calculus.numeric.models import ScalarLinearGaussian

STEPS = 200
MODEL = ScalarLinearGaussian()
NAMES = ("a", "log_q", "c", "log_r")


def data() -> Tensor:
    """Synthetic observations."""
    generator = torch.Generator().manual_seed(1)
    c, x = MODEL.natural({}), torch.zeros(())
    rows = []
    for t in range(1, STEPS + 1):
        x = MODEL.move(c, t, x.double(), torch.randn((), generator=generator, dtype=torch.float64))
        rows.append(MODEL.observe(c, t, x, generator))
    return torch.stack(rows)


def plain(y: Tensor, parameters: dict[str, Tensor], n: int, generator: torch.Generator) -> Tensor:
    """DPF as one writes it by hand: Algorithm 1 in log space, what does not change taken out of the loop."""
    a, c = parameters["a"], parameters["c"]
    sq, sr = torch.exp(parameters["log_q"] / 2), torch.exp(parameters["log_r"] / 2)
    half = 0.5 * math.log(2 * math.pi)
    log_sq, log_sr = parameters["log_q"] / 2 + half, parameters["log_r"] / 2 + half
    dtype, log_n = y.dtype, math.log(n)
    x = torch.randn(n, generator=generator, dtype=dtype)
    log_w = torch.full((n,), -log_n, dtype=dtype)
    steps = torch.arange(n, dtype=dtype)
    total = torch.zeros((), dtype=dtype)
    for t in range(len(y)):
        with torch.no_grad():
            sums = torch.cumsum(torch.exp(log_w), 0)
            points = (steps + torch.rand((), generator=generator, dtype=dtype)) / n
            ancestors = torch.searchsorted(sums, points).clamp_(max=n - 1)
        chosen = log_w[ancestors]
        mean = a * x[ancestors]
        x = (mean + sq * torch.randn(n, generator=generator, dtype=dtype)).detach()
        log_f = -0.5 * ((x - mean) / sq) ** 2 - log_sq
        log_g = -0.5 * ((y[t] - c * x) / sr) ** 2 - log_sr
        log_w = (chosen - chosen.detach() - log_n) + (log_f - log_f.detach()) + log_g
        step = torch.logsumexp(log_w, 0)
        total = total + step
        log_w = log_w - step
    return total


def check(y: Tensor) -> None:
    """The loop estimates what the filters do: scores of 200 runs, within 5 standard errors."""
    generator = torch.Generator().manual_seed(3)
    found: list[list[Tensor]] = [[], []]
    for _ in range(200):
        for k, run in enumerate(contenders(y[:20], 20, torch.float64)[n] for n in ("by hand", "DPF-SGR")):
            torch.manual_seed(int(torch.randint(2**31, (), generator=generator)))
            found[k].append(torch.stack(run()))
    a, b = (torch.stack(rows) for rows in found)
    error = (a.mean(0) - b.mean(0)).abs() / ((a.var(0) + b.var(0)) / 200).sqrt()
    assert float(error.max()) < 5, f"the loop written by hand estimates something else: {error.tolist()}"


def contenders(y: Tensor, n: int, dtype: torch.dtype) -> dict[str, Callable[[], Any]]:
    """What takes turns, by name."""
    y = y.to(dtype)
    generator = torch.Generator().manual_seed(int(torch.randint(2**31, ())))

    def leaves() -> dict[str, Tensor]:
        return {name: v.to(dtype).requires_grad_() for name, v in MODEL.defaults().items()}

    def by_hand() -> object:
        parameters = leaves()
        return torch.autograd.grad(plain(y, parameters, n, generator), list(parameters.values()))

    def ours(method: str, batch: tuple[int, ...] = ()) -> Callable[[], object]:
        how = ParticleFilter(n, method)  # type: ignore[arg-type]

        def run() -> object:
            parameters = leaves()
            found = how.run(MODEL, y, parameters, generator=generator, batch=batch)
            return torch.autograd.grad(found.log_likelihood.sum(), list(parameters.values()))

        return run

    def online() -> object:
        return online_score(ParticleFilter(n), MODEL, y, leaves(), generator=generator)

    found = {"by hand": by_hand, "PF": ours("pf"), "DPF-SGR": ours("dpf"), "online": online}
    if n <= 100:
        found["DPF-SGR, 64 replicates"] = ours("dpf", (64,))
    return found


def measured(runs: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Milliseconds of each: the least over rounds."""
    best = dict.fromkeys(runs, math.inf)
    for _ in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            run()
            best[name] = min(best[name], 1000 * (time.perf_counter() - start))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--particles", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--dtype", nargs="+", default=["float64", "float32"], choices=["float64", "float32"])
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(1)
    y = data()
    check(y)
    print(f"linear Gaussian, T = {STEPS}, systematic every step; forward + backward, ms; one thread")
    for dtype in args.dtype:
        for n in args.particles:
            ms = measured(contenders(y, n, getattr(torch, dtype)), args.rounds)
            hand, pf, dpf, online = (ms[k] for k in ("by hand", "PF", "DPF-SGR", "online"))
            line = (
                f"{dtype} N = {n:>6}: by hand {hand:7.1f}  PF {pf:7.1f}  DPF-SGR {dpf:7.1f}"
                f"  online {online:7.1f}"
                f"   DPF/PF {dpf / pf:.2f} (goal 1.1)  DPF/hand {dpf / hand:.2f} (goal 0.9)"
                f"  online/hand {online / hand:.2f} (goal 0.5)"
            )
            many = ms.get("DPF-SGR, 64 replicates")
            if many is not None:
                line += f"  64 replicates {many:.1f}, {64 * dpf / many:.0f}x cheaper each (goal 15),"
                line += f" {64 * hand / many:.0f}x than by hand"
            print(line, flush=True)


if __name__ == "__main__":
    main()
