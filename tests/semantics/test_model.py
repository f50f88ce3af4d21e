"""The two-copy model against the paper, against hand-computed numbers, and against finite differences."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from fractions import Fraction as F
from typing import Any

import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from surrogates import Surrogate, random_surrogate, surrogates
from timing import within

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.language.terms import (
    FUNCTIONS,
    Add,
    App,
    Axis,
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
    Sum,
    Sym,
    Term,
    div,
    sub,
)
from surrogate_calculus.semantics import Model, Polynomial, UndefinedAt

θ, φ, x, N = Sym("θ"), Sym("φ"), Sym("x"), Sym("N")
TOLERANCE = mpmath.mpf(10) ** -30


def close(a: Any, b: Any) -> bool:
    """Equal where both are exact, equal to 30 digits otherwise."""
    if isinstance(a, F) and isinstance(b, F):
        return a == b
    with mpmath.workdps(50):
        a, b = _real(a), _real(b)
        return bool(abs(a - b) <= TOLERANCE * max(1, abs(a), abs(b)))


def _real(a: Any) -> Any:
    return mpmath.mpf(a.numerator) / a.denominator if isinstance(a, (F, int)) else mpmath.mpf(a)


def series(s: Surrogate, term: Term, degree: int = 2) -> Mapping[Any, Any]:
    wrt: list[str | tuple[str, int]] = []
    for name in ("θ", "φ"):
        value = s.point.get(name)
        if isinstance(value, tuple):
            wrt += [(name, k) for k in range(1, len(value) + 1)]
        elif value is not None:
            wrt.append(name)
    return s.model().series(term, degree, wrt)


def same(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> bool:
    return all(close(a.get(m, F(0)), b.get(m, F(0))) for m in {*a, *b})


# An evaluator that shares nothing with the model: a tree walk at two copies that are numbers, with
# central differences for ∇ and for the partial derivatives of opaque functions.

# Up to eight nested differences, each of which costs the 25 digits of the step.
DIGITS = 300
STEP = mpmath.mpf(10) ** -25

Copies = dict[Any, Any]


class FiniteDifferences:
    def __init__(self, s: Surrogate) -> None:
        self.s = s
        self.params = {"θ", "φ"} & set(s.point)

    def value(self, term: Term, axes: Mapping[int, int] | None = None) -> Any:
        with mpmath.workdps(DIGITS):
            copies: Copies = {}
            for name in self.params:
                value = self.s.point[name]
                for k, v in enumerate(value, 1) if isinstance(value, tuple) else [(None, value)]:
                    copies[name, k] = _real(v)
            return self.walk(term, copies, copies, (), axes or {})

    def walk(self, e: Term, live: Copies, stopped: Copies, env: tuple[int, ...], axes: Any) -> Any:
        def at(child: Term, live: Copies = live, stopped: Copies = stopped) -> Any:
            return self.walk(child, live, stopped, env, axes)

        def index(child: Term) -> int:
            return int(mpmath.nint(at(child)))

        match e:
            case Num():
                return _real(e.value)
            case Bound():
                return mpmath.mpf(env[e.index])
            case Axis():
                return mpmath.mpf(axes[e.number])
            case Sym():
                return live[e.name, None] if e.name in self.params else _real(self.s.point[e.name])
            case Indexed():
                if e.name in self.params:
                    return live[e.name, index(e.args[0])]
                family = self.s.point[e.name]
                for i in e.args:
                    family = family[index(i) - 1]
                return _real(family)
            case Add():
                return mpmath.fsum(at(a) for a in e.args)
            case Mul():
                return mpmath.fprod(at(a) for a in e.args)
            case Pow():
                exponent = at(e.exponent)
                return at(e.base) ** (int(exponent) if exponent == int(exponent) else exponent)
            case Stop():
                return at(e.args[0], stopped, stopped)
            case Eval():
                return at(e.args[0], live, live)
            case Grad():
                key = (e.param, None if e.coordinate is None else index(e.coordinate))
                return central(lambda h: at(e.body, {**live, key: live[key] + h}))
            case Sum() | Prod():
                values = [
                    self.walk(e.body, live, stopped, (i, *env), axes)
                    for i in range(index(e.lo), index(e.hi) + 1)
                ]
                return mpmath.fsum(values) if isinstance(e, Sum) else mpmath.fprod(values)
            case App():
                return self.apply(e, live, at, index)
            case Fn(key="cases"):
                return at(e.args[1] if at(e.args[0]) else e.args[2])
            case Fn():
                return PLAIN[e.op](*(at(a) for a in e.args))
        raise AssertionError(e)

    def apply(self, e: App, live: Copies, at: Callable[..., Any], index: Callable[[Term], int]) -> Any:
        polynomial = self.s.functions[e.name]
        flat: list[Any] = []
        starts = []
        for slot, size in zip(e.slots, polynomial.layout, strict=True):
            starts.append(len(flat))
            if size is None:
                flat.append(at(slot))
            else:
                assert isinstance(slot, Sym)
                flat.extend(live[slot.name, k] for k in range(1, size + 1))
        places = [starts[s - 1] + (0 if c is None else index(c) - 1) for s, c in e.partials]

        def f(z: list[Any], places: list[int]) -> Any:
            if places:
                i = places[0]
                return central(lambda h: f([*z[:i], z[i] + h, *z[i + 1 :]], places[1:]))
            return mpmath.fsum(
                _real(c) * mpmath.fprod(v**m for v, m in zip(z, exponents, strict=True))
                for exponents, c in polynomial.coefficients.items()
            )

        return f(flat, places)


def central(f: Callable[[Any], Any]) -> Any:
    return (f(STEP) - f(-STEP)) / (2 * STEP)


PLAIN: dict[str, Callable[..., Any]] = {
    "exp": mpmath.exp,
    "log": mpmath.log,
    "sqrt": mpmath.sqrt,
    "sin": mpmath.sin,
    "cos": mpmath.cos,
    "tan": mpmath.tan,
    "tanh": mpmath.tanh,
    "sigmoid": lambda a: 1 / (1 + mpmath.exp(-a)),
    "softplus": lambda a: mpmath.log(1 + mpmath.exp(a)),
    "relu": lambda a: max(a, mpmath.mpf(0)),
    "abs": abs,
    "sign": mpmath.sign,
    "max": max,
    "min": min,
    "gt": lambda a, b: mpmath.mpf(a > b),
    "ge": lambda a, b: mpmath.mpf(a >= b),
    "eq": lambda a, b: mpmath.mpf(a == b),
    "pi": lambda: +mpmath.pi,
}


@pytest.mark.parametrize("vector", [False, True])
def test_the_model_agrees_with_finite_differences_at_two_copies(vector: bool, rng: random.Random) -> None:
    """Orders 1 and 2 with ∇ nested inside; the step's error is about 1e-50 relative to higher derivatives."""
    compared = 0
    for _ in range(40):
        s = random_surrogate(rng, vector=vector, depth=5, size=18, order=rng.choice((1, 1, 2)))
        for axes in s.axes():
            exact = s.model().value(s.goal(), axes)
            difference = FiniteDifferences(s).value(s.goal(), axes)
            with mpmath.workdps(50):
                scale = max(1, abs(difference))
                assert abs(_real(exact) - difference) < mpmath.mpf(10) ** -18 * scale, repr(s)
            compared += exact != 0
    assert compared > 20


