"""Speed of the kernel: steps per second over every certificate of the catalogue.

    python benchmarks/bench_replay.py             # a table
    python benchmarks/bench_replay.py --runs 5    # the fastest of five
    python benchmarks/bench_replay.py --profile   # where the time goes

Exit status 1 if the certificates together replay at less than the rate that the project states.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import sys
import time
from typing import Any

from rich.console import Console
from rich.table import Table

import surrogate_calculus as sc
from surrogate_calculus.estimators import ESTIMATORS, load_estimator

#: Steps per second that the project states.
RATE = 2_000


def certificates() -> list[tuple[str, Any]]:
    """The rows of the catalogue, each as it comes from a file."""
    return [
        (f"@{name}: {claim.name}", json.loads(json.dumps(claim.derive().certificate)))
        for name in ESTIMATORS
        for claim in load_estimator(name).claims
    ]


def seconds(certificate: Any, runs: int) -> float:
    """CPU seconds of the fastest replay."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        verdict = sc.check(certificate)
        times.append(time.process_time() - start)
        if not verdict:
            raise SystemExit(f"the kernel rejects a derivation: {verdict.reason}")
    return min(times)


def main() -> int:
    """Run, print, and say whether the bound is kept."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--runs", type=int, default=3, metavar="N", help="the fastest of N runs")
    options.add_argument("--profile", action="store_true", help="show the functions that take the time")
    given = options.parse_args()
    found = certificates()
    if given.profile:
        profile = cProfile.Profile()
        profile.enable()
        for _, certificate in found:
            sc.check(certificate)
        profile.disable()
        pstats.Stats(profile).sort_stats("tottime").print_stats(20)
        return 0
    table = Table(title="replay of the catalogue's certificates")
    table.add_column("certificate")
    for title in ("steps", "nodes", "ms", "steps/s"):
        table.add_column(title, justify="right")
    steps, total = 0, 0.0
    for name, certificate in found:
        taken = seconds(certificate, max(1, given.runs))
        count = len(certificate["steps"])
        table.add_row(
            name,
            f"{count:,}",
            f"{len(certificate['nodes']):,}",
            f"{1e3 * taken:.0f}",
            f"{count / taken:,.0f}",
        )
        steps, total = steps + count, total + taken
    table.add_section()
    table.add_row("all", f"{steps:,}", "", f"{1e3 * total:.0f}", f"{steps / total:,.0f}")
    Console(width=None if sys.stdout.isatty() else 110).print(table)
    kept = steps / total >= RATE
    print(f"{steps / total:,.0f} steps per second, {'at least' if kept else 'LESS THAN'} {RATE:,}")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
