"""Time and memory of every row of the catalogue, from a document's text to its formula.

    python benchmarks/bench_estimators.py           # a table, some seconds
    python benchmarks/bench_estimators.py --runs 3  # the fastest of three

Each row is parsed, derived and printed anew, and its certificate is replayed (in a column of its own).
Exit status 1 if a stated bound is missed.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

from rich.console import Console
from rich.table import Table

import surrogate_calculus as sc
from surrogate_calculus.estimators import ESTIMATORS, load_estimator

#: Bounds that the project states: seconds for a row, seconds for all, bytes.
ROW, ALL, MEMORY = 1.0, 10.0, 500e6


def peak_bytes() -> float:
    """The most memory that this process has had so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def measure(text: str, position: int) -> tuple[float, float, int, str]:
    """CPU seconds to derive and to replay, the number of steps, and the formula."""
    start = time.process_time()
    document = sc.parse_document(text)
    derivation = sc.derive(document.targets[position].term, given=document)
    formula = derivation.to_unicode()
    derived = time.process_time()
    verdict = sc.check(derivation.certificate)
    if not verdict:
        raise sc.SurrogateError(f"the kernel rejects it: {verdict.reason}")
    return derived - start, time.process_time() - derived, verdict.steps, formula


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=1, metavar="N", help="the fastest of N runs")
    runs = max(1, parser.parse_args().runs)
    sc.derive("f(x;θ)", "θ")  # what is loaded once: the grammar, the rules
    table = Table(title="the catalogue: from a document's text to its formula")
    table.add_column("row")
    for title in ("derive, s", "replay, s", "kernel steps", "characters"):
        table.add_column(title, justify="right")
    times, late = [], []
    for name in ESTIMATORS:
        entry = load_estimator(name)
        for position, claim in enumerate(entry.claims):
            row = f"@{name}: {claim.name}"
            try:
                found = min(measure(entry.document.text, position) for _ in range(runs))
            except sc.SurrogateError as error:
                table.add_row(row, "not derived", "", "", "")
                late.append(f"{row}: {error.what}")
                continue
            derived, replayed, steps, formula = found
            times.append(derived)
            table.add_row(row, f"{derived:.2f}", f"{replayed:.2f}", f"{steps:,}", f"{len(formula):,}")
            if derived > ROW:
                late.append(f"{row}: {derived:.2f} s, over {ROW:g} s")
    peak = peak_bytes()
    table.add_section()
    table.add_row("all", f"{sum(times):.2f}", "", "", "")
    Console(width=None if sys.stdout.isatty() else 110).print(table)
    print(f"peak memory {peak / 1e6:.0f} MB")
    if sum(times) > ALL:
        late.append(f"all rows: {sum(times):.2f} s, over {ALL:g} s")
    if peak > MEMORY:
        late.append(f"memory: {peak / 1e6:.0f} MB, over {MEMORY / 1e6:.0f} MB")
    print("\n".join(late) if late else "every bound is kept")
    raise SystemExit(1 if late else 0)


if __name__ == "__main__":
    main()
