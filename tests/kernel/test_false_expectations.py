"""Attempts to prove what is not so of expectations, suppositions and ∇ᵏ: each is refused where it cheats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from surrogate_calculus.derive.nodetable import NodeTable
from surrogate_calculus.kernel import check
from surrogate_calculus.kernel.calculus import State
from surrogate_calculus.kernel.certificate import FORMAT, VERSION
from surrogate_calculus.kernel.inference import replaced
from surrogate_calculus.kernel.judgement import Rejection, Verdict
from surrogate_calculus.language.binding import shift
from surrogate_calculus.language.terms import (
    Add,
    App,
    Bound,
    CondExpect,
    Eval,
    Expect,
    Fn,
    Grad,
    Grads,
    Indexed,
    Mul,
    Num,
    Pow,
    Stop,
    Store,
    Sum,
    Sym,
    Term,
    postorder,
)

c, d = Sym("c"), Sym("d")
θ, φ, N, T, k = Sym("θ"), Sym("φ"), Sym("N"), Sym("T"), Bound(0)
ZERO, ONE, TWO = Num(0), Num(1), Num(2)

#: rule, left, right, premises, what it is told: names, numbers of slots, terms
Step = tuple[Any, ...]
#: left, number of indices, law, first time
Sample = tuple[Term, int, Term | None, Term | None]
#: left, number of indices, body, measure, group
Row = tuple[Term, int, Term, Term | None, int]

ASSUMED = (("count", "N"), ("count", "T"), ("density", "p"), ("density", "q"))


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
        assume: Sequence[tuple[str, str]] = ASSUMED,
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
            [
                number(left),
                arity,
                None if law is None else number(law),
                None if first is None else number(first),
            ]
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


def refused(proof: Proof, reason: str, relation: str = "=", at: int | None = None) -> None:
    """Refused for this reason, at the last step or that one (0: by what is said before the steps)."""
    found = proof.verdict(relation)
    step = len(proof.steps) if at is None else max(at, 1)
    assert found.status == "undecided"
    assert found.reason.startswith(f"rejected at step {step}:"), found.reason
    assert reason in found.reason, found.reason


def proved(proof: Proof, relation: str = "=") -> Verdict:
    """Proved; the verdict."""
    found = proof.verdict(relation)
    assert found, found.reason
    return found


def family(name: str, *indices: Term | int) -> Term:
    return Indexed(name, *(Num(i) if isinstance(i, int) else i for i in indices))


def x(*indices: Term | int) -> Term:
    return family("x", *indices)


def a(*indices: Term | int) -> Term:
    return family("a", *indices)


def v(*indices: Term | int) -> Term:
    return family("v", *indices)


def f(*slots: Term) -> Term:
    return App("f", slots)


def given(time: Term | int, body: Term) -> Term:
    """𝔼[· | t](E)."""
    return CondExpect(Num(time) if isinstance(time, int) else time, body)


def law(name: str = "p", *conditions: Term) -> Term:
    return App(name, [k], conditions, [θ])


def drawn(name: str = "p", *conditions: Term) -> Term:
    """The law of a row."""
    return Expect(law(name, *conditions), k)


def less_one(term: Term) -> Term:
    return Add(term, Num(-1))


#: x[t] ~ p(· | x[t-1]; θ) from the time 1 on
CHAIN: Sample = (x(k), 1, drawn("p", x(less_one(Bound(1)))), ONE)
#: x[t] ~ p(·; θ)
ALONE: Sample = (x(k), 1, drawn(), ONE)
#: a[t,·] ~ R(w[·])
ANCESTORS: Sample = (a(Bound(1), k), 2, Sum(ONE, N, family("w", k)), ONE)


# ---------------------------------------------------------------------------- what is known at a time
UNKNOWN = "need not be known"


@pytest.mark.parametrize(
    ("factor", "known"),
    [
        (x(1), True),
        (x(2), False),
        (x(θ), False),
        (x(Num(1) / Num(2)), False),
        (Mul(x(0), x(2)), False),
        (Expect(law("q"), x(k)), False),
        (Sum(ZERO, ONE, x(k)), True),
        (Sum(ZERO, TWO, x(k)), False),
        (Sum(ZERO, x(2), k), False),
        (Sum(ONE, TWO, x(less_one(k))), True),
        (x(a(1, 1)), False),
        (family("z", 0, a(1, 1)), True),
        (family("z", 0, a(2, 1)), False),
        (x(0, a(2, 1)), False),
        (Fn("gt", x(2), ZERO), False),
        (Fn("cases", Fn("gt", x(2), ZERO), ONE, ZERO), False),
        (Fn("cases", Fn("gt", ONE, TWO), x(9), ZERO), True),
        (given(1, x(2)), True),
        (given(2, x(2)), False),
        (given(x(0), x(2)), False),
        (f(family("path", Fn("slice", ZERO, ONE))), True),
        (f(family("path", Fn("slice", ZERO, TWO))), False),
        (f(family("path", Fn("slice", ZERO, ONE), a(2, 1))), False),
        (f(family("path", TWO)), False),
        (Sym("x"), False),
        (θ, True),
    ],
    ids=str,
)
def test_what_is_drawn_later_is_not_known(factor: Term, known: bool) -> None:
    proof = Proof([CHAIN, ANCESTORS], dependence=[["path", ["x", "a"]]])
    proof.take("cond_known", given(1, Mul(factor, x(9))), Mul(factor, given(1, x(9))))
    if known:
        proved(proof)
    else:
        refused(proof, UNKNOWN)


def recursion(step: Term, base: Term) -> Term:
    return Fn("cases", Fn("gt", k, ZERO), step, base)


@pytest.mark.parametrize(
    ("step", "base", "known"),
    [
        (Mul(v(less_one(k)), x(k)), x(0), True),
        (Mul(v(less_one(k)), x(Add(k, ONE))), x(0), False),
        (Mul(v(less_one(k)), x(k)), x(2), False),
        (v(less_one(k)), Fn("cases", Fn("gt", x(5), ZERO), ONE, ZERO), False),
        (Mul(v(less_one(k)), family("w", x(Add(k, ONE)))), ONE, False),
        (Mul(v(less_one(k)), Expect(law("q"), x(k))), ONE, False),
    ],
    ids=str,
)
def test_what_a_definition_hides_counts(step: Term, base: Term, known: bool) -> None:
    body = recursion(step, base)
    proof = Proof([ALONE], [(v(k), 1, body, k, 0)])
    proof.take("cond_known", given(1, Mul(v(1), x(9))), Mul(v(1), given(1, x(9))))
    if known:
        proved(proof)
    else:
        refused(proof, UNKNOWN)


def test_a_name_hides_what_stands_in_its_conditions() -> None:
    for body in (Fn("gt", x(1), ZERO), Fn("cases", Fn("gt", x(1), ZERO), ONE, TWO), Fn("sign", x(1))):
        proof = Proof([ALONE], [(Sym("v"), 0, body, None, 0)])
        proof.take("cond_known", given(0, Mul(Sym("v"), x(1))), Mul(Sym("v"), given(0, x(1))))
        refused(proof, UNKNOWN)


def test_a_range_of_a_sum_is_known() -> None:
    for end, known in ((x(1), False), (x(0), True), (N, True)):
        proof = Proof([ALONE])
        proof.take("cond_sum", given(0, Sum(ONE, end, k)), Sum(ONE, end, given(0, k)))
        if known:
            proved(proof)
        else:
            refused(proof, UNKNOWN)


def test_one_time_is_not_another() -> None:
    """x[t] is known at t, and x[z] is not for a z that is sampled, though both are x[#0]."""
    factor = Mul(Expect(law("q"), x(k)), x(k))
    proof = Proof([ALONE])
    proof.take("cond_known", given(k, Mul(factor, x(7))), Mul(factor, given(k, x(7))))
    refused(proof, UNKNOWN)


def test_a_sampled_variable_is_no_whole_index() -> None:
    """v[1/2] = x[1], so that v[z] for z < 1 need not be known at 0."""
    body = Fn("cases", Fn("gt", ONE, k), x(Mul(TWO, k)), ZERO)
    factor = Expect(law("q"), Fn("cases", Fn("gt", ONE, k), v(k), ZERO))
    proof = Proof([ALONE], [(v(k), 1, body, None, 0)])
    proof.take("cond_known", given(0, Mul(factor, x(1))), Mul(factor, given(0, x(1))))
    refused(proof, UNKNOWN)


def test_a_path_knows_what_its_elements_and_its_definition_do() -> None:
    path = Fn("slice", ONE, TWO)
    ahead: Row = (v(k), 1, x(Add(k, Num(5))), None, 0)
    along: Row = (f(family("z", Fn("slice", Bound(1), k))), 2, x(7), None, 0)
    for row, factor in ((ahead, f(v(path))), (along, f(family("z", path)))):
        proof = Proof([ALONE], [row])
        proof.take("cond_known", given(2, Mul(factor, x(7))), Mul(factor, given(2, x(7))))
        refused(proof, UNKNOWN)


def test_the_tower_is_climbed_one_way() -> None:
    def tower(outer: Term | int, inner: Term | int) -> Proof:
        proof = Proof([ALONE])
        proof.take("cond_tower", given(outer, given(inner, x(5))), given(outer, x(5)))
        return proof

    assert not proved(tower(1, 1)).hypotheses and not proved(tower(0, N)).hypotheses
    # what must be assumed is said in the verdict
    assert [h.kind for h in proved(tower(2, 1)).hypotheses] == ["ge"]
    refused(tower(x(1), 1), "no condition on indices")
    refused(tower(1, θ), "no condition on indices")


# ------------------------------------------------------------------------------- the laws of draws
def draw_step(proof: Proof, body: Term, inner: Term, target: Term, time: Term | int = 0) -> Proof:
    proof.take("expect_draw", given(time, body), given(time, inner), told=[("x", 0, target)])
    return proof


def test_a_draw_has_its_law() -> None:
    density = law("p", x(less_one(ONE)))
    proved(draw_step(Proof([CHAIN]), x(1), Expect(density, k), x(1)))
    proved(draw_step(Proof([CHAIN]), Mul(x(0), x(1)), Expect(density, Mul(x(0), k)), x(1)))
    proved(draw_step(Proof([CHAIN]), x(1), Expect(density, k), x(1), -1))
    refused(draw_step(Proof([CHAIN]), x(1), Expect(law("q", x(0)), k), x(1)), "not the left one")
    refused(draw_step(Proof([CHAIN]), x(1), Expect(density, Mul(TWO, k)), x(1)), "not the left one")
    refused(draw_step(Proof([CHAIN]), x(1), Expect(density, k), x(1), 1), "known already")
    refused(draw_step(Proof([CHAIN]), Mul(x(1), x(2)), Expect(density, Mul(k, x(2))), x(1)), "not known")
    refused(draw_step(Proof([CHAIN]), x(0), Expect(law("p", x(less_one(ZERO))), k), x(0), -1), "at that time")
    refused(draw_step(Proof([]), x(1), Expect(density, k), x(1)), "nothing says")
    twice = Mul(x(1), x(1))
    proved(draw_step(Proof([CHAIN]), twice, Expect(density, Mul(k, k)), x(1)))
    refused(draw_step(Proof([CHAIN]), twice, Expect(density, Mul(k, x(1))), x(1)), "not known")


def test_the_draws_of_one_row_are_no_two_times() -> None:
    """(𝔼 x)² is not 𝔼 x²: not for rows that draw one family at two fixed times either."""
    rows: list[Sample] = [(x(0), 0, drawn(), None), (x(1), 0, drawn(), None)]
    refused(draw_step(Proof(rows), Mul(x(1), x(1)), Expect(law(), Mul(k, x(1))), x(1)), "not known")
    later: list[Sample] = [(family("y", 0), 0, drawn(), None), (x(1), 0, drawn(), None)]
    later.append((family("y", k), 1, drawn("q", x(Bound(1))), ONE))
    y = family("y", 1)
    refused(draw_step(Proof(later), Mul(x(1), y), Expect(law(), Mul(k, y)), x(1)), "not known")


def test_what_is_drawn_stands_in_no_inner_expectation() -> None:
    def square(term: Term) -> Term:
        return Pow(given(0, term), TWO)

    refused(draw_step(Proof([ALONE]), square(x(1)), Expect(law(), square(k)), x(1)), "under another 𝔼")
    proof = Proof([ANCESTORS])
    weighted = Mul(N, Sum(ONE, N, Mul(family("w", k), square(k))))
    left = given(0, Sum(ONE, N, square(a(1, k))))
    proof.take("expect_offspring", left, given(0, weighted), told=[("a", 0, a(1, k))])
    refused(proof, "under another 𝔼")


def offspring(target: Term, row: Sample, weight: Term, number: Term = N) -> Proof:
    proof = Proof([row, ALONE])
    left = given(0, Sum(ONE, N, f(target)))
    right = given(0, Mul(number, Sum(ONE, N, Mul(weight, f(k)))))
    proof.take("expect_offspring", left, right, told=[("a", 0, target)])
    return proof


def test_offspring_are_counted_once() -> None:
    weight = family("w", k)
    refused(offspring(a(1, k), ANCESTORS, weight, Add(N, ONE)), "number")
    refused(offspring(a(1, k), ANCESTORS, family("u", k)), "under the law of the draw")
    refused(offspring(a(1, 1), ANCESTORS, weight), "under the law of the draw")
    refused(offspring(a(0, k), ANCESTORS, weight), "at that time")
    # a[t,m,·] is unbiased for each m, which says nothing of a[t,i,i], nor of an m chosen afterwards
    three: Sample = (a(Bound(2), Bound(1), k), 3, Sum(ONE, N, family("w", k)), ONE)
    refused(offspring(a(1, k, k), three, weight), "would be lost")
    refused(offspring(a(1, x(1), k), three, weight), "not known")


def test_weights_and_times_that_depend_on_the_child_are_refused() -> None:
    own: Sample = (a(Bound(1), k), 2, Sum(ONE, N, family("w", k, Bound(1))), ONE)
    refused(offspring(a(1, k), own, family("w", k)), "would be lost")
    refused(offspring(a(k, k), ANCESTORS, family("w", k)), "would be lost")


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([(x(k, ONE), 1, drawn(), ONE)], "a draw is of a family"),
        ([(x(k), 1, drawn(), None)], "a draw is of a family"),
        ([(x(k), 1, drawn(), k)], "a draw is of a family"),
        ([(x(k), 1, drawn(), N)], "a draw is of a family"),
        ([(x(ONE), 0, drawn(), ONE)], "a draw is of a family"),
        ([(x(Bound(1)), 1, drawn(), ONE)], "a draw is of a family"),
        ([(x(k, k), 1, drawn(), ONE)], "a draw is of a family"),
        ([(x(Add(k, ONE)), 1, drawn(), ONE)], "a draw is of a family"),
        ([(f(x(k)), 1, None, ONE)], "a draw is of a family"),
        ([(family("N", k), 1, drawn(), ONE)], "drawn and defined"),
        ([(v(k), 1, drawn(), ONE)], "drawn and defined"),
        ([(x(k), 1, law("p"), ONE)], "a law is"),
        ([(x(k), 1, given(0, k), ONE)], "a law is"),
        ([(x(k), 1, drawn("p", x(Bound(2))), ONE)], "a law is"),
        ([(x(k), 1, drawn("r"), ONE)], "integrates to one"),
        ([(x(k), 1, Expect(TWO, k), ONE)], "integrates to one"),
        ([(x(k), 1, Expect(App("p", [k, θ]), k), ONE)], "integrates to one"),
        ([(x(k), 1, Expect(App("p", [k], [k]), k), ONE)], "integrates to one"),
        ([(x(k), 1, Expect(App("p", [k], params=[Stop(θ)]), k), ONE)], "⊥ outside every →"),
        ([ALONE, ALONE], "drawn twice"),
        ([ALONE, (x(ONE), 0, drawn("q"), None)], "drawn twice"),
        ([(x(ONE), 0, drawn("q"), None), ALONE], "drawn twice"),
        ([(x(ZERO), 0, drawn("q"), None), (x(ZERO), 0, None, None)], "drawn twice"),
        ([(x(k), 1, drawn(), TWO), (x(k), 1, None, Num(5))], "drawn twice"),
        ([ALONE, (Sym("x"), 0, None, None)], "drawn twice"),
    ],
    ids=str,
)
def test_rows_that_say_nothing_or_too_much(rows: list[Sample], reason: str) -> None:
    proof = Proof(rows, [(v(k), 1, k, None, 0)])
    proof.take("ring", c, c)
    refused(proof, reason, at=0)


