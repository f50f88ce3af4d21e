"""Attempts to prove what is not so, by certificates written by hand: each is refused where it cheats."""

from __future__ import annotations

from typing import Any

import pytest

from surrogate_calculus.derive.nodetable import NodeTable
from surrogate_calculus.kernel import check
from surrogate_calculus.kernel.certificate import FORMAT, VERSION
from surrogate_calculus.language.terms import (
    Add,
    App,
    Bound,
    Eval,
    Expect,
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
    postorder,
)

θ, φ, x, N, T, k = Sym("θ"), Sym("φ"), Sym("x"), Sym("N"), Sym("T"), Bound(0)
ZERO, ONE, TWO = Num(0), Num(1), Num(2)

Step = tuple[str, Term, Term, list[int]]
#: left, number of indices, body, measure, group
Row = tuple[Term, int, Term, Term | None, int]


def v(*indices: Term) -> Term:
    return Indexed("v", *indices)


def u(*indices: Term) -> Term:
    return Indexed("u", *indices)


def less(a: Term, b: Term) -> Term:
    return Fn("gt", b, a)


def cases(condition: Term, then: Term, other: Term) -> Term:
    return Fn("cases", condition, then, other)


def verdict(
    steps: list[Step],
    definitions: list[Row] | None = None,
    assume: tuple[tuple[str, str], ...] = (("count", "N"), ("count", "T")),
    dependence: list[list[Any]] | None = None,
    relation: str = "=",
) -> str:
    """``"proved"``, or the reason for which the last step is not reached."""
    store, table = Store(), NodeTable()
    rows = definitions or []
    parts = [p for left, _, body, m, _ in rows for p in (left, body, m) if p is not None]
    stored = {id(t): store.add(t) for t in (*parts, *(t for _, a, b, _ in steps for t in (a, b)))}
    table.add(postorder(*stored.values()))

    def number(term: Term) -> int:
        return table[stored[id(term)]]

    data = {
        "format": FORMAT,
        "version": VERSION,
        "nodes": table.rows,
        "definitions": [
            [number(left), arity, number(body), m and number(m), group]
            for left, arity, body, m, group in rows
        ],
        "dependence": dependence or [],
        "assumptions": [list(a) for a in assume],
        "samples": [],
        "steps": [[rule, number(a), number(b), premises] for rule, a, b, premises in steps],
        "claim": [relation, number(steps[-1][1]), number(steps[-1][2])],
    }
    found = check(data)
    assert not found.hypotheses or found.status == "proved"
    return found.status if found else found.reason


def refused(steps: list[Step], at: int | None = None, **given: Any) -> None:
    """Refused, at that step (from 1) where one is named, and not before."""
    reason = verdict(steps, **given)
    assert reason.startswith("rejected at step"), reason
    if at is not None:
        assert reason.startswith(f"rejected at step {at}:"), reason


# ------------------------------------------------------------------------------------ indices
def test_an_index_is_no_parameter() -> None:
    """⊥(i) = i for every index i; with θ for i it would give 0 = 1."""
    stopped: Step = ("stop_number", Stop(k), k, [])
    refused([stopped, ("instance", Stop(θ), θ, [0])], at=2)
    refused([stopped, ("instance", Stop(x), x, [0])], at=2)
    refused([stopped, ("instance", Stop(Mul(TWO, θ)), Mul(TWO, θ), [0])], at=2)
    refused([stopped, ("instance", Stop(u(ONE)), u(ONE), [0])], at=2)
    constant: Step = ("grad_constant", Grad("θ", k), ZERO, [])
    refused([constant, ("instance", Grad("θ", θ), ZERO, [0])], at=2)
    for index in (N, Num(3), Add(N, Bound(1)), Mul(TWO, N)):
        assert verdict([stopped, ("instance", Stop(index), index, [0])]) == "proved"
    ancestor = Indexed("a", T, Bound(2))
    known = (("count", "T"), ("index", "a"))
    assert verdict([stopped, ("instance", Stop(ancestor), ancestor, [0])], assume=known) == "proved"
    refused([stopped, ("instance", Stop(ancestor), ancestor, [0])], at=2)


def test_a_fraction_is_no_index() -> None:
    half = Num(1) / Num(2)
    refused([("stop_number", Stop(k), k, []), ("instance", Stop(half), half, [0])], at=2)