# The paper's rules, as equalities of series in both copies.


@given(surrogates(depth=5, size=20, order=1))
def test_evaluation_removes_stop_gradient_eq_3(s: Surrogate) -> None:
    assert same(series(s, Eval(Stop(s.term))), series(s, Eval(s.term)))


@given(surrogates(depth=5, size=20, order=1))
def test_stop_removes_evaluation(s: Surrogate) -> None:
    assert same(series(s, Stop(Eval(s.term))), series(s, Stop(s.term)))


@given(surrogates(depth=5, size=20, order=1))
def test_the_gradient_of_what_is_stopped_is_zero_eq_4(s: Surrogate) -> None:
    name = s.wrt[0]
    assert series(s, Grad(name, Stop(s.term))) == {}


@given(surrogates(depth=5, size=20, order=1))
def test_evaluation_commutes_with_functions_eq_2(s: Surrogate) -> None:
    E = s.term
    f = Add(Mul(E, Stop(E)), Pow(Add(Num(1), Pow(E, Num(2))), Num(-1)))
    e = Eval(E)
    g = Add(Mul(e, e), Pow(Add(Num(1), Pow(e, Num(2))), Num(-1)))
    assert same(series(s, Eval(f)), series(s, g))


@given(surrogates(depth=5, size=20, order=1))
def test_gradient_of_an_evaluated_expression_differentiates_both_copies(s: Surrogate) -> None:
    """→∇→E - →∇E is the derivative in the stopped copy: design, §1."""
    name = s.wrt[0]
    difference = s.model().value(sub(Eval(Grad(name, Eval(s.term))), Eval(Grad(name, s.term))))
    in_stopped = [
        c for m, c in series(s, s.term, 1).items() if m and m[0][0].stopped and m[0][0].param == name
    ]
    assert close(difference, in_stopped[0] if in_stopped else F(0))


