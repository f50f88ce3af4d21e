"""What the experiments share: the command line, runs that are kept as they end, and how plots look.

An experiment is a function of a :class:`Shard` whose result is what JSON has, and a list of settings.  Each
shard's seed is that of its replicate: runs of the same replicate have the same data and the same start,
whatever the method, so that methods are compared pairwise.  Results are JSON lines, written as they come; the
same command goes on where it was stopped.
"""

from __future__ import annotations

import json
import sys
import time
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from surrogate_calculus.errors import EvaluationError, SurrogateError
from surrogate_calculus.numeric.execution import EXECUTORS, Shard, open_executor, run_shards, shard_seed

__all__ = ["COLOURS", "Results", "arguments", "carried_out", "main", "shards_of", "subplots"]

#: How every line of a file of results begins.
_BEGINNING = '{"key": '

HERE = Path(__file__).resolve().parent

#: One colour for each method, in all plots (Okabe & Ito, for every kind of sight).
COLOURS = {
    "sis": "#999999",
    "pf": "#0072B2",
    "pf-sf": "#CC79A7",
    "dpf": "#D55E00",
    "ot": "#009E73",
    "soft": "#E69F00",
}


def arguments(description: str, seeds: int) -> ArgumentParser:
    """A parser with what every experiment takes.

    Args:
        description: what the experiment is, for ``--help``.
        seeds: how many replicates by default.
    """
    parser = ArgumentParser(description=description)
    parser.add_argument("--seeds", type=_positive, default=seeds, help=f"replicates (default {seeds})")
    parser.add_argument(
        "--seed", type=int, default=1, help="what the replicates' seeds come from (default 1)"
    )
    parser.add_argument("--executor", choices=EXECUTORS, default="local", help="who runs it (default local)")
    parser.add_argument("--workers", type=_positive, help="how many processes (default: one a processor)")
    parser.add_argument("--scheduler", help="of a running Dask cluster, tcp://host:8786")
    parser.add_argument("--out", type=Path, default=HERE / "results", help="folder of results and plots")
    parser.add_argument("--fresh", action="store_true", help="forget the results that are there")
    parser.add_argument("--quick", action="store_true", help="a small scale, to see that it runs")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


_positive.__name__ = "number"  # what argparse calls it: invalid number value


def shards_of(settings: Sequence[Mapping[str, Any]], args: Namespace) -> list[Shard]:
    """A shard for each of the settings and each replicate, replicate by replicate.

    Args:
        settings: of the methods; ``replicate`` is added to each.
        args: with ``seed`` and ``seeds``.
    """
    if args.seed < 0:
        raise EvaluationError(f"--seed cannot be {args.seed}", instead="0, 1, 2, …")
    work = [{**s, "replicate": r} for r in range(args.seeds) for s in settings]
    return [Shard(i, shard_seed(args.seed, s["replicate"]), s) for i, s in enumerate(work)]


class Results:
    """A file of results: for each shard a JSON object in a line of its own.

    Args:
        path: of the file; a last line that was cut off when it was written is passed over.
        fresh: whether to begin it anew.

    Raises:
        EvaluationError: a line that is no result; a folder that cannot be written to.
    """

    def __init__(self, path: Path, fresh: bool = False) -> None:
        self.path = path
        self.known: dict[str, Any] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if fresh:
                path.unlink(missing_ok=True)
            text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        except OSError as error:
            raise EvaluationError(
                f"{path} cannot be used: {error.strerror}", instead="--out with a folder to write to"
            ) from None
        whole = text[: text.rfind("\n") + 1]
        torn = text[len(whole) :]
        if not torn.startswith(_BEGINNING[: len(torn)]):
            whole = text  # somebody else's file, which is told below and left as it is
        for number, line in enumerate(whole.splitlines(), 1):
            try:
                row = json.loads(line)
                self.known[row["key"]] = row["result"]
            except (ValueError, KeyError, TypeError):
                raise EvaluationError(
                    f"{path}, line {number}: this is no result", instead="another --out; or --fresh"
                ) from None
        if whole != text:
            path.write_text(whole, encoding="utf-8")

    def add(self, shard: Shard, result: Any) -> None:
        """Write a shard's result down, at once."""
        row = {"key": shard.key, "seed": shard.seed, "settings": dict(shard.settings), "result": result}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")
        self.known[shard.key] = result


def carried_out(
    name: str, function: Callable[[Shard], Any], shards: Sequence[Shard], args: Namespace
) -> list[Any]:
    """The results of all shards, in their order; those that the file has are not computed again.

    Args:
        name: of the experiment, and of its file of results.
        function: of one shard, with a result that JSON has; workers import it.
        shards: the work.
        args: of :func:`arguments`.
    """
    results = Results(args.out / f"{name}.jsonl", args.fresh)
    known = sum(s.key in results.known for s in shards)
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    began = time.perf_counter()
    with (
        Progress(*columns, console=console) as progress,
        open_executor(args.executor, args.workers, args.scheduler) as executor,
    ):
        bar = progress.add_task(name, total=len(shards), completed=known)

        def told(shard: Shard, result: Any) -> None:
            results.add(shard, result)
            progress.advance(bar)

        found = run_shards(function, shards, executor, on_result=told, results=results.known)
    took = time.perf_counter() - began
    console.print(f"{len(shards) - known} runs in {took:.0f} s, {known} known; results in {results.path}")
    # Through JSON, so that what is plotted does not depend on what was known.
    return [json.loads(json.dumps(result)) for result in found]


def subplots(rows: int, columns: int, size: tuple[float, float]) -> tuple[Any, Any]:
    """A matplotlib figure that is drawn to a file, and its axes as an array (rows, columns)."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise EvaluationError(
            "matplotlib is not installed", instead="pip install 'surrogate-calculus[plot]'"
        ) from None
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, columns, squeeze=False)
    for axis in axes.flat:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(alpha=0.25, linewidth=0.5)
    return figure, axes


def main(run: Callable[[], None]) -> None:
    """Run an experiment; a mistake, and Ctrl-C, end it with one message."""
    try:
        run()
    except SurrogateError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("stopped; the same command goes on from the results that are there", file=sys.stderr)
        sys.exit(130)
