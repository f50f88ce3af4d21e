"""Certificates that somebody wrote to break the kernel, and a process with limits to check them in.

    python malicious.py NAME MEGABYTES SECONDS

prints the status, the reason and the peak memory as JSON.
"""

from __future__ import annotations

import json
import random
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

import surrogate_calculus as sc
from surrogate_calculus.kernel.certificate import FORMAT, VERSION

Rows = list[Any]

__all__ = ["ATTACKS", "certificate"]


def certificate(nodes: Rows, steps: Sequence[Any], definitions: Sequence[Any] = (), **fields: Any) -> Any:
    """A certificate that claims what its last step says."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "nodes": nodes,
        "definitions": list(definitions),
        "dependence": [],
        "assumptions": [],
        "samples": [],
        "steps": list(steps),
        "claim": ["=", *steps[-1][1:3]],
        **fields,
    }


def _chain(first: Rows, length: int, make: Callable[[int], Any]) -> Rows:
    rows = list(first)
    for _ in range(length):
        rows.append(make(len(rows) - 1))
    return rows


_X, _THETA = ["sym", "x", []], ["sym", "θ", []]
_REFLEXIVE = [["ring", 0, 0, []]]


def _sines(length: int) -> Rows:
    return _chain([_X], length, lambda k: ["fn", "sin", [k]])


def steps_times_nodes(rule: str, size: int = 4000) -> Any:
    """Each of many steps over the whole of a deep term."""
    return certificate(_sines(size), [[rule, size, size, []]] * size)


def splits_of_a_term(size: int = 4000) -> Any:
    """Each of many steps looks for a comparison through the whole of a deep term."""
    nodes = [*_sines(size), ["num", "1", []], ["fn", "gt", [0, size + 1]]]
    nodes.append(["fn", "cases", [size + 2, size, size]])
    return certificate(nodes, [["cases_split", size, size + 3, []]] * size)


def chain_of_definitions(size: int = 1500) -> Any:
    """d₁ = d₀ + 1, d₂ = d₁ + 1, …"""
    nodes: Rows = [["sym", "d0", []], ["num", "1", []]]
    definitions = []
    before = 0
    for k in range(1, size):
        nodes += [["add", None, [before, 1]], ["sym", f"d{k}", []]]
        before = len(nodes) - 1
        definitions.append([before, 0, before - 1, None, k - 1])
    return certificate(nodes, _REFLEXIVE, definitions)


def chain_of_dependence(size: int = 2000) -> Any:
    """A name depends on the next, and so on; at the end it comes back."""
    rows = [[f"n{k}", [f"n{(k + 1) % size}"]] for k in range(size)]
    return certificate([_X], _REFLEXIVE, dependence=rows)


def one_body(size: int = 5000) -> Any:
    """Many definitions of one deep term."""
    nodes = _sines(size)
    definitions = []
    for k in range(size):
        nodes.append(["sym", f"d{k}", []])
        definitions.append([len(nodes) - 1, 0, size, None, k])
    return certificate(nodes, _REFLEXIVE, definitions)


def wide_recursion(size: int = 1500, odd: bool = False) -> Any:
    """One group of many families, each by the next at t − 1; with ``odd`` one of them has another sign."""
    nodes: Rows = [["bound", 0, []], ["num", "0", []], ["num", "-1", []], ["num", "1", []]]
    nodes += [["fn", "gt", [0, 1]], ["add", None, [0, 2]]]
    definitions = []
    for k in range(size):
        nodes.append(["indexed", f"F{k}", [0]])
        nodes.append(["indexed", f"F{(k + 1) % size}", [5]])
        last = odd and k == size - 1
        nodes.append(["fn", "cases", [4, 2, 2] if last else [4, len(nodes) - 1, 3]])
        definitions.append([len(nodes) - 3, 1, len(nodes) - 1, 0, 0])
    return certificate(nodes, _REFLEXIVE, definitions)


def fractions(size: int = 1000) -> Any:
    """A sum of fractions with thousands of digits below the line, no two of which are alike."""
    rng = random.Random(1)
    nodes: Rows = [["num", f"1/{rng.randrange(10**3990, 10**3991) | 1}", []] for _ in range(size)]
    return certificate([*nodes, ["add", None, list(range(size))]], [["ring", size, size, []]])


def shared_below_binders(size: int = 3000) -> Any:
    """Nested Σ, below each of which the same deep term stands."""
    one: Rows = [_X, ["num", "1", []], ["fn", "gt", [0, 1]]]
    nodes = _chain(one, size, lambda k: ["fn", "sin", [k]])
    top = inner = len(nodes) - 1
    for _ in range(size):
        nodes += [["add", None, [inner, top]], ["sum", None, [1, 1, len(nodes)], "i"]]
        inner = len(nodes) - 1
    nodes.append(["fn", "cases", [2, 0, 0]])
    return certificate(nodes, [["cases_split", inner, len(nodes) - 1, []]])


def wide_product(rule: str, size: int = 20_000) -> Any:
    """The product rule makes n products of n factors."""
    row = ["mul", None, [0] * size] if rule == "grad_product" else ["app", ["f", size, 0, 0, []], [0] * size]
    return certificate([_THETA, row, ["grad", "θ", [1]]], [[rule, 2, 0, []]])


def doubled(rule: str) -> Any:
    """x₁ = x₀ + y₀, x₂ = x₁ (x₁ + y₁) …: as a polynomial it has more monomials than there are atoms."""
    nodes: Rows = [_X]
    before = 0
    for k in range(200):
        nodes += [["sym", f"y{k}", []], ["add", None, [before, len(nodes)]]]
        nodes.append(["mul", None, [len(nodes) - 1, len(nodes) - 1]])
        before = len(nodes) - 1
    return certificate(nodes, [[rule, before, before, []]])


def product_of_sums(rule: str, size: int = 400) -> Any:
    nodes: Rows = [["sym", f"x{k}", []] for k in range(2 * size)]
    nodes += [["add", None, [2 * k, 2 * k + 1]] for k in range(size)]
    nodes.append(["mul", None, list(range(2 * size, 3 * size))])
    return certificate(nodes, [[rule, 3 * size, 3 * size, []]])


def tower() -> Any:
    """((9…9)^(9…9))^(9…9) …"""
    nodes = _chain([["num", "9" * 4000, []]], 3000, lambda k: ["pow", None, [k, k]])
    return certificate(nodes, [["ring", 3000, 3000, []]])


def many_denominators(size: int = 600) -> Any:
    """1/(x+1) + 1/(x+2) + …, which ``field`` multiplies out."""
    nodes: Rows = [_X, ["num", "-1", []]]
    parts = []
    for k in range(size):
        at = len(nodes)
        nodes += [["num", str(k + 1), []], ["add", None, [0, at]], ["pow", None, [at + 1, 1]]]
        parts.append(at + 2)
    at = len(nodes)
    nodes += [["add", None, parts], ["add", None, parts[::-1]], ["mul", None, [at, 0]]]
    return certificate(nodes, [["field", at + 2, at + 1, []]])


def many_counts(size: int = 3000) -> Any:
    """A condition on as many counts as there are names: an elimination for each."""
    nodes: Rows = [["sym", f"N{k}", []] for k in range(size)]
    nodes += [["add", None, list(range(size))], ["num", "2", []], ["num", "1", []]]
    nodes.append(["sum", None, [size + 1, size, size + 2], "i"])
    nodes += [["num", "-1", []], ["add", None, [size, size + 4]]]
    nodes.append(["sum", None, [size + 1, size + 5, size + 2], "i"])
    nodes.append(["add", None, [size + 6, size + 2]])
    counts = [["count", f"N{k}"] for k in range(size)]
    return certificate(nodes, [["sum_last", size + 3, size + 7, []]], assumptions=counts)


def derivatives(size: int = 4_000) -> Any:
    """∇ of ∇ of ∇ …"""
    nodes = _chain([_THETA], size, lambda k: ["grad", "θ", [k]])
    return certificate(nodes, [["ring", size, size, []]])


def million_steps() -> Any:
    """Each of which is refused: the first is enough."""
    return certificate([_X], [["symmetry", 0, 0, [0]]] * 10**6)


def deep_term(size: int = 100_000) -> Any:
    """A chain of many nodes, and one step that is not so."""
    return certificate(_sines(size), [["ring", size, 0, []]])


def million_premises() -> Any:
    return certificate([_X], [*_REFLEXIVE, ["congruence", 0, 0, [0] * 10**6], ["value", 0, 0, [0, 0]]])


#: By name: what is to be refused or, where it is true, answered.
ATTACKS: dict[str, Callable[[], Any]] = {
    "ring steps over a deep term": lambda: steps_times_nodes("ring"),
    "field steps over a deep term": lambda: steps_times_nodes("field"),
    "splits of a deep term": splits_of_a_term,
    "a chain of definitions": chain_of_definitions,
    "a cycle of dependence": chain_of_dependence,
    "definitions of one body": one_body,
    "a wide recursion": wide_recursion,
    "a wide recursion of an odd sign": lambda: wide_recursion(odd=True),
    "a sum of fractions": fractions,
    "a term shared below binders": shared_below_binders,
    "a wide product": lambda: wide_product("grad_product"),
    "a wide application": lambda: wide_product("grad_chain"),
    "squares of sums, ring": lambda: doubled("ring"),
    "squares of sums, field": lambda: doubled("field"),
    "a product of sums, ring": lambda: product_of_sums("ring"),
    "a product of sums, field": lambda: product_of_sums("field"),
    "a tower of powers": tower,
    "many denominators": many_denominators,
    "many counts": many_counts,
    "many derivatives": derivatives,
    "a million steps": million_steps,
    "a deep term": deep_term,
    "a million premises": million_premises,
}


def main() -> None:
    """Check one attack under limits, and say what came of it."""
    name, megabytes, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    data = ATTACKS[name]()
    limit = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    used = int(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, used + seconds))
    start = time.process_time()
    verdict = sc.check(data)
    print(json.dumps([verdict.status, verdict.reason, time.process_time() - start]))


if __name__ == "__main__":
    main()