@given(st.fractions(min_value=-3, max_value=3, max_denominator=50))
def test_without_stop_evaluation_changes_nothing_eq_5(t: F) -> None:
    E = Mul(Pow(Add(Num(1), Pow(θ, Num(2))), Num(-1)), θ)
    model = Model({"θ": t})
    assert model.series(Eval(Grad("θ", E)), 3, ["θ"]) == model.series(Grad("θ", E), 3, ["θ"])
    assert model.value(Grad("θ", E)) == (1 - t * t) / (1 + t * t) ** 2


# The tutorial, by hand-computed numbers.


def test_gradient_of_evaluated_and_evaluated_gradient_eq_31_to_34() -> None:
    E = Add(x, Pow(Stop(x), Num(2)), Mul(x, Pow(Stop(x), Num(2))))
    model = Model({"x": F(3)})
    assert model.value(Grad("x", Eval(E))) == 1 + 2 * 3 + 3 * 9
    assert model.value(Eval(Grad("x", E))) == 1 + 9


def test_gradient_evaluation_gradient_eq_35_to_40() -> None:
    """∇→∇ exp(⊥x + log x) = exp(x): the derivative of exp(x + log x)/x = exp(x)."""
    E = Fn("exp", Add(Stop(x), Fn("log", x)))
    value = Model({"x": F(3, 2)}).value(Grad("x", Eval(Grad("x", E))))
    with mpmath.workdps(50):
        assert close(value, mpmath.exp(mpmath.mpf("1.5")))


def test_log_derivative_identities_eq_41_and_42() -> None:
    """→∇(E/⊥E) = ∇E/E and →∇(⊥E/E) = -∇E/E; the paper prints log E without its ∇."""
    E = Add(Num(1), Pow(θ, Num(2)))
    model = Model({"θ": F(2)})
    assert model.value(Eval(Grad("θ", div(E, Stop(E))))) == F(4, 5)
    assert model.value(Eval(Grad("θ", div(Stop(E), E)))) == F(-4, 5)
    assert model.value(Grad("θ", Fn("log", E))) == F(4, 5)


P = Polynomial((None, None), {(0, 0): 2, (1, 2): 1, (0, 4): F(1, 3)})  # p(x; θ) = 2 + x θ² + θ⁴/3
Q = Polynomial((None, None), {(1, 1): 1, (0, 5): -1})  # f(x; θ) = x θ - θ⁵
DENSITIES = {"p": P, "f": Q}
p, f = App("p", (x,), (), (θ,)), App("f", (x,), (), (θ,))


def nabla(order: int, term: Term, name: str = "θ") -> Term:
    for _ in range(order):
        term = Grad(name, term)
    return term


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4])
def test_dice_is_right_at_every_order_eq_43_and_44(order: int) -> None:
    model = Model({"x": F(1, 2), "θ": F(3, 2)}, DENSITIES)
    dice = Mul(div(p, Stop(p)), f)
    assert model.value(Eval(nabla(order, dice))) == model.value(div(nabla(order, Mul(p, f)), p))


def test_dice_at_order_one_in_numbers() -> None:
    """x = 1/2, θ = 3/2: p = 2 + 9/8 + 27/16, p' = 3/2 + 9/2, f = 3/4 - 243/32, f' = 1/2 - 405/16."""
    model = Model({"x": F(1, 2), "θ": F(3, 2)}, DENSITIES)
    value = model.value(Eval(Grad("θ", Mul(div(p, Stop(p)), f))))
    density, score = F(2) + F(9, 8) + F(27, 16), F(3, 2) + F(9, 2)
    assert value == (F(3, 4) - F(243, 32)) * score / density + F(1, 2) - F(405, 16)