def test_what_is_drawn_is_no_parameter() -> None:
    proof = Proof([ALONE])
    proof.take("ring", Grad("x", x(1), ONE), Grad("x", x(1), ONE))
    refused(proof, "no parameter of ∇", at=0)


# ------------------------------------------------------------------------------ one index for another
def test_a_drawn_index_is_not_put_under_an_expectation() -> None:
    """𝔼[· | 0](g(i)) = g(i) for every i, not for i = a[1,1]."""
    index = (*ASSUMED, ("index", "a"))
    left = Mul(k, ONE)
    for target in (a(1, 1), a(1, N)):
        proof = Proof([ANCESTORS], assume=index)
        known = proof.take("cond_known", given(0, left), Mul(k, given(0, ONE)))
        one = proof.take("cond_one", given(0, ONE), ONE)
        out = proof.take("congruence", Mul(k, given(0, ONE)), left, one)
        whole = proof.take("transitivity", given(0, left), left, known, out)
        proof.take("instance", given(0, Mul(target, ONE)), Mul(target, ONE), whole)
        refused(proof, "drawn")
    body = given(0, k)
    proof = Proof([ANCESTORS], [(v(k), 1, body, None, 0)])
    proof.take("definition", v(a(1, 1)), given(0, a(1, 1)))
    refused(proof, "an index that is drawn")