def test_what_is_assumed_whole_is_no_parameter() -> None:
    for kind in ("count", "index"):
        steps: list[Step] = [("grad_parameter", Grad("N", N), ONE, [])]
        refused(steps, assume=((kind, "N"),))
        direct = App("f", [x], params=[N])
        partial = App("f", [x], params=[N], partials=[(2, None)])
        refused([("ring", Grad("N", direct), partial, [])], assume=((kind, "N"),))


def test_a_count_is_not_defined() -> None:
    refused([("definition", N, ZERO, [])], definitions=[(N, 0, ZERO, None, 0)])
    assert verdict([("definition", N, ZERO, [])], [(N, 0, ZERO, None, 0)], assume=()) == "proved"


def test_an_index_that_a_parameter_moves_is_not_constant() -> None:
    """v[i] = i, so ∇θ v[θ] = 1 and not 0."""
    own: list[Row] = [(v(k), 1, k, None, 0)]
    refused([("grad_constant", Grad("θ", v(θ)), ZERO, [])], at=1, definitions=own)
    refused([("grad_constant", Grad("θ", u(θ)), ZERO, [])], at=1)
    refused([("grad_constant", Grad("θ", u(Add(θ, ONE))), ZERO, [])], at=1)
    moved: list[Row] = [(u(k), 1, Mul(θ, k), None, 0), (v(k), 1, k, None, 1)]
    refused([("grad_constant", Grad("θ", v(u(ONE))), ZERO, [])], at=1, definitions=moved)
    refused([("grad_constant", Grad("θ", Indexed("w", u(ONE))), ZERO, [])], at=1, definitions=moved)
    # a condition has no derivative, so an index that depends on θ through one is constant
    chosen: list[Row] = [(u(k), 1, cases(Fn("gt", θ, x), k, ONE), None, 0)]
    assert verdict([("grad_constant", Grad("θ", v(u(TWO))), ZERO, [])], chosen) == "proved"


def test_an_index_is_not_captured_by_a_binder_of_the_instance() -> None:
    """Σ[k=1..2](k i) = Σ[k=1..2]((3-k) i) for every i; not Σ[k](k k) = Σ[k]((3-k) k)."""
    left = Sum(ONE, TWO, Mul(u(k), Indexed("w", Bound(1))))
    right = Sum(ONE, TWO, Mul(Indexed("w", Bound(1)), u(k)))
    swap: Step = ("ring", left, right, [])
    good = [Sum(ONE, TWO, Mul(u(k), Indexed("w", N))), Sum(ONE, TWO, Mul(Indexed("w", N), u(k)))]
    assert verdict([swap, ("instance", good[0], good[1], [0])]) == "proved"
    bad = [Sum(ONE, TWO, Mul(u(k), Indexed("w", k))), Sum(ONE, TWO, Mul(Indexed("w", k), u(k)))]
    refused([swap, ("instance", bad[0], bad[1], [0])], at=2)


def test_values_are_not_equal_in_an_index() -> None:
    """v[i] = ∇θ(i θ): v[θ] = 2θ, v[⊥θ] = ⊥θ, though θ =→ ⊥θ."""
    arrows: list[Step] = [
        ("eval_stop", Eval(Stop(θ)), θ, []),
        ("eval_free", Eval(θ), θ, []),
        ("symmetry", θ, Eval(θ), [1]),
        ("transitivity", Eval(Stop(θ)), Eval(θ), [0, 2]),
        ("arrow", Stop(θ), θ, [3]),
    ]
    assert verdict([*arrows, ("congruence", Mul(x, Stop(θ)), Mul(x, θ), [4])], relation="=→") == "proved"
    refused([*arrows, ("congruence", v(Stop(θ)), v(θ), [4])], at=6, relation="=→")


# ------------------------------------------------------------------------------------- ranges
def test_a_range_is_shifted_by_whole_numbers_that_are_constant() -> None:
    body, moved = Grad("θ", Mul(k, θ)), Grad("θ", Mul(k - θ, θ))
    for c in (θ, x, Num(1) / Num(2), u(ONE)):
        target = Sum(ONE + c, TWO + c, Grad("θ", Mul(k - c, θ)))
        refused([("sum_shift", Sum(ONE, TWO, body), target, [])], at=1)
    assert moved.loose == 1
    ok = Sum(ONE + N, TWO + N, Grad("θ", Mul(k - N, θ)))
    assert verdict([("sum_shift", Sum(ONE, TWO, body), ok, [])]) == "proved"


