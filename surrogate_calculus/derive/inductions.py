"""A line by induction over a count: at 0, and at n where it is supposed at n - 1."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from ..errors import SurrogateError
from ..kernel.judgement import Rejection
from ..language.binding import free_names, substitute
from ..language.terms import Add, Mul, Num, Pow, Sym, Term
from .equate import closed_over
from .using import Schema

if TYPE_CHECKING:
    from ..language.proofs import Line
    from .lines import Setting

__all__ = ["inductively"]

#: Concludes a line with equations to use.
_Prove = Callable[["Line", "list[Schema]"], "Iterator[int]"]


def inductively(
    setting: Setting, line: Line, count: str, prove: _Prove, equations: list[Schema]
) -> Iterator[int]:
    """The steps that conclude a line by induction.

    In the step the hypothesis is used as an equation, or taken away from the claim: for A(n) = B(n) it is
    enough that A(n) - A(n-1) + B(n-1) = B(n), or A(n) / A(n-1) * B(n-1) = B(n).

    Args:
        setting: where it is concluded.
        line: the line.
        count: the name of n.
        prove: concludes lines in the setting.
        equations: what may be used besides the hypothesis.
    """
    base = next(prove(_at(line, count, Num(0)), equations), None)
    if base is None:
        base = setting.any(_at(line, count, Num(0)))
    if base is None:
        return
    before = _at(line, count, Sym(count) - Num(1))
    proof = setting.proof
    lhs, rhs = (proof.add(closed_over(t, setting.indices)) for t in (before.left, before.right))
    rule = "suppose_value" if line.values else "suppose"
    # for every value of what the claim is about every value of, unless a definition says more of that
    for every in dict.fromkeys((setting.every, ())):
        detail = [(name, 0, proof.state.zero) for name in every]
        hypothesis = proof.infer(rule, lhs, rhs, [], detail)
        variables = tuple(n for n in setting.variables if n in every and n in free_names(before.left))
        schemas = [*equations, Schema(hypothesis, variables)]
        for step in chain(
            prove(line, schemas), _taken_away(setting, line, before, prove, equations, hypothesis)
        ):
            with suppress(Rejection):
                yield _concluded(setting, count, base, step)


def _concluded(setting: Setting, count: str, base: int, step: int) -> int:
    proof = setting.proof
    detail = [(count, 0, proof.state.zero)]
    return proof.infer("induction_over", proof.left(step), proof.right(step), [base, step], detail)


def _at(line: Line, count: str, value: Term) -> Line:
    put = {count: value}
    return replace(line, left=substitute(line.left, put), right=substitute(line.right, put))


def _taken_away(
    setting: Setting, line: Line, before: Line, prove: _Prove, equations: list[Schema], hypothesis: int
) -> Iterator[int]:
    """The steps that conclude a line from what the two sides gain over the count before."""
    proof = setting.proof

    def stored(term: Term) -> Term:
        return proof.add(closed_over(term, setting.indices))

    a, a1, b1 = line.left, before.left, before.right
    shapes = (
        (lambda last: Add(a, Mul(Num(-1), a1), last), "ring"),
        (lambda last: Mul(a, Pow(a1, Num(-1)), last), "field"),
    )
    for shape, rule in shapes:
        try:
            whole = proof.infer(rule, stored(a), stored(shape(a1)))
            used = proof.infer("congruence", stored(shape(a1)), stored(shape(b1)), [hypothesis])
        except (Rejection, SurrogateError):
            continue
        for rest in prove(replace(line, left=shape(b1)), equations):
            try:
                yield proof.chain([whole, used, rest])
            except Rejection:
                continue