def test_comparisons_do_not_move_out_of_expectations() -> None:
    condition = Fn("gt", x(1), ZERO)
    proof = Proof([ALONE])
    left = given(0, Mul(condition, x(1)))
    right = Fn("cases", condition, given(0, Mul(ONE, x(1))), given(0, Mul(ZERO, x(1))))
    proof.take("cases_split", left, right)
    refused(proof, "does not give what is claimed")


# ------------------------------------------------------------------------------------- parameters
def test_the_law_of_draws_depends_on_every_parameter() -> None:
    mean = given(0, x(1))
    proof = Proof([ALONE])
    proof.take("grad_constant", Grad("θ", mean), ZERO)
    refused(proof, "no rule moves ∇ inside")
    proof = Proof([ALONE], [(Sym("v"), 0, mean, None, 0)])
    proof.take("grad_constant", Grad("θ", Sym("v")), ZERO)
    refused(proof, "unfold it first")
    apart = App("f", [mean], params=[θ])
    proof = Proof([ALONE])
    proof.take("ring", Grad("θ", apart), App("f", [mean], params=[θ], partials=[(2, None)]))
    refused(proof, "different polynomials")


def test_values_are_not_equal_under_powers_of_nabla() -> None:
    """θ =→ ⊥θ, and ∇ᵏ of the one is not ∇ᵏ of the other."""
    for power in (lambda body: Grads("θ", N, body), lambda body: Grads("θ", body, φ)):
        proof = Proof()
        told = proof.take("suppose_value", θ, Stop(θ))
        proof.take("congruence", power(θ), power(Stop(θ)), told)
        refused(proof, "may not be used under ∇", "=→")


