"""Speed of ``derive``: ratios against SymPy on the same expression, and growth with the term's size.

    python benchmarks/bench_derive.py            # everything, about half a minute
    python benchmarks/bench_derive.py --quick    # small sizes only

The expression is log Ẑ of the differentiable particle filter, unrolled (``unrolled.py``).  SymPy has no
⊥, so it is given the *two-copy trick*: the live θ and the stopped θ̂ are two symbols, ``diff`` by θ, then
θ̂ is set to θ.  Exit status 1 if a stated bound is missed.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from unrolled import chain, dpf_log_z

import surrogate_calculus as sc
from surrogate_calculus.language.terms import Term, postorder

#: Bounds that the project states.
RATIO = 20.0
SECONDS = {1: 1.5, 2: 4.0}
GIGABYTE = 1e9


def best(work: Callable[[], Any], runs: int) -> float:
    """CPU seconds of the fastest of some runs: what else the machine does counts for little."""
    times = []
    for _ in range(runs):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times)


def peak_bytes() -> float:
    """The most memory that this process has had so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def to_sympy(term: Term) -> tuple[Any, Any, Any]:
    """The two-copy meaning of a surrogate in SymPy: (expression, live θ, stopped θ̂).

    Covers what an unrolled filter is made of; memoised by (node, under ⊥).
    """
    import sympy

    live, stopped = sympy.symbols("theta thetahat")
    done: dict[tuple[int, bool], Any] = {}

    def convert(node: Term, under: bool) -> Any:
        args = [done[id(a), under or node.tag == "stop"] for a in node.args]
        match node.tag:
            case "num":
                return sympy.Rational(node.key.numerator, node.key.denominator)
            case "sym":
                return (stopped if under else live) if node.key == "θ" else sympy.Symbol(node.key)
            case "indexed":
                return sympy.Symbol("_".join([node.key, *map(str, args)]))
            case "add":
                return sympy.Add(*args)
            case "mul":
                return sympy.Mul(*args)
            case "pow":
                return sympy.Pow(*args)
            case "fn":
                return getattr(sympy, node.key)(*args)
            case "app":
                return sympy.Function(node.key[0])(*args)
            case "stop":
                return args[0]
        raise NotImplementedError(node.tag)

    for under in (True, False):
        for node in postorder(term):
            done[id(node), under] = convert(node, under)
    return done[id(term), False], live, stopped


@dataclass
class Report:
    """Lines printed as they come, and the bounds that were missed."""

    missed: list[str] = field(default_factory=list)

    def line(self, name: str, nodes: int, seconds: float, note: str = "") -> None:
        """One measurement."""
        cost = 1e6 * seconds / nodes
        print(f"{name:<38} {nodes:>8,} nodes {seconds:>9.4f} s {cost:>8.2f} µs/node  {note}", flush=True)

    def demand(self, holds: bool, what: str) -> None:
        """A bound that the project states."""
        print(f"  {'ok    ' if holds else 'MISSED'} {what}", flush=True)
        if not holds:
            self.missed.append(what)


def against_sympy(report: Report, runs: int) -> None:
    """The ratio at N = T = 4, order 1: the best of the runs on either side."""
    term = dpf_log_z(4, 4)
    nodes = len(postorder(term))
    expression, live, stopped = to_sympy(term)
    from sympy.core.cache import clear_cache

    def theirs() -> Any:
        clear_cache()  # each run starts from nothing, as ours does
        return expression.diff(live).subs(stopped, live)

    slow = best(theirs, runs)
    fast = best(partial(sc.derive, term, "θ"), 3 * runs)
    report.line("sympy diff, N = T = 4, order 1", nodes, slow)
    report.line("derive, N = T = 4, order 1", nodes, fast, f"{slow / fast:.0f} times as fast")
    report.demand(slow / fast >= RATIO, f"at least {RATIO:.0f} times as fast as SymPy: {slow / fast:.1f}")


def growth(report: Report, sizes: list[int], orders: list[int]) -> None:
    """Seconds and µs per node as the filter grows; the bounds hold at N = T = 100."""
    for order in orders:
        per_node = {}
        for size in sizes:
            term = dpf_log_z(size, size, proposal=False)  # 49,000 nodes at 100
            nodes = len(postorder(term))
            seconds = best(partial(sc.derive, term, "θ", order), 2 if nodes > 20_000 else 3)
            report.line(f"derive, N = T = {size}, order {order}", nodes, seconds)
            per_node[size] = seconds / nodes
            if size == 100:
                bound = SECONDS[order]
                what = f"order {order} at N = T = 100 within {bound} s: {seconds:.2f} s"
                report.demand(seconds <= bound, what)
        low, high = sizes[0], sizes[-1]
        factor = per_node[high] / per_node[low]
        if high == 100:
            term = dpf_log_z(high, high)
            seconds = best(partial(sc.derive, term, "θ", order), 1)
            report.line(f"the same with q, N = T = {high}, order {order}", len(postorder(term)), seconds)
        what = f"linear growth: a node costs {factor:.1f} times as much at {high} as at {low}"
        report.demand(factor <= 3, what)


def depth(report: Report, lengths: list[int]) -> None:
    """A chain: depth, not width."""
    for length in lengths:
        term = chain(length)
        seconds = best(partial(sc.derive, term, "θ"), 2)
        report.line(f"derive, chain of {length:,}", len(postorder(term)), seconds)


def main() -> int:
    """Run, print, and say whether every bound holds."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--quick", action="store_true", help="small sizes only")
    quick = options.parse_args().quick
    report = Report()
    growth(report, [4, 10] if quick else [10, 30, 100], [1] if quick else [1, 2])
    depth(report, [500] if quick else [500, 5000])
    peak = peak_bytes()  # before SymPy is loaded
    report.demand(peak < GIGABYTE, f"peak memory under 1 GB: {peak / GIGABYTE:.2f} GB")
    against_sympy(report, 2 if quick else 3)
    for what in report.missed:
        print(f"missed: {what}", file=sys.stderr)
    return 1 if report.missed else 0


if __name__ == "__main__":
    sys.exit(main())
