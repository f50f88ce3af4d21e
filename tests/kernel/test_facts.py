"""Side conditions: what is discharged is true, what is not is listed."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from soundness import Workshop, closed

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.kernel.facts import ASSUMPTIONS, Facts
from surrogate_calculus.kernel.judgement import Hypothesis, Rejection
from surrogate_calculus.kernel.rules import POSITIVE, SIGNS
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
)

θ, x, N = Sym("θ"), Sym("x"), Sym("N")
ASSUMED = [("positive", "p"), ("positive", "q"), ("count", "N")]


# --------------------------------------------------------------------- what is discharged is true
def _random_sign_term(w: Workshop, depth: int) -> Term:
    """Terms of which the shape often says the sign, and often something near it does not."""
    pick = w.rng.choice
    if depth == 0:
        return pick(
            [
                N,
                Num(w.rng.randint(-2, 3)),
                w.builder.apply("p", 1, w.place(), ()),
                w.production("partial", 1),
                w.expr(1),
            ]
        )
    kind = pick(["add", "mul", "pow", "fn", "fn2", "sum", "prod", "stop", "positive"])
    if kind in ("add", "mul"):
        make = Add if kind == "add" else Mul
        return make(*(_random_sign_term(w, depth - 1) for _ in range(pick([2, 2, 3]))))
    if kind == "pow":
        return Pow(_random_sign_term(w, depth - 1), Num(pick([-2, -1, 0, 1, 2, 3, Fraction(1, 2)])))
    if kind == "fn":
        op = pick(["exp", "sqrt", "abs", "relu", "sigmoid", "softplus", "sin", "tanh", "log", "sign"])
        return Fn(op, _random_sign_term(w, depth - 1))
    if kind == "fn2":
        op = pick(["max", "min", "gt", "ge"])
        return Fn(op, _random_sign_term(w, depth - 1), _random_sign_term(w, depth - 1))
    if kind in ("sum", "prod"):
        body = _random_sign_term(w, depth - 1)
        lo, hi = Num(w.rng.randint(0, 3)), pick([N, Num(w.rng.randint(0, 3))])
        return (Sum if kind == "sum" else Prod)(lo, hi, Mul(body, pick([Num(1), Indexed("u", N, Num(1))])))
    if kind == "stop":
        return pick([Stop, Eval])(_random_sign_term(w, depth - 1))
    return w.positive(1)


def _signs(w: Workshop, term: Term, facts: Facts) -> dict[str, bool]:
    stored = w.add(term)
    return {kind: facts.discharges(kind, stored) for kind in ("positive", "nonzero")}


def _check_signs(rng: random.Random, count: int) -> tuple[int, int]:
    """How many claims of signs held, and how many were not made."""
    true = unclaimed = 0
    while true < count:
        w = Workshop(rng, rational=rng.random() < 0.4)
        w.binders = 0
        term = closed(_random_sign_term(w, rng.randint(0, 3)), (1, 1))
        claims = _signs(w, term, Facts(ASSUMED))
        try:
            value = w.model().value(term)
        except EvaluationError:
            continue
        if claims["positive"]:
            assert claims["nonzero"] and value > 0, (term, w.builder.point)
        if claims["nonzero"]:
            assert value != 0, (term, w.builder.point)
        true += claims["nonzero"]
        unclaimed += not claims["nonzero"]
    return true, unclaimed


def test_signs_are_what_they_are_said_to_be(rng: random.Random) -> None:
    true, unclaimed = _check_signs(rng, 200)
    assert true >= 200 and unclaimed > 50


@pytest.mark.slow
def test_signs_of_many_terms(rng: random.Random) -> None:
    _check_signs(rng, 1200)


def test_a_false_claim_of_a_sign_is_noticed(rng: random.Random, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = ("sin", "tanh", "log", "sign", "sqrt", "relu")
    for op in wrong:
        monkeypatch.setitem(SIGNS, op, (slice(0), POSITIVE, ""))
    with pytest.raises(AssertionError):
        _check_signs(rng, 1200)


P, NP = App("p", [x], params=[θ]), App("f", [x], params=[θ])


@pytest.mark.parametrize(
    ("term", "positive", "nonzero"),
    [
        (Num(2), True, True),
        (Num(-2), False, True),
        (Num(0), False, False),
        (N, True, True),
        (x, False, False),
        (P, True, True),
        (NP, False, False),
        (App("p", [x], params=[θ], partials=[(2, None)]), False, False),
        (Fn("exp", x), True, True),
        (Fn("pi"), True, True),
        (Mul(Num(-1), P), False, True),
        (Mul(P, Num(2), N), True, True),
        (Mul(P, x), False, False),
        (Add(P, N), True, True),
        (Add(P, Num(0)), True, True),
        (Add(Pow(x, Num(2)), Num(1)), True, True),
        (Pow(x, Num(2)), False, False),
        (Add(Pow(x, Num(2)), Fn("abs", θ)), False, False),
        (Add(P, Mul(Num(-1), P)), False, False),
        (Add(P, Num(-1)), False, False),
        (Pow(P, x), True, True),
        (Pow(P, Num(-1)), True, True),
        (Pow(Num(-2), Num(3)), False, True),
        (Pow(Num(-2), Num(2)), True, True),
        (Pow(x, Num(Fraction(1, 2))), False, False),
        (Pow(x, N), False, False),
        (Stop(P), True, True),
        (Eval(Stop(Mul(Num(-1), P))), False, True),
        (Sum(Num(1), N, P), True, True),
        (Sum(Num(0), N, P), True, True),
        (Sum(Num(2), N, P), False, False),
        (Sum(Num(1), x, P), False, False),
        (Sum(Num(1), Num(3), P), True, True),
        (Sum(Num(3), Num(1), P), False, False),
        (Sum(x, N, P), False, False),
        (Sum(Num(1), N, Mul(Num(-1), P)), False, False),
        (Prod(Num(3), Num(1), P), True, True),
        (Prod(Num(1), x, P), True, True),
        (Prod(Num(1), x, Mul(Num(-1), P)), False, True),
        (Prod(Num(1), x, x), False, False),
        (Fn("abs", Num(-2)), True, True),
        (Fn("abs", x), False, False),
        (Fn("sqrt", P), True, True),
        (Fn("sqrt", x), False, False),
        (Fn("softplus", x), True, True),
        (Fn("relu", P), False, False),
        (Fn("max", P, x), True, True),
        (Fn("max", Num(-1), Num(-2)), False, False),
        (Fn("max", Pow(x, Num(2)), θ), False, False),
        (Fn("min", P, N), True, True),
        (Fn("min", P, x), False, False),
        (Fn("min", P, Num(-1)), False, True),
        (Fn("cases", Fn("gt", x, θ), P, P), True, True),
        (Fn("cases", Fn("gt", x, θ), P, x), False, False),
        (Fn("cases", Fn("gt", x, θ), P, Num(-1)), False, True),
        (Fn("log", P), False, False),
        (Grad("θ", P), False, False),
        (Indexed("p", x), False, False),
        (Bound(0), False, False),
        (Expect(App("p", [Bound(0)]), P), False, False),
    ],
    ids=str,
)  # fmt: skip
def test_the_closed_list(term: Term, positive: bool, nonzero: bool) -> None:
    facts, stored = Facts(ASSUMED), Store().add(term)
    assert (facts.discharges("positive", stored), facts.discharges("nonzero", stored)) == (positive, nonzero)


def test_nothing_is_assumed_unless_it_is_said() -> None:
    facts, store = Facts(), Store()
    assert facts.assumptions == () and set(ASSUMPTIONS) == {"positive", "count", "index", "density"}
    assert not facts.discharges("nonzero", store.add(P)) and not facts.discharges("nonzero", store.add(N))
    # the kinds are not mixed up: a count p, a density N
    facts = Facts([("count", "p"), ("positive", "N"), ("count", "p")])
    assert facts.assumptions == (("count", "p"), ("positive", "N"))
    assert not facts.discharges("positive", store.add(P)) and not facts.discharges("positive", store.add(N))


# ---------------------------------------------------------------------------------- hypotheses
def test_what_is_not_discharged_is_listed_once_in_order() -> None:
    facts, store = Facts(ASSUMED), Store()
    a, b, p = store.add(x), store.add(Add(x, θ)), store.add(P)
    facts.require("nonzero", b)
    facts.require("positive", p)
    facts.require("nonzero", a)
    facts.require("nonzero", b)
    facts.require("positive", a)
    assert facts.hypotheses == (Hypothesis("nonzero", b), Hypothesis("nonzero", a), Hypothesis("positive", a))


def test_a_listed_hypothesis_discharges_what_follows_from_it() -> None:
    facts, store = Facts(), Store()
    a, square = store.add(x), store.add(Mul(x, Pow(x, Num(2))))
    facts.require("nonzero", a)
    facts.require("nonzero", square)
    assert [h.term for h in facts.hypotheses] == [a]
    facts.require("positive", square)
    assert len(facts.hypotheses) == 2


@pytest.mark.parametrize("kind", ["nonzero", "positive"])
def test_zero_is_not_nonzero(kind: str) -> None:
    facts, store = Facts(), Store()
    with pytest.raises(Rejection, match="division by zero"):
        facts.require(kind, store.add(Num(0)))
    assert facts.hypotheses == ()


def test_a_false_condition_is_listed_rather_than_lost() -> None:
    facts = Facts()
    facts.require("positive", Store().add(Num(-1)))
    assert [str(h) for h in facts.hypotheses] == ["-1 > 0"]


def test_deep_and_shared_terms_have_signs() -> None:
    store = Store()
    term = store.add(Fn("exp", x))
    for _ in range(3000):
        term = store.node(Mul, None, (term, term))
        term = store.node(Stop, None, (term,))
    assert Facts().discharges("positive", term)