def test_orders_are_counts() -> None:
    def next_one(order: Term) -> Proof:
        proof = Proof()
        proof.take("grads_next", Grads("θ", order, φ), Grad("θ", Grads("θ", less_one(order), φ)))
        return proof

    assert not proved(next_one(N)).hypotheses
    assert [h.kind for h in proved(next_one(ZERO)).hypotheses] == ["int"]  # -1 ≥ 0, and nobody believes it
    for order in (θ, f(θ), x(1)):
        refused(next_one(order), "no condition on indices")
    refused(next_one(Num(1) / Num(2)), "no whole number")
    proof = Proof()
    proof.take("grads_zero", Grads("θ", N, φ), φ)
    refused(proof, "does not match")
    proof = Proof()  # an order that is sampled
    told = proof.take("grads_next", Grads("θ", k, φ), Grad("θ", Grads("θ", less_one(k), φ)))
    sides = (Expect(law(), Grads("θ", k, φ)), Expect(law(), Grad("θ", Grads("θ", less_one(k), φ))))
    proof.take("congruence", *sides, told)
    refused(proof, "under")
    for name in ("N", "v"):
        proof = Proof([], [(Sym("v"), 0, θ, None, 0)])
        proof.take("grads_zero", Grads(name, ZERO, φ), φ)
        refused(proof, "no parameter of ∇")