@pytest.mark.parametrize("cls", [Sum, Prod])
@pytest.mark.parametrize("hi", [Num(1) / Num(2), x, θ, u(ONE), Pow(N, TWO)], ids=str)
def test_the_ends_of_a_range_are_whole(cls: type[Term], hi: Term) -> None:
    """Σ[i=1..1/2](1) would be 0 by one rule and 1 by another."""
    whole = cls(ONE, hi, θ)  # type: ignore[call-arg]
    name = "sum" if cls is Sum else "product"
    join = Add if cls is Sum else Mul
    refused([(f"{name}_empty", whole, ZERO if cls is Sum else ONE, [])], at=1)
    refused([(f"{name}_first", whole, join(θ, cls(TWO, hi, θ)), [])], at=1)  # type: ignore[call-arg]
    refused([(f"{name}_last", whole, join(cls(ONE, hi - ONE, θ), θ), [])], at=1)  # type: ignore[call-arg]


def test_a_condition_is_of_its_index_only() -> None:
    """Split off the last term of Σ[j=1..i]: right under Σ[i=1..N], not under Σ[i=0..N]."""

    def nested(lo: Term) -> list[Step]:
        inner = Sum(ONE, k, u(k))
        split = Add(Sum(ONE, k - ONE, u(k)), u(k))
        outer = [Sum(lo, N, inner), Sum(lo, N, split)]
        return [("sum_last", inner, split, []), ("congruence", outer[0], outer[1], [0])]

    assert verdict(nested(ONE)) == "proved"
    refused(nested(ZERO), at=2)
    # what is left at the end is a hypothesis of the verdict
    assert verdict(nested(ONE)[:1]) == "proved"


def test_a_sampled_variable_is_no_whole_number() -> None:
    """For whole i: cases(i > 0: cases(1 > i: 1, else: 0), else: 0) = 0; P(0 < x < 1) need not be 0."""
    law = App("p", [k])
    steps: list[Step] = []

    def take(rule: str, a: Term, b: Term, *premises: int) -> int:
        steps.append((rule, a, b, list(premises)))
        return len(steps) - 1

    series = Sum(ONE, k, ONE)

    def around(t: Term) -> Term:
        return cases(Fn("gt", k, ZERO), cases(Fn("gt", ONE, k), t, ZERO), ZERO)

    def lift(step: int, a: Term, b: Term) -> int:
        inner = take("congruence", cases(Fn("gt", ONE, k), a, ZERO), cases(Fn("gt", ONE, k), b, ZERO), step)
        return take("congruence", around(a), around(b), inner)

    none = take("sum_empty", series, ZERO)
    zero = lift(none, series, ZERO)
    rest = Sum(ONE + ONE, k, ONE)
    first = take("sum_first", series, Add(ONE, rest))
    no_rest = take("sum_empty", rest, ZERO)
    more = take("congruence", Add(ONE, rest), Add(ONE, ZERO), no_rest)
    one = take("transitivity", series, Add(ONE, ZERO), first, more)
    unit = lift(one, series, Add(ONE, ZERO))
    back = take("symmetry", around(ZERO), around(series), zero)
    claim = take("transitivity", around(ZERO), around(Add(ONE, ZERO)), back, unit)
    assert verdict(list(steps)) == "proved"  # so it is, for whole i
    over = take("congruence", Sum(ONE, N, around(ZERO)), Sum(ONE, N, around(Add(ONE, ZERO))), claim)
    assert verdict(list(steps)) == "proved"
    steps.pop(over)
    sampled = (Expect(law, around(ZERO)), Expect(law, around(Add(ONE, ZERO))))
    refused([*steps, ("congruence", *sampled, [claim])], at=len(steps) + 1)


def test_conditions_do_not_pass_an_expectation() -> None:
    inner, split = Sum(ONE, k, u(k)), Add(Sum(ONE, k - ONE, u(k)), u(k))
    last: Step = ("sum_last", inner, split, [])
    law = App("p", [k])
    refused([last, ("congruence", Expect(law, inner), Expect(law, split), [0])], at=2)
    delta = Sum(ONE, TWO, Mul(Fn("eq", k, Bound(1)), u(k)))
    found: Step = ("sum_delta", delta, u(k), [])
    inside = cases(Fn("gt", k, ZERO), cases(less(k, Num(3)), delta, ZERO), ZERO)
    assert inside.loose == 1 and verdict([found]) == "proved"
    refused([found, ("congruence", Expect(law, delta), Expect(law, u(k)), [0])], at=2)


