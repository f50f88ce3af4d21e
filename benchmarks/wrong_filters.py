"""Filters with one wrong line each: does the verifier say so, and name what is wrong?

    python benchmarks/wrong_filters.py               # all of them, a minute or two
    python benchmarks/wrong_filters.py --only DiCE   # those whose name contains a text
    python benchmarks/wrong_filters.py --list

Each is a copy of the package with one line replaced (``tests/numeric/verify/filter_mutants.py``); the checks
are those of ``surrogate verify``.  First the package itself must pass the same checks.  Exit status 1 if a
wrong filter passes, or the right one fails.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress

_ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests" / "numeric" / "verify")]

from filter_mutants import MUTANTS, PACKAGE, Mutant, failing, mutated  # noqa: E402


def right(chosen: list[Mutant], console: Console) -> int:
    """Check the package itself as its mutants are checked; how many checks it fails."""
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder)
        shutil.copytree(_ROOT / PACKAGE, target / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
        asked = {(m.filter, m.scene, m.kinds, m.size): m for m in chosen}
        for mutant in asked.values():
            found, _ = failing(mutant, target)
            if found is not None:
                wrong += 1
                console.print(f"the right filter FAILS: {found.claim}: {found.quantity}", style="bold red")
    return wrong


def main() -> int:
    """Run, print, and say whether all of them are caught."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--only", default="", metavar="TEXT", help="those whose name contains it")
    options.add_argument("--list", action="store_true", help="say what there is")
    given = options.parse_args()
    console = Console(width=None if sys.stdout.isatty() else 160)
    torch.set_num_threads(1)
    chosen = [m for m in MUTANTS if given.only.lower() in m.name.lower()]
    if given.list or not chosen:
        for mutant in chosen or MUTANTS:
            console.print(f"{mutant.file:14} {mutant.name}", markup=False)
        return 0 if chosen else 2
    start = time.perf_counter()
    missed, unseen = right(chosen, console), 0
    with Progress(console=Console(stderr=True), transient=True) as bar:
        for mutant in bar.track(chosen, description="wrong filters"):
            with tempfile.TemporaryDirectory() as folder:
                found, done = failing(mutant, mutated(mutant, Path(folder)))
            if found is not None:
                console.print(f"caught  {mutant.name} ({mutant.filter}, {mutant.scene})", markup=False)
                console.print(f"        {found.claim}", markup=False)
                console.print(f"        {found.quantity}: {found.deviation:.1e}; {found.note}", markup=False)
            elif done == 0:
                unseen += 1
                kinds = " or ".join(mutant.kinds)
                console.print(
                    f"        {mutant.name}: needs {kinds} checks, which are not there", markup=False
                )
            else:
                missed += 1
                console.print(f"MISSED  {mutant.name} ({mutant.filter}, {mutant.scene})", style="bold red")
    count = len(chosen) - unseen
    console.print(
        f"{count - missed} of {count} wrong filters caught, {unseen} not looked for; "
        f"{time.perf_counter() - start:.0f} s"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