# -------------------------------------------------------------------------------- expectations
def test_only_a_density_of_its_variable_integrates_to_one() -> None:
    dense = (*ASSUMED[:2], ("density", "p"))
    for density, good in (
        (App("p", [k], [θ]), True),
        (App("p", [k], [k]), False),
        (App("p", [k], [], [k]), False),
        (App("p", [k, θ]), False),
        (App("p", [θ], [k]), False),
        (App("p", [k], partials=[(1, None)]), False),
        (App("q", [k]), False),
        (Mul(TWO, App("p", [k])), False),
    ):
        proof = Proof(assume=dense)
        proof.take("expect_one", Expect(density, ONE), ONE)
        if good:
            proved(proof)
        else:
            refused(proof, "no density of the variable alone")


def test_an_expectation_keeps_what_knows_its_variable() -> None:
    """A factor, the range of a sum, the law of another variable: none may be moved out past its own."""
    scale = Proof()
    scale.take("expect_scale", Mul(k, Expect(law(), k)), Expect(law(), Mul(k, k)))
    refused(scale, "does not give what is claimed")
    range_ = Proof()
    range_.take("expect_sum", Expect(law(), Sum(ONE, k, ONE)), Sum(ONE, k, Expect(law(), ONE)))
    refused(range_, "bound index that it would lose")
    inner = Expect(law("q", Bound(1)), k)
    swap = Proof()
    swap.take("expect_swap", Expect(law(), inner), Expect(law("q", k), Expect(law(), Bound(1))))
    refused(swap, "bound index that it would lose")


def test_hypotheses_of_expectations_are_in_the_verdict() -> None:
    mean = Expect(law(), f(k))
    score = Add(Grad("θ", f(k)), Mul(f(k), Grad("θ", Fn("log", law()))))
    proof = Proof()
    proof.take("expect_score", Grad("θ", mean), Expect(law(), score))
    assert {h.kind for h in proved(proof).hypotheses} == {"positive", "interchange"}
    proof = Proof()
    weighted = Mul(law(), Pow(law("q"), Num(-1)), f(k))
    proof.take("expect_weight", mean, Expect(law("q"), weighted))
    assert {h.kind for h in proved(proof).hypotheses} == {"positive", "support"}


def test_no_stop_comes_under_an_expectation() -> None:
    stopped = Proof()
    stopped.take("expect_scale", Mul(Stop(θ), Expect(law(), k)), Expect(law(), Mul(Stop(θ), k)))
    refused(stopped, "⊥ outside every →")
    hidden = Proof([], [(Sym("v"), 0, Stop(θ), None, 0)])
    hidden.take("expect_scale", Mul(Sym("v"), Expect(law(), k)), Expect(law(), Mul(Sym("v"), k)))
    refused(hidden, "⊥ outside every →")
    plain = Proof([ALONE])
    plain.take("ring", given(0, Mul(Stop(θ), x(1))), given(0, Mul(x(1), Stop(θ))))
    refused(plain, "⊥ outside every →")
    arrow = Proof([ALONE])
    mean = given(0, Eval(Mul(Stop(θ), x(1))))
    arrow.take("eval_free", Eval(mean), mean)
    proved(arrow)


# ----------------------------------------------------------------------------------- suppositions


def test_what_is_supposed_stays_in_the_verdict() -> None:
    proof = Proof()
    first = proof.take("suppose", c, d)
    sum_ = proof.take("congruence", Mul(c, θ), Mul(d, θ), first)
    proof.take("symmetry", Mul(d, θ), Mul(c, θ), sum_)
    proof.take("value", Mul(d, θ), Mul(c, θ), 2)
    axioms = proved(proof, "=→").axioms
    assert [(s.lhs, s.rhs) for s in axioms] == [(c, d)]
    proof = Proof()
    told = proof.take("suppose", Grad("θ", c), ONE)
    proof.take("grad_product", Grad("θ", Mul(c, θ)), Mul(c, Grad("θ", θ)))
    proved(proof)  # what is supposed of ∇c is not used behind the back of the verdict
    proof.steps.pop()
    proof.take("grad_product", Grad("θ", Mul(c, θ)), Add(Mul(ONE, θ), Mul(c, Grad("θ", θ))), told)
    refused(proof, "takes no premises")
    proof = Proof()
    proof.take("suppose", c, d, told=[("c", 0, c)])
    proof.take("suppose", c, θ, 0)
    refused(proof, "no premises")


def test_what_is_supposed_of_one_function_is_not_so_of_all() -> None:
    square = ("f", 1, Mul(k, k))
    for every, good in (([], False), ([("f", 0, c)], True)):
        proof = Proof()
        told = proof.take("suppose", f(c), f(ZERO), told=every)
        proof.take("substitute", Mul(c, c), Mul(ZERO, ZERO), told, told=[square])
        if good:
            assert len(proved(proof).axioms) == 1
        else:
            refused(proof, "not arbitrary")


def test_only_what_is_arbitrary_is_replaced() -> None:
    """Names of which something is assumed, defined, supposed or drawn stand for themselves."""
    cases: list[tuple[Term, tuple[str, int, Term], dict[str, Any]]] = [
        (N, ("N", 0, θ), {}),
        (App("p", [c]), ("p", 1, Num(-1)), {"assume": [("positive", "p")]}),
        (App("p", [c]), ("p", 1, ONE), {"assume": [("density", "p")]}),
        (Sym("v"), ("v", 0, θ), {"definitions": [(Sym("v"), 0, ONE, None, 0)]}),
        (c, ("c", 0, θ), {"definitions": [(Sym("v"), 0, c, None, 0)]}),
        (f(c), ("f", 1, θ), {"definitions": [(Sym("v"), 0, f(ONE), None, 0)]}),
        (Sym("x"), ("x", 0, θ), {"samples": [ALONE]}),
        (c, ("c", 0, ONE), {"samples": [(x(k), 1, drawn("p", c), ONE)]}),
        (App("p", [c]), ("p", 1, ONE), {"samples": [ALONE]}),
    ]
    for term, told, fields in cases:
        proof = Proof(**fields)
        same = proof.take("ring", Mul(term, d), Mul(d, term))
        bodies = {told[0]: (told[1], told[2])}
        left, right = (_replaced(t, bodies) for t in (Mul(term, d), Mul(d, term)))
        proof.take("substitute", left, right, same, told=[told])
        refused(proof, "not arbitrary")