def test_a_branch_gives_its_condition_to_itself_only() -> None:
    next_one = Fn("gt", k + ONE, ONE)
    bracket: Step = ("gt_true", next_one, ONE, [])
    t, f = cases(Fn("gt", k, ZERO), ONE, x), cases(Fn("gt", k, ZERO), x, ONE)
    whole = Sum(ZERO, N, cases(Fn("gt", k, ZERO), next_one, x)), Sum(ZERO, N, t)
    good: Step = ("congruence", whole[0].args[2], t, [0])
    assert verdict([bracket, good, ("congruence", *whole, [1])]) == "proved"
    wrong: Step = ("congruence", cases(Fn("gt", k, ZERO), x, next_one), f, [0])
    whole = Sum(ZERO, N, wrong[1]), Sum(ZERO, N, wrong[2])
    refused([bracket, wrong, ("congruence", *whole, [1])], at=3)
    on_θ = Fn("gt", θ, ZERO)
    refused([("gt_true", on_θ, ONE, [])], at=1)
    refused([("congruence", cases(on_θ, on_θ, x), cases(on_θ, ONE, x), [])], at=1)


def test_split_needs_both_branches() -> None:
    first: Step = ("gt_true", Fn("gt", k, ZERO), ONE, [])
    second: Step = ("gt_false", Fn("gt", k, ZERO), ZERO, [])
    positive = Fn("gt", k, ZERO)
    twice = cases(positive, positive, positive)

    def split(target: Term, *premises: int) -> list[Step]:
        closed = Sum(ZERO, N, positive), Sum(ZERO, N, target)
        return [
            first,
            second,
            ("cases_same", twice, positive, []),
            ("symmetry", positive, twice, [2]),
            ("congruence", twice, target, list(premises)),
            ("transitivity", positive, target, [3, 4]),
            ("congruence", *closed, [5]),
        ]

    assert verdict(split(cases(positive, ONE, ZERO), 0, 1)) == "proved"
    assert verdict(split(cases(positive, ONE, ZERO), 1, 0)) == "proved"
    refused(split(cases(positive, ZERO, ONE), 0, 1), at=7)
    refused(split(cases(positive, ONE, ZERO), 0), at=5)
    refused(split(cases(positive, ONE, ONE), 0), at=7)


# --------------------------------------------------------------------------------- definitions
def recursion(step: Term, base: Term, measure: Term = k) -> Term:
    return cases(Fn("gt", measure, ZERO), step, base)


