"""Random changes of every certificate of the catalogue: does the kernel accept anything that is false?

    python benchmarks/mutate_certificates.py                 # 20,000 mutants, some minutes
    python benchmarks/mutate_certificates.py --count 2000 --seed 5
    python benchmarks/mutate_certificates.py --judged 1      # the model is asked about what is rejected, too

A step is drawn, made the claim of a certificate of its own, and changed; the kernel accepts or rejects the
change, and the two-copy model says whether what it accepts is so (``tests/kernel/mutations.py``).  The same
seed makes the same mutants.  Exit status 1 if a false claim was accepted.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

_ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests"), str(_ROOT / "tests" / "kernel")]

from mutations import KINDS, Tally, certificates, run  # noqa: E402

_COLUMNS = (
    "rejected",
    "rejected, false",
    "rejected, true",
    "accepted, true",
    "accepted, not judged",
    "accepted, false",
)


def table(tally: Tally) -> Table:
    """The outcomes by kind of change."""
    out = Table(
        title="mutants by kind of change", caption="rejected, false and true: where the model was asked"
    )
    out.add_column("change")
    for column in ("mutants", *_COLUMNS):
        out.add_column(column, justify="right")
    for kind in KINDS:
        row = [tally.counts[kind, column] for column in _COLUMNS]
        out.add_row(kind, *(f"{n:,}" for n in (sum(row), *row)))
    out.add_section()
    row = [tally.total(column) for column in _COLUMNS]
    out.add_row("all", *(f"{n:,}" for n in (sum(row), *row)))
    return out


def main() -> int:
    """Run, print, and say whether the kernel is sound as far as this sees."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--count", type=int, default=20_000, metavar="N", help="how many mutants")
    options.add_argument("--seed", type=int, default=1, help="makes the same mutants again")
    options.add_argument(
        "--judged", type=float, default=0.1, metavar="SHARE", help="of the rejected that the model judges too"
    )
    options.add_argument(
        "--save", type=Path, metavar="FOLDER", help="where to write what is false and accepted"
    )
    given = options.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 130)
    start = time.perf_counter()
    found = list(certificates())
    steps = sum(len(c["steps"]) for _, c in found)
    console.print(f"{len(found)} certificates with {steps:,} steps")
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("mutants", total=given.count)
        tally = run(
            found,
            given.count,
            given.seed,
            judged=given.judged,
            progress=lambda done, false: bar.update(
                task, completed=done, description=f"mutants, {false} false and accepted"
            ),
        )
    console.print(table(tally))
    false = tally.total("accepted, false")
    accepted = tally.total("accepted, true", "accepted, not judged", "accepted, false")
    console.print(f"{tally.total():,} mutants of {len(tally.steps):,} steps; seed {given.seed}")
    console.print(f"rejected                 {tally.total() - accepted:>7,}")
    console.print(f"accepted and true        {tally.total('accepted, true'):>7,}")
    console.print(f"accepted, not judged     {tally.total('accepted, not judged'):>7,}   since:")
    for reason, count in tally.open.most_common(6):
        console.print(f"  {count:>5}  {reason.splitlines()[0][:100]}", markup=False)
    console.print(f"false and accepted       {false:>7,}")
    console.print(f"{time.perf_counter() - start:.0f} s")
    for number, outcome in enumerate(tally.false):
        console.print(f"FALSE: {outcome.kind} of a step by {outcome.rule}", style="bold red")
        if given.save is not None:
            given.save.mkdir(parents=True, exist_ok=True)
            text = json.dumps(outcome.certificate, ensure_ascii=False)
            (given.save / f"{number}.json").write_text(text, encoding="utf-8")
    return 1 if false else 0


if __name__ == "__main__":
    sys.exit(main())