def _replaced(term: Term, bodies: dict[str, tuple[int, Term]]) -> Term:
    return replaced(State(), term, bodies)


def test_the_law_of_a_draw_is_not_of_any_draw() -> None:
    for body, told in ((ONE, ("c", 0, ONE)), (d, ("c", 0, d))):
        proof = Proof([(x(k), 1, drawn("p", c), ONE)])
        first = draw_step(proof, x(1), Expect(law("p", c), k), x(1))
        first.take("substitute", given(0, x(1)), given(0, Expect(law("p", body), k)), 0, told=[told])
        refused(first, "not arbitrary")


def test_a_hypothesis_about_a_variable_is_one_about_what_replaces_it() -> None:
    def ratio(term: Term) -> Term:
        return Mul(term, Pow(term, Num(-1)))

    proof = Proof()
    one = proof.take("ring", ratio(c), ONE)
    proof.take("substitute", ratio(d), ONE, one, told=[("c", 0, d)])
    assert {h.term for h in proved(proof).hypotheses} == {c, d}
    proof.take("substitute", ratio(ZERO), ONE, one, told=[("c", 0, ZERO)])
    refused(proof, "division by zero")


@pytest.mark.parametrize(
    ("left", "right", "rule", "told", "reason"),
    [
        # the parameter of a ∇, and what depends on it
        (Grad("θ", Mul(c, θ)), c, "grad_product", ("c", 0, θ), "depends on a parameter"),
        (Grad("θ", Mul(c, θ)), c, "grad_product", ("θ", 0, c), "parameter of ∇"),
        (Grad("θ", Mul(f(c), θ)), f(c), "grad_product", ("f", 1, Mul(k, θ)), "depends on a parameter"),
        (Grad("θ", Mul(c, θ)), c, "grad_product", ("c", 0, Stop(θ)), "replaced by a ⊥"),
        # a function that hides what ⊥ does not see
        (Stop(f(θ)), f(Stop(θ)), "stop_function", ("f", 1, Mul(k, φ)), "depends on a parameter"),
        (Stop(f(θ)), f(Stop(θ)), "stop_function", ("f", 1, Grad("θ", Pow(k, TWO))), "depends on a parameter"),
        (Stop(f(θ)), f(Stop(θ)), "stop_function", ("f", 1, Stop(k)), "replaced by a ⊥"),
        # other slots, partial derivatives, loose indices
        (f(c), f(c), "ring", ("f", 2, Mul(k, Bound(1))), "other slots"),
        (f(c), f(c), "ring", ("f", 0, θ), "other slots"),
        (f(c), f(c), "ring", ("f", 1, Mul(k, Bound(1))), "index of somewhere else"),
        (
            App("f", [c], partials=[(1, None)]),
            App("f", [c], partials=[(1, None)]),
            "ring",
            ("f", 1, k),
            "is differentiated in one",
        ),
        # what is drawn, under 𝔼
        (
            given(0, Mul(c, x(1))),
            Mul(c, given(0, x(1))),
            "cond_known",
            ("c", 0, x(1)),
            "what is drawn, under",
        ),
        (
            given(0, Mul(f(c), x(1))),
            Mul(f(c), given(0, x(1))),
            "cond_known",
            ("f", 1, Mul(k, x(1))),
            "what is drawn, under",
        ),
        (
            given(0, Mul(c, x(1))),
            Mul(c, given(0, x(1))),
            "cond_known",
            ("c", 0, Stop(θ)),
            "⊥ outside every →",
        ),
    ],
    ids=str,
)
def test_substitutions_that_change_what_is_meant(
    left: Term, right: Term, rule: str, told: tuple[str, int, Term], reason: str
) -> None:
    proof = Proof([ALONE])
    if rule == "grad_product":
        one = proof.take("grad_parameter", Grad("θ", θ), ONE)
        assert one == 0
    first = proof.take(rule, left, right)
    proved(proof)
    bodies = {told[0]: (told[1], told[2])}
    try:
        sides = [_replaced(side, bodies) for side in (left, right)]
    except (Rejection, ValueError):
        sides = [left, right]
    proof.take("substitute", sides[0], sides[1], first, told=[told])
    refused(proof, reason, at=0 if "→" in reason else None)


def test_a_substitution_sees_what_definitions_hide() -> None:
    """v[c] = ∇θ(θ c) = c, but v[θ] = ∇θ(θ²) = 2θ."""
    proof = Proof([], [(v(k), 1, Grad("θ", Mul(θ, k)), None, 0)])
    unfolded = proof.take("definition", v(c), Grad("θ", Mul(θ, c)))
    proof.take("grad_parameter", Grad("θ", θ), ONE)
    product = proof.take("grad_product", Grad("θ", Mul(θ, c)), c)
    whole = proof.take("transitivity", v(c), c, unfolded, product)
    proof.take("substitute", v(θ), θ, whole, told=[("c", 0, θ)])
    refused(proof, "depends on a parameter")