def test_the_score_function_surrogate_is_right_at_order_one_only() -> None:
    model = Model({"x": F(1, 2), "θ": F(3, 2)}, DENSITIES)
    reinforce = Add(f, Mul(Stop(f), Fn("log", p)))
    dice = Mul(div(p, Stop(p)), f)
    assert model.value(Eval(nabla(1, reinforce))) == model.value(Eval(nabla(1, dice)))
    assert model.value(Eval(nabla(2, reinforce))) != model.value(Eval(nabla(2, dice)))


def test_mixed_and_vector_derivatives() -> None:
    i, j = Axis(1), Axis(2)
    θ1, θ2 = Indexed("θ", Num(1)), Indexed("θ", Num(2))
    E = Mul(Pow(θ1, Num(3)), θ2, φ)
    model = Model({"θ": (F(2), F(5)), "φ": F(7)})
    hessian = Grad("θ", Grad("θ", E, i), j)
    values = [[model.value(hessian, {1: a, 2: b}) for b in (1, 2)] for a in (1, 2)]
    assert values == [[6 * 2 * 5 * 7, 3 * 4 * 7], [3 * 4 * 7, 0]]
    assert model.value(Grad("φ", Grad("θ", E, Num(1)))) == 3 * 4 * 5
    outer = Mul(Grad("θ", θ1, i), Grad("θ", Mul(θ2, θ2), j))
    assert [model.value(outer, {1: a, 2: b}) for a in (1, 2) for b in (1, 2)] == [0, 10, 0, 0]


def test_a_component_of_a_vector_is_differentiated_by_delta() -> None:
    """∇[θ[k]] Σᵢ θ[i] θ[1] = θ[1] + [k=1] Σᵢ θ[i], the index bound or not."""
    model = Model({"θ": (F(2), F(3), F(5))})
    E = Sum(Num(1), Num(3), Mul(Indexed("θ", Bound(0)), Indexed("θ", Num(1))))
    assert [model.value(Grad("θ", E, Axis(1)), {1: k}) for k in (1, 2, 3)] == [12, 2, 2]
    over_k = Sum(Num(1), Num(3), Mul(Bound(0), Grad("θ", E, Bound(0))))
    assert model.value(over_k) == 12 + 2 * 2 + 3 * 2
    as_family = Model({"θ": {1: F(2), 2: F(3), 3: F(5)}})
    assert as_family.value(over_k) == 22


def test_a_vector_in_a_slot_and_partial_derivatives() -> None:
    f = Polynomial((None, 2), {(1, 2, 0): 3, (0, 1, 1): F(1, 2)})  # 3 x θ₁² + θ₁θ₂/2
    model = Model({"x": F(2), "θ": (F(3), F(7))}, {"f": f})
    app = App("f", (x,), (), (θ,))
    assert [model.value(Grad("θ", app, Axis(1)), {1: k}) for k in (1, 2)] == [F(79, 2), F(3, 2)]
    partial = App("f", (x,), (), (θ,), [(2, Num(1)), (1, None)])
    assert model.value(partial) == 6 * 3
    assert model.value(Grad("θ", partial, Num(1))) == 6
    half = Mul(Stop(App("f", (x,), (), (θ,))), App("f", (x,), (), (Stop(θ),)))
    assert model.value(Eval(Grad("θ", half, Num(1)))) == 0


@given(surrogates(depth=3, size=12, order=2))
def test_partial_derivatives_are_gradients_in_a_slot(s: Surrogate) -> None:
    f = Polynomial((None, None), {(3, 2): 1, (1, 1): F(1, 2), (0, 4): -1})
    point = {**s.point, "θ": s.point.get("θ", F(1)), "z": F(3, 4)}
    model = Model(point, {**s.functions, "h": f})
    inner = s.model().value(s.term)
    by_partial = model.value(App("h", (s.term, Sym("z")), (), (), [(1, None), (2, None)]))
    mixed = Model({"a": inner, "z": F(3, 4)}, {"h": f}).value(
        Grad("z", Grad("a", App("h", (Sym("a"), Sym("z")))))
    )
    assert close(by_partial, mixed)


# Σ, ∏, families.


