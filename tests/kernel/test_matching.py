"""Patterns: what they match, and what is built from a match."""

from __future__ import annotations

import random

import pytest
from soundness import Workshop, metavariables

from surrogate_calculus.kernel.judgement import Rejection
from surrogate_calculus.kernel.matching import instance, match
from surrogate_calculus.kernel.rules import RULES, meta
from surrogate_calculus.language.terms import (
    Add,
    Axis,
    Bound,
    Eval,
    Fn,
    Grad,
    Indexed,
    Mul,
    Num,
    Pow,
    Prod,
    Stop,
    Store,
    Sum,
    Sym,
    Term,
)

A, B = meta("A"), meta("B")
LO, HI, K = meta("lo"), meta("hi"), meta("k")
θ, x, y, N = Sym("θ"), Sym("x"), Sym("y"), Sym("N")
PATTERNS = [r for r in RULES.values() if r.left is not None and not r.operator]


def rewrite(rule: str, term: Term) -> Term | None:
    schema = RULES[rule]
    assert schema.left is not None and schema.right is not None
    store = Store()
    found = match(schema.left, store.add(term))
    return None if found is None else instance(schema.right, found, store)


def test_one_metavariable_stands_for_one_term() -> None:
    assert match(Add(A, A), Add(x, x)) == {"?A": (x, 0)}
    assert match(Add(A, A), Add(x, y)) is None
    assert match(Add(A, B), Add(x, x)) == {"?A": (x, 0), "?B": (x, 0)}


@pytest.mark.parametrize(
    ("pattern", "term"),
    [
        (Add(A, B), Mul(x, y)),
        (Add(A, B), Add(x, y, x)),
        (Add(A, B, B), Add(x, y)),
        (Fn("exp", A), Fn("log", x)),
        (Pow(A, Num(2)), Pow(x, Num(3))),
        (Fn("exp", A), x),
        (Sum(LO, HI, A), Prod(Num(1), N, x)),
        (Stop(A), Eval(x)),
    ],
    ids=str,
)
def test_other_shapes_do_not_match(pattern: Term, term: Term) -> None:
    assert match(pattern, term) is None


def test_a_metavariable_at_two_depths_is_one_term() -> None:
    """Outside Σ and inside: the index of Σ is no term outside, and an index of outside is another inside."""
    twice = Mul(A, Sum(LO, HI, A))
    for outer, inner, same in [
        (x, x, True),
        (x, N, False),
        (Bound(0), Bound(1), True),
        (Bound(0), Bound(0), False),
        (Bound(1), Bound(1), False),
        (Bound(1), Bound(2), True),
    ]:
        for pattern, term in (
            (twice, Mul(outer, Sum(Num(1), N, inner))),
            (Mul(Sum(LO, HI, A), A), Mul(Sum(Num(1), N, inner), outer)),
        ):
            assert (match(pattern, term) is not None) is same, (pattern, term)
    assert match(Mul(Sum(LO, HI, A), Sum(LO, HI, A)), Mul(*[Sum(Num(1), N, Bound(0))] * 2)) is not None


def test_a_gradient_pattern_takes_any_parameter_and_coordinate() -> None:
    assert rewrite("log_derivative", Grad("θ", x)) == Mul(x, Grad("θ", Fn("log", x)))
    assert rewrite("log_derivative", Grad("φ", x, Axis(2))) == Mul(x, Grad("φ", Fn("log", x), Axis(2)))
    assert rewrite("log_derivative", Mul(x, x)) is None


def test_gradients_of_one_pattern_are_by_one_parameter() -> None:
    def d(term: Term) -> Term:
        return Grad("?θ", term, K)

    both = Add(d(A), d(B))
    assert match(both, Add(Grad("θ", x), Grad("θ", y))) is not None
    assert match(both, Add(Grad("θ", x), Grad("φ", y))) is None
    assert match(both, Add(Grad("θ", x, Axis(1)), Grad("θ", y, Axis(1)))) is not None
    assert match(both, Add(Grad("θ", x, Axis(1)), Grad("θ", y, Axis(2)))) is None
    assert match(both, Add(Grad("θ", x), Grad("θ", y, Axis(1)))) is None
    assert match(both, Add(Grad("θ", x, Axis(1)), Grad("θ", y))) is None


def test_what_moves_under_a_binder_has_its_indices_moved() -> None:
    """A Σ[i](B) = Σ[i](A B) inside another Σ: the outer index stays the outer one."""
    left = Mul(Indexed("a", Bound(0)), Sum(Num(1), Bound(0), Indexed("u", Bound(0), Bound(1))))
    right = Sum(Num(1), Bound(0), Mul(Indexed("a", Bound(1)), Indexed("u", Bound(0), Bound(1))))
    assert rewrite("sum_scale", left) == right


def test_what_uses_an_index_does_not_leave_its_binder() -> None:
    store = Store()
    out_of = Sum(LO, HI, Mul(A, B))
    found = match(out_of, store.add(Sum(Num(1), N, Mul(x, Bound(0)))))
    assert found is not None
    assert instance(A, found, store, free=True) == x
    with pytest.raises(Rejection, match="would lose"):
        instance(B, found, store)
    assert instance(A, found, store) == x


def test_a_condition_is_said_for_every_index() -> None:
    """A ≠ 0 below ∏ has the index of the ∏ left open."""
    rule = RULES["product_log_derivative"]
    assert rule.left is not None
    store = Store()
    found = match(rule.left, store.add(Grad("θ", Prod(Num(1), N, Indexed("w", Bound(0))))))
    assert found is not None
    [(kind, condition)] = rule.conditions
    assert (kind, instance(condition, found, store, free=True)) == ("nonzero", Indexed("w", Bound(0)))


def test_names_of_bound_indices_are_kept() -> None:
    out = rewrite("sum_add", Sum(Num(1), N, Add(x, Bound(0)), "t"))
    assert isinstance(out, Add) and [a.hint for a in out.args] == ["t", "t"]  # type: ignore[attr-defined]


def test_nothing_is_put_in_for_an_unknown_metavariable() -> None:
    with pytest.raises(Rejection, match=r"nothing determines \?B"):
        instance(B, {"?A": (x, 0)}, Store())


@pytest.mark.parametrize("rule", PATTERNS, ids=lambda r: r.name)
def test_the_left_side_of_a_match_is_the_term(rule, rng: random.Random) -> None:  # type: ignore[no-untyped-def]
    """Putting what was matched back into the pattern gives the term: nothing is lost or changed."""
    for _ in range(20):
        w = Workshop(rng, vector=rng.random() < 0.3, rational=rng.random() < 0.5)
        param = w.param()
        coordinate = w.coordinate(param)
        found = {
            "?θ": (Sym(param), 0),
            "?k": (w.add(coordinate[0]) if coordinate else Sym("?none"), 0),
            "?hint": (Sym("i"), 0),
        }
        for name, depth in metavariables(rule.left):
            if name not in found:
                found[name] = (w.add(w.expr(2, depth)), depth)
        term = instance(rule.left, found, w.state.store)
        again = match(rule.left, term)
        assert again is not None
        assert instance(rule.left, again, w.state.store) is term
        assert {m: again[m] for m in again} == {m: found[m] for m in again}