def test_a_mean_depends_on_every_parameter_when_it_is_put_for_a_variable() -> None:
    mean = given(0, x(1))
    for value, rows in ((mean, []), (Sym("v"), [(Sym("v"), 0, mean, None, 0)])):
        proof = Proof([ALONE], rows)
        first = proof.take("grad_product", Grad("θ", Mul(c, θ)), Mul(c, Grad("θ", θ)))
        sides = (Grad("θ", Mul(value, θ)), Mul(value, Grad("θ", θ)))
        proof.take("substitute", *sides, first, told=[("c", 0, value)])
        refused(proof, "depends on a parameter")


def test_no_function_averages_its_slot() -> None:
    square = Pow(given(0, k), TWO)
    proof = draw_step(Proof([ALONE]), f(x(1)), Expect(law(), f(k)), x(1))
    proved(proof)
    left, right = given(0, Pow(given(0, x(1)), TWO)), given(0, Expect(law(), square))
    proof.take("substitute", left, right, 0, told=[("f", 1, square)])
    refused(proof, "no function of its slots")


def test_a_path_is_no_variable() -> None:
    path = Fn("slice", ONE, T)
    proof = Proof([], [(v(k), 1, x(1), None, 0)])
    first = proof.take("definition", v(c), x(1))
    proof.take("substitute", v(path), x(1), first, told=[("c", 0, path)])
    refused(proof, "no function of its slots")


# -------------------------------------------------------------------------------------- induction
def induction(
    left: Term, right: Term, base: Sequence[Step], every: Sequence[Any] = (), name: str = "N"
) -> Proof:
    """P(0) by these steps, P(N) supposed, taken for a step from P(N-1)."""
    proof = Proof(assume=(("count", "N"), ("count", "T")))
    proof.steps.extend(base)
    first = len(proof.steps) - 1
    step = proof.take("suppose", left, right)
    proof.take("induction_over", left, right, first, step, told=[(name, 0, N)])
    return proof


def test_induction_needs_its_step() -> None:
    zero: Step = ("ring", Mul(ZERO, θ), ZERO, [], [])
    refused(induction(Mul(N, θ), ZERO, [zero]), "something is said of N elsewhere")
    refused(induction(Mul(N, θ), ZERO, [("ring", Mul(ONE, θ), θ, [], [])]), "no base")
    refused(induction(Mul(N, θ), ZERO, [zero], name="θ"), "over a count")
    refused(induction(Mul(N, θ), ZERO, [zero], name="T"), "no base")


def sum_of(term: Term) -> Term:
    return Sum(ONE, term, f(k))


def test_what_is_supposed_in_an_induction_is_of_a_smaller_count() -> None:
    """From P(N+1), P(N), P(T-1), or from P(N-1) for every N or for too many, nothing follows."""
    before = less_one(N)
    for smaller in (Add(N, ONE), N, less_one(T), Add(N, Num(-2))):
        proof = Proof()
        base = proof.take("sum_empty", sum_of(ZERO), ZERO)
        told = proof.take("suppose", sum_of(smaller), Mul(smaller, θ))
        proof.take("ring", Mul(ZERO, θ), ZERO)
        back = proof.take("symmetry", ZERO, Mul(ZERO, θ), 2)
        base = proof.take("transitivity", sum_of(ZERO), Mul(ZERO, θ), base, back)
        step = proof.take("suppose", sum_of(N), Mul(N, θ))
        assert told < step
        proof.take("induction_over", sum_of(N), Mul(N, θ), base, step, told=[("N", 0, N)])
        refused(proof, "something is said of N elsewhere")
    proof = Proof()
    told = proof.take("suppose", sum_of(before), ZERO, told=[("N", 0, N)])
    proof.take("substitute", sum_of(N), ZERO, told, told=[("N", 0, Add(N, ONE))])
    refused(proof, "not arbitrary")