def test_sums_products_and_families() -> None:
    model = Model(
        {
            "N": 4,
            "w": (F(1), F(2), F(3), F(4)),
            "u": {(1, 2): F(7)},
            "a": (2, 1, 4, 3),
            "v": lambda i, j: i * j,
        }
    )
    i = Bound(0)
    assert model.value(Sum(Num(1), N, Indexed("w", i))) == 10
    assert model.value(Prod(Num(2), N, Indexed("w", i))) == 24
    assert model.value(Sum(Num(1), N, Mul(Bound(0), Indexed("w", Indexed("a", i))))) == 2 + 2 + 12 + 12
    nested = Sum(Num(1), Num(3), Sum(Num(1), Bound(0), Indexed("v", Bound(1), Bound(0))))
    assert model.value(nested) == sum(i * j for i in (1, 2, 3) for j in range(1, i + 1))
    assert model.value(Indexed("u", Num(1), Num(2))) == 7
    delta = Sum(Num(1), N, Mul(Fn("eq", i, Num(3)), Indexed("w", i)))
    assert model.value(delta) == 3


def test_empty_ranges_are_zero_and_one() -> None:
    model = Model({})
    broken = Fn("log", Num(-1))
    assert model.value(Sum(Num(2), Num(1), broken)) == 0
    assert model.value(Prod(Num(1), Num(-3), broken)) == 1


def test_a_symbol_and_a_family_of_one_name() -> None:
    assert Model({"w": F(2), "w[]": (F(5),)}).value(Add(Sym("w"), Indexed("w", Num(1)))) == 7


# Functions.

SMOOTH = ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "softplus")


@pytest.mark.parametrize("op", SMOOTH)
@given(at=st.fractions(min_value=F(1, 20), max_value=F(5, 4), max_denominator=40))
def test_taylor_coefficients_of_the_built_in_functions(op: str, at: F) -> None:
    for sign in (1, -1):
        if sign < 0 and op in ("log", "sqrt"):
            continue
        got = Model({"x": sign * at}).series(Fn(op, x), 4, ["x"])
        with mpmath.workdps(90):
            expected = mpmath.taylor(PLAIN[op], sign * _real(at), 4)
            for k, c in enumerate(expected):
                found = [v for m, v in got.items() if sum(e for _, e in m) == k]
                assert abs((_real(found[0]) if found else 0) - c) < mpmath.mpf(10) ** -25 * max(1, abs(c))


def test_values_are_exact_where_they_are_rational() -> None:
    model = Model({"x": F(0), "y": F(4, 9)})
    for op, value in {
        "exp": 1,
        "sin": 0,
        "cos": 1,
        "tan": 0,
        "tanh": 0,
        "sigmoid": F(1, 2),
        "sqrt": 0,
    }.items():
        if op != "sqrt":
            assert model.value(Fn(op, x)) == value
            assert isinstance(model.value(Fn(op, x)), F)
    assert model.value(Fn("sqrt", Sym("y"))) == F(2, 3)
    assert model.value(Pow(Sym("y"), Num(F(-3, 2)))) == F(27, 8)
    assert model.value(Grad("y", Fn("log", Sym("y")))) == F(9, 4)
    assert model.value(Pow(x, Num(0))) == 1
    assert model.value(Grad("x", Grad("x", Pow(x, Num(2))))) == 2


def test_variable_powers() -> None:
    model = Model({"x": F(3), "y": F(2)})
    y = Sym("y")
    assert model.value(Pow(x, y)) == 9
    with mpmath.workdps(50):
        assert close(model.value(Grad("y", Pow(x, y))), 9 * mpmath.log(3))
    assert close(model.value(Grad("x", Pow(x, y))), F(6))
    assert model.value(Pow(Num(-2), Num(3))) == -8
    assert model.value(Pow(x, Num(-2))) == F(1, 9)


@given(st.fractions(min_value=-4, max_value=4, max_denominator=30).filter(bool))
def test_kinks_are_smooth_away_from_ties(t: F) -> None:
    model = Model({"θ": t})
    d = {op: model.value(Grad("θ", Fn(op, θ))) for op in ("relu", "abs", "sign")}
    assert d == {"relu": int(t > 0), "abs": 1 if t > 0 else -1, "sign": 0}
    square = Mul(θ, θ)
    assert model.value(Grad("θ", Fn("max", square, Num(-1)))) == 2 * t
    assert model.value(Grad("θ", Fn("min", square, Num(-1)))) == 0
    chosen = Fn("cases", Fn("gt", θ, Num(0)), square, Mul(Num(3), θ))
    assert model.value(Grad("θ", chosen)) == (2 * t if t > 0 else 3)
    assert model.value(Grad("θ", Mul(Fn("gt", θ, Num(0)), θ))) == int(t > 0)