@pytest.mark.parametrize(
    "rows",
    [
        [(v(k), 1, v(k), k, 0)],
        [(v(k), 1, Add(v(k - ONE), ONE), k, 0)],
        [(v(k), 1, recursion(v(k), ONE), k, 0)],
        [(v(k), 1, recursion(v(k + ONE), ONE), k, 0)],
        [(v(k), 1, recursion(v(k - ONE), v(k - ONE)), k, 0)],
        [(v(k), 1, recursion(v(k - ONE), v(k)), k, 0)],
        [(v(k), 1, recursion(v(k - ONE), ONE, k + ONE), k, 0)],
        [(v(k), 1, cases(Fn("gt", k, x), v(k - ONE), ONE), k, 0)],
        [(v(k), 1, cases(Fn("ge", k, ZERO), v(k - ONE), ONE), k, 0)],
        [(v(k), 1, recursion(v(k - Num(1) / Num(2)), ONE), k, 0)],
        [(v(k), 1, recursion(v(k - N), ONE), k, 0)],
        [(v(k), 1, recursion(v(Indexed("a", k)), ONE), k, 0)],
        [(v(k), 1, recursion(Sum(ONE, k, v(k)), ONE), k, 0)],
        [(v(k), 1, recursion(v(k - ONE), ONE), None, 0)],
        [(v(k), 1, recursion(ZERO, ONE, v(k)), v(k), 0)],
        [(v(k), 1, recursion(Sym("v"), ONE), k, 0)],
        [(v(k), 1, recursion(v(k - ONE, k), ONE), k, 0)],
        # two members
        [(u(k), 1, v(k), k, 0), (v(k), 1, u(k), k, 0)],
        [(u(k), 1, v(k - ONE), k, 0), (v(k), 1, u(k), k, 0)],
        [(v(k), 1, recursion(u(k), ONE), k, 0), (u(k), 1, v(k - ONE), k, 0)],
        [(u(k), 1, v(k - ONE), k, 0), (v(k), 1, recursion(u(k), u(k)), k, 0)],
        [(u(k), 1, v(k - ONE), k, 0), (v(k), 1, recursion(ONE, u(k)), k, 0)],
        [(u(k), 1, recursion(v(k), ONE), k, 0), (v(k), 1, recursion(u(k), ONE), k, 0)],
        # later groups
        [(u(k), 1, v(k), None, 0), (v(k), 1, k, None, 1)],
        [(u(k), 1, v(k), None, 0), (v(k), 1, u(k), None, 0)],
        [(u(k), 1, k, None, 1), (v(k), 1, u(k), None, 0)],
        [(u(k), 1, k, None, 0), (v(k), 1, u(k), None, 2)],
        # left sides that leave something open, or say it twice
        [(v(Mul(k, ZERO)), 1, k, None, 0)],
        [(v(k, k), 1, k, None, 0)],
        [(v(k), 1, Bound(1), None, 0)],
        [(v(k), 2, Bound(1), None, 0)],
        [(v(ONE), 0, ZERO, None, 0)],
        [(v(Bound(0), Bound(1)), 2, k, None, 0)],
        [(Add(x, θ), 0, ZERO, None, 0)],
        [(ONE, 0, ZERO, None, 0)],
        [(Stop(θ), 0, θ, None, 0)],
        [(Grad("θ", θ), 0, ZERO, None, 0)],
        [(v(k), 1, recursion(v(k - ONE), ONE, Bound(1)), Bound(1), 0)],
    ],
    ids=str,
)
def test_no_recursion_without_end(rows: list[Row]) -> None:
    refused([("ring", x, x, [])], at=1, definitions=rows)


@pytest.mark.parametrize(
    "rows",
    [
        [(v(k), 1, recursion(Add(v(k - ONE), θ), ONE), k, 0)],
        [(v(k), 1, recursion(v(k + ONE), ONE, T - k), T - k, 0)],
        [(u(k), 1, v(k - ONE), k, 0), (v(k), 1, recursion(u(k), ONE), k, 0)],
        [(v(k), 1, recursion(Sum(ONE, N, Mul(k, v(Bound(1) - ONE))), ONE), k, 0)],
        [(v(k), 1, recursion(v(k - ONE), cases(Fn("gt", k + ONE, ZERO), ONE, TWO)), k, 0)],
    ],
    ids=str,
)
def test_recursions_that_end(rows: list[Row]) -> None:
    assert verdict([("ring", x, x, [])], rows) == "proved"


def slice_(a: Term, b: Term) -> Term:
    return Fn("slice", a, b)


def test_a_function_along_a_path_is_not_its_own_definition() -> None:
    """f(x) = f(x) + 1, openly or through a name for the path."""
    path = Indexed("x", slice_(Bound(1), k))
    free = Indexed("z", slice_(Bound(1), k))
    along, single = App("f", [path]), App("f", [Indexed("x", k)])
    refused([("ring", x, x, [])], at=1, definitions=[(App("f", [k]), 1, Add(App("f", [k]), ONE), None, 0)])
    refused([("ring", x, x, [])], at=1, definitions=[(along, 2, Add(along, ONE), None, 0)])
    named = Indexed("x", slice_(ONE, T))
    for hidden in (named, slice_(ONE, T), cases(Fn("gt", x, ZERO), named, ONE)):
        rows: list[Row] = [
            (Sym("z"), 0, hidden, None, 0),
            (along, 2, Add(App("f", [Sym("z")]), ONE), None, 1),
        ]
        refused([("ring", x, x, [])], at=1, definitions=rows)
    rows = [(Sym("z"), 0, App("f", [named]), None, 0), (along, 2, Add(Sym("z"), ONE), None, 1)]
    refused([("ring", x, x, [])], at=1, definitions=rows)
    # the path of a family that forgets its index would be a particle
    forgets: list[Row] = [
        (Indexed("z", k), 1, Indexed("x", ONE), None, 0),
        (App("f", [free]), 2, Add(App("f", [Indexed("x", ONE)]), ONE), None, 1),
    ]
    whole = Indexed("z", slice_(ONE, T))
    refused([("definition", whole, Indexed("x", ONE), [])], at=1, definitions=forgets)
    product: list[Row] = [(along, 2, Prod(Bound(1), k, single), None, 0)]
    assert verdict([("ring", x, x, [])], product) == "proved"