def test_a_definition_that_knows_the_count_spoils_the_induction() -> None:
    """v := N. P(m): (v-1) [m > 0] = 0 holds at 0, and P(N-1) says N = 1; P(N) would be N = 1."""
    less, vm = less_one(N), less_one(Sym("v"))

    def claim(m: Term) -> Term:
        return Mul(vm, Fn("gt", m, ZERO))

    proof = Proof([], [(Sym("v"), 0, N, None, 0)], assume=(("count", "N"),))
    take = proof.take
    none = take("gt_false", Fn("gt", ZERO, ZERO), ZERO)
    at_zero = take("congruence", claim(ZERO), Mul(vm, ZERO), none)
    base = take("transitivity", claim(ZERO), ZERO, at_zero, take("ring", Mul(vm, ZERO), ZERO))
    told = take("suppose", claim(less), ZERO)
    value = take("congruence", vm, less, take("definition", Sym("v"), N))
    condition, ones = Fn("gt", less, ZERO), Sum(ONE, less, ONE)
    number = Mul(Add(Add(less, Mul(Num(-1), ONE)), ONE), ONE)
    chosen = Fn("cases", condition, number, ZERO)
    some, no = take("sum_constant", ones, number), take("sum_empty", ones, ZERO)
    back, zero = take("symmetry", number, ones, some), take("symmetry", ZERO, ones, no)
    alike = Fn("cases", condition, ones, ones)
    either = take("congruence", chosen, alike, back, zero)
    one = take("transitivity", chosen, ones, either, take("cases_same", alike, ones))
    both = take("symmetry", ones, chosen, one)
    as_cases = take("transitivity", less, chosen, take("ring", less, number), back, both)
    split = Fn("cases", condition, Mul(less, ONE), Mul(less, ZERO))
    apart = take("cases_split", Mul(less, condition), split)
    first, second = take("ring", Mul(less, ONE), number), take("ring", Mul(less, ZERO), ZERO)
    joined = take("congruence", split, chosen, first, second)
    as_number = take("symmetry", chosen, less, as_cases)
    unfolded = take("congruence", claim(less), Mul(less, condition), value)
    whole = take("transitivity", claim(less), less, unfolded, apart, joined, as_number)
    nothing = take("transitivity", less, ZERO, take("symmetry", less, claim(less), whole), told)
    positive = Fn("gt", N, ZERO)
    here = take("congruence", claim(N), Mul(less, positive), value)
    gone = take("congruence", Mul(less, positive), Mul(ZERO, positive), nothing)
    step = take("transitivity", claim(N), ZERO, here, gone, take("ring", Mul(ZERO, positive), ZERO))
    proved(proof)
    take("induction_over", claim(N), ZERO, base, step, told=[("N", 0, N)])
    refused(proof, "something is said of N elsewhere")


def test_the_hypothesis_of_an_induction_is_not_about_all_that_is_fixed() -> None:
    """It is none if it is supposed for every f where f is in a law or a definition, or known to be > 0."""
    before = less_one(N)
    told = [("f", 0, c)]
    for fields, good in (
        ({}, True),
        ({"assume": (*ASSUMED, ("positive", "f"))}, False),
        ({"definitions": [(Sym("v"), 0, f(ONE), None, 0)]}, False),
        ({"samples": [(a(Bound(1), k), 2, Sum(ONE, TWO, f(k)), ONE)]}, False),
    ):
        proof = Proof(**fields)  # type: ignore[arg-type]
        left, right = sum_of(N), Mul(ONE, sum_of(N))
        none, nil = sum_of(ZERO), Mul(ONE, sum_of(ZERO))
        base = proof.take("ring", none, nil)
        smaller = proof.take("suppose", sum_of(before), Mul(ONE, sum_of(before)), told=told)
        last = proof.take("sum_last", left, Add(sum_of(before), f(N)))
        longer = Add(Mul(ONE, sum_of(before)), f(N))
        used = proof.take("congruence", Add(sum_of(before), f(N)), longer, smaller)
        shorter = proof.take("ring", longer, Add(sum_of(before), f(N)))
        back = proof.take("symmetry", Add(sum_of(before), f(N)), left, last)
        ring = proof.take("ring", left, right)
        step = proof.take("transitivity", left, right, last, used, shorter, back, ring)
        proof.take("induction_over", left, right, base, step, told=[("N", 0, N)])
        if good:
            assert not proved(proof).axioms
        else:
            refused(proof, "too many")


# ------------------------------------------------------------------------- what is hidden more deeply
def test_the_indices_of_a_hypothesis_are_its_own() -> None:
    """c + i ≠ 0 for every i becomes 2k + 1 + i ≠ 0 for every i and k."""

    def ratio(value: Term) -> Term:
        term = Add(shift(value, 1), k)
        return Sum(ONE, N, Mul(term, Pow(term, Num(-1))))

    def one_by_one(value: Term) -> Proof:
        proof = Proof()
        inner = Add(c, k)
        one = proof.take("field", Mul(inner, Pow(inner, Num(-1))), ONE)
        whole = proof.take("congruence", ratio(c), Sum(ONE, N, ONE), one)
        proof.take("substitute", ratio(value), Sum(ONE, N, ONE), whole, told=[("c", 0, value)])
        return proof

    found = {h.term for h in proved(one_by_one(Add(Mul(TWO, k), ONE))).hypotheses}
    assert any(len({n for n in postorder(h) if n.__class__ is Bound}) == 2 for h in found)


def test_no_function_averages_its_slot_in_a_condition() -> None:
    def above(term: Term) -> Term:
        return Fn("gt", given(0, term), Num(1) / Num(2))

    proof = draw_step(Proof([ALONE]), f(x(1)), Expect(law(), f(k)), x(1))
    sides = (given(0, above(x(1))), given(0, Expect(law(), above(k))))
    proof.take("substitute", *sides, 0, told=[("f", 1, above(k))])
    refused(proof, "no function of its slots")


def test_only_paths_are_known_of_what_nothing_defines() -> None:
    proof = Proof([ALONE], dependence=[["z", ["x"]]])
    element = family("z", ZERO)
    proof.take("cond_known", given(0, Mul(element, x(7))), Mul(element, given(0, x(7))))
    refused(proof, UNKNOWN)


def test_a_definition_along_a_path_tells_of_the_path() -> None:
    """f(z[a:b]) := x[7]: then no function of z[1:2] need be known at 2."""
    row: Row = (f(family("z", Fn("slice", Bound(1), k))), 2, x(7), None, 0)
    here = App("g", [family("z", Fn("slice", ONE, TWO))])
    proof = Proof([ALONE], [row])
    proof.take("cond_known", given(2, Mul(here, x(7))), Mul(here, given(2, x(7))))
    refused(proof, UNKNOWN)