def test_cases_looks_at_the_chosen_branch_only() -> None:
    guarded = Fn("cases", Fn("gt", θ, Num(0)), Fn("log", θ), Num(0))
    assert Model({"θ": F(-1)}).value(Grad("θ", guarded)) == 0
    assert Model({"θ": F(2)}).value(Grad("θ", guarded)) == F(1, 2)


@pytest.mark.parametrize(
    "term",
    [
        Fn("relu", sub(θ, Num(1))),
        Fn("abs", sub(θ, Num(1))),
        Fn("sign", sub(θ, Num(1))),
        Fn("max", θ, Num(1)),
        Fn("min", Num(1), θ),
        Fn("gt", θ, Num(1)),
        Fn("ge", θ, Num(1)),
        Fn("eq", θ, Num(1)),
        Fn("cases", Fn("gt", Stop(θ), Num(1)), θ, θ),
    ],
)
def test_ties_that_a_parameter_moves_are_undefined(term: Term) -> None:
    with pytest.raises(UndefinedAt):
        Model({"θ": F(1)}).value(Eval(Grad("θ", Mul(θ, term))))


@pytest.mark.parametrize(
    ("term", "says"),
    [
        (Pow(sub(x, Num(2)), Num(-1)), "division by zero"),
        (Fn("log", sub(x, Num(2))), "log of 0"),
        (Fn("log", Mul(Num(-1), x)), "log of -2"),
        (Fn("sqrt", Num(-1)), "power 1/2 of -1"),
        (Fn("exp", Pow(Num(10), Num(12))), "too large"),
        (Pow(Num(-2), Num(F(1, 3))), "power 1/3 of -2"),
        (Pow(Num(-2), Fn("exp", Num(1))), "power of -2"),
        (Sym("nowhere"), "nowhere"),
        (Indexed("w", Num(3)), r"w\[3\]"),
        (Indexed("w", Num(0)), r"w\[0\]"),
        (Indexed("w", Num(F(1, 2))), "no integer"),
        (Add(Sym("w"), Num(1)), "vector"),
        (App("h", (x,)), "h"),
        (App("f", (x,), (), (x, x)), "slots"),
        (App("f", (x, x), (), (), [(1, Num(1))]), "slot 1"),
        (Axis(1), "axis 1"),
        (Bound(0), "loose"),
        (Grad("w", Indexed("w", Num(1))), "coordinate"),
        (Grad("x", x, Num(1)), "no coordinate"),
        (Grad("w", x, Num(3)), "no coordinate 3"),
        (Sum(Num(1), Num(10**9), x), "more than"),
        (Expect(App("p", (Bound(0),), (), (x,)), Bound(0)), "expectation"),
    ],
)
def test_what_has_no_value_says_why(term: Term, says: str) -> None:
    model = Model({"x": F(2), "w": (F(1), F(2))}, DENSITIES)
    with pytest.raises(EvaluationError, match=says):
        model.value(term)


# Size.


def test_powers_too_long_to_be_exact_become_real_numbers() -> None:
    value = Model({"x": F(3, 2)}).value(Pow(Pow(x, Num(10**7)), Num(-1)))
    assert not isinstance(value, F)
    with mpmath.workdps(50):
        assert abs(mpmath.log(value) + 10**7 * mpmath.log(mpmath.mpf("1.5"))) < mpmath.mpf(10) ** -30


def test_deep_chains_do_not_recurse() -> None:
    term: Term = θ
    for _ in range(5000):
        term = Mul(Num(F(1, 2)), Add(Stop(term), term))
    with within(5):
        assert Model({"θ": F(3)}).value(Eval(Grad("θ", term))) == F(1, 2**5000)


def test_shared_nodes_are_visited_once() -> None:
    term: Term = θ
    for _ in range(200):
        term = Mul(Num(F(1, 2)), Add(term, Stop(term)))
    assert Model({"θ": F(1)}).value(Eval(term)) == 1
    for _ in range(200):
        term = Add(term, term)
    assert Model({"θ": F(1)}).value(term) == 2**200


def test_every_smooth_function_is_tested() -> None:
    kinks = {"relu", "abs", "sign", "max", "min", "gt", "ge", "eq", "cases", "pi"}
    assert set(SMOOTH) | kinks == FUNCTIONS.keys() - {"slice"}