def test_a_path_hides_what_it_depends_on() -> None:
    free = Indexed("z", slice_(Bound(1), k))
    law = App("f", [free])
    for body in (Mul(θ, Bound(1)), Stop(Indexed("x", k)), Grad("θ", Mul(θ, k))):
        rows: list[Row] = [(law, 2, body, None, 0)]
        here = App("f", [Indexed("z", slice_(ONE, T))])
        refused([("grad_constant", Grad("θ", here), ZERO, [])], definitions=rows)
    plain = App("f", [Indexed("z", slice_(ONE, T))])
    assert verdict([("grad_constant", Grad("θ", plain), ZERO, [])]) == "proved"
    refused([("grad_constant", Grad("θ", plain), ZERO, [])], at=1, dependence=[["z", ["θ"]]])


def test_a_positive_law_is_defined_by_what_is_positive() -> None:
    law = App("p", [Indexed("z", slice_(Bound(1), k))])
    for body, good in ((Indexed("x", k), False), (Prod(Bound(1), k, App("q", [u(k)])), True)):
        found = verdict(
            [("ring", x, x, [])],
            [(law, 2, body, None, 0)],
            assume=(("positive", "p"), ("positive", "q")),
        )
        assert (found == "proved") is good


# ---------------------------------------------------------------------------------- induction
def induction(step_v: Term, base_v: Term, step_u: Term, base_u: Term) -> list[Step]:
    return [
        ("definition", v(k), recursion(step_v, base_v), []),
        ("definition", u(k), recursion(step_u, base_u), []),
        ("induction", v(k), u(k), [0, 1]),
    ]


def test_induction() -> None:
    def rows(step_v: Term, base_v: Term, step_u: Term, base_u: Term) -> list[Row]:
        return [
            (v(k), 1, recursion(step_v, base_v), k, 0),
            (u(k), 1, recursion(step_u, base_u), k, 1),
        ]

    good = (Mul(θ, v(k - ONE)), x, Mul(θ, u(k - ONE)), x)
    assert verdict(induction(*good), rows(*good)) == "proved"
    wrong = [
        (Mul(θ, v(k - ONE)), x, Mul(θ, u(k - ONE)), θ),
        (Mul(θ, v(k - ONE)), x, Mul(φ, u(k - ONE)), x),
        (Mul(θ, v(k - ONE)), x, Mul(θ, u(k - TWO)), x),
        (Mul(θ, v(k - ONE)), x, Mul(v(k - ONE), θ), x),
        (Add(v(k - ONE), v(k - TWO)), x, Add(u(k - ONE), u(k - ONE)), x),
    ]
    for bad in wrong:
        refused(induction(*bad), at=3, definitions=rows(*bad))


def test_induction_is_about_its_family() -> None:
    """The statement is taken at smaller measures and at indices only."""
    here: list[Row] = [
        (v(Bound(1), k), 2, recursion(Mul(θ, v(Bound(1) - ONE, Mul(θ, k))), k, Bound(1)), Bound(1), 0),
        (u(Bound(1), k), 2, recursion(Mul(θ, u(Bound(1) - ONE, Mul(θ, k))), k, Bound(1)), Bound(1), 1),
    ]
    steps: list[Step] = [
        ("definition", here[0][0], here[0][2], []),
        ("definition", here[1][0], here[1][2], []),
        ("induction", here[0][0], here[1][0], [0, 1]),
    ]
    refused(steps, at=3, definitions=here)
    same = recursion(v(k), x)  # F[t] = cases(t > 0: F[t], else: x) says nothing of F[t] for t > 0
    supposed: list[Step] = [("suppose", v(k), same, []), ("suppose", x, recursion(x, x), [])]
    refused([*supposed, ("induction", v(k), x, [0, 1])], at=3)
