"""Attempts to prove what is not so with expectations, suppositions and ∇ᵏ: each is refused where it cheats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from surrogate_calculus.derive.nodetable import NodeTable
from surrogate_calculus.kernel import check
from surrogate_calculus.kernel.certificate import FORMAT, VERSION
from surrogate_calculus.kernel.judgement import Verdict
from surrogate_calculus.language.terms import (
    Bound,
    CondExpect,
    Expect,
    Fn,
    Indexed,
    Num,
    Store,
    Sym,
    Term,
    postorder,
)

θ, φ, N, T, k = Sym("θ"), Sym("φ"), Sym("N"), Sym("T"), Bound(0)
ZERO, ONE, TWO = Num(0), Num(1), Num(2)

#: rule, left, right, premises, what it is told: names, numbers of slots, terms
Step = tuple[Any, ...]
#: left, number of indices, law, first time
Sample = tuple[Term, int, Term, Term | None]
#: left, number of indices, body, measure, group
Row = tuple[Term, int, Term, Term | None, int]

COUNTS = (("count", "N"), ("count", "T"))


class Proof:
    """Steps of a certificate, one by one.

    Args:
        samples: how families are drawn.
        definitions: of names and families.
        assume: of names.
        dependence: of paths.
    """

    def __init__(
        self,
        samples: Sequence[Sample] = (),
        definitions: Sequence[Row] = (),
        assume: Sequence[tuple[str, str]] = COUNTS,
        dependence: Sequence[Any] = (),
    ) -> None:
        self.samples, self.definitions = samples, definitions
        self.assume, self.dependence = assume, dependence
        self.steps: list[Step] = []

    def take(self, rule: str, left: Term, right: Term, *premises: int, told: Sequence[Any] = ()) -> int:
        """One more step; its number."""
        self.steps.append((rule, left, right, list(premises), list(told)))
        return len(self.steps) - 1

    def verdict(self, relation: str = "=") -> Verdict:
        """What the checker says of the last step."""
        store, table = Store(), NodeTable()
        known: dict[Term, Term] = {}

        def number(term: Term) -> int:
            if term not in known:
                known[term] = store.add(term)
                table.add(postorder(known[term]))
            return table[known[term]]

        data: dict[str, Any] = {"format": FORMAT, "version": VERSION}
        data["definitions"] = [
            [number(left), arity, number(body), measure and number(measure), group]
            for left, arity, body, measure, group in self.definitions
        ]
        data["dependence"] = list(self.dependence)
        data["assumptions"] = [list(a) for a in self.assume]
        data["samples"] = [
            [number(left), arity, number(law), None if first is None else number(first)]
            for left, arity, law, first in self.samples
        ]
        data["steps"] = [
            [rule, number(left), number(right), premises]
            + ([[[name, slots, number(term)] for name, slots, term in told]] if told else [])
            for rule, left, right, premises, told in self.steps
        ]
        data["claim"] = [relation, number(self.steps[-1][1]), number(self.steps[-1][2])]
        data["nodes"] = table.rows
        return check(data)
