"""evaluate: closed forms, families and ranges, batches, vectors, partial derivatives, errors."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import surrogate_calculus as sc
from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.language.terms import (
    Add,
    App,
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
    Sum,
    Sym,
    Term,
)
from surrogate_calculus.numeric import Event, Family, opaque
from surrogate_calculus.numeric.functions import random_function

x, y, θ = Sym("x"), Sym("y"), Sym("θ")
i = Bound(0)
xi = Indexed("x", i)
numbers = st.floats(0.25, 3.0)


def normal(x: Tensor, mean: Tensor) -> Tensor:
    return torch.exp(-((x - mean) ** 2) / 2)


def tensor(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


# -- closed forms --

FORMULAS = {
    "2/3*x + y^2 - x*y": lambda x, y: 2 / 3 * x + y**2 - x * y,
    "x^-2 / y": lambda x, y: x**-2 / y,
    "x^(1/3) * sqrt(y)": lambda x, y: x ** (1 / 3) * math.sqrt(y),
    "x^y": lambda x, y: x**y,
    "exp(x - y) + log(x*y)": lambda x, y: math.exp(x - y) + math.log(x * y),
    "sin(x)*cos(y) + tan(x/4) + tanh(y)": lambda x, y: (
        math.sin(x) * math.cos(y) + math.tan(x / 4) + math.tanh(y)
    ),
    "sigmoid(x - 3) + softplus(30*x - 40*y)": lambda x, y: (
        1 / (1 + math.exp(3 - x)) + max(30 * x - 40 * y, 0) + math.log1p(math.exp(-abs(30 * x - 40 * y)))
    ),
    "relu(x - 5) + abs(x - y) + sign(y - x)": lambda x, y: max(x - 5, 0) + abs(x - y) + (y > x) - (y < x),
    "max(x, y) - min(x, 1)": lambda x, y: max(x, y) - min(x, 1),
    "[x > y] + 2*[x >= 1] + 4*[x = x]": lambda x, y: (x > y) + 2 * (x >= 1) + 4,
    "cases(x > y: x, else: y^2)": lambda x, y: x if x > y else y**2,
    "pi() * ⊥(x) * →(y)": lambda x, y: math.pi * x * y,
}


@pytest.mark.parametrize("text", FORMULAS)
@given(x=numbers, y=numbers)
def test_closed_forms(text: str, x: float, y: float) -> None:
    value = sc.evaluate(text, {"x": x, "y": y})
    assert isinstance(value, float)
    assert value == pytest.approx(FORMULAS[text](x, y), rel=1e-12, abs=1e-12)


def test_a_tensor_goes_in_and_one_comes_out() -> None:
    assert isinstance(sc.evaluate("x + 1", {"x": 2}), float)
    out = sc.evaluate("x + 1", {"x": torch.tensor(2.0)})
    assert isinstance(out, Tensor) and out.shape == () and out.dtype == torch.float64
    assert sc.evaluate("x + 1", {"x": torch.tensor(2.0)}, dtype=torch.float32).dtype == torch.float32


def test_the_graph_of_a_tensor_that_went_in_is_kept() -> None:
    at = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    out = sc.evaluate(Grad("θ", Fn("sin", Mul(θ, x))), {"θ": 0.3, "x": at})
    (slope,) = torch.autograd.grad(out, at)
    assert float(slope) == pytest.approx(math.cos(0.21) - 0.21 * math.sin(0.21), rel=1e-12)


# -- Σ and ∏ --


def test_sums_products_and_empty_ranges() -> None:
    values = {"x": [2.0, 3.0, 5.0], "N": 3}
    assert sc.evaluate("Σ[i=1..N](x[i]^2)", values) == 38
    assert sc.evaluate("∏[i=1..N](x[i])", values) == 30
    assert sc.evaluate("Σ[i=2..N](i*x[i])", values) == 21
    assert sc.evaluate("Σ[i=3..2](1/x[i]) + ∏[i=1..0](log x[i])", values) == 1
    assert sc.evaluate("Σ[i=1..N](y) + ∏[i=1..N](y)", {**values, "y": 2.0}) == 14


@given(n=st.integers(0, 5), m=st.integers(-1, 2))
def test_ragged_ranges_are_loops(n: int, m: int) -> None:
    """A range that depends on an outer index is masked, and what is outside it is never looked at."""
    w = [random.Random(n * 10 + m).uniform(0.5, 2) for _ in range(9)]
    body = Sum(Num(1), Add(i, Num(m)), Mul(Indexed("w", i), Bound(1), Pow(i, Num(-1))), "j")
    expected = sum(
        math.prod(sum(w[j - 1] * t / j for j in range(1, t + m + 1)) for t in range(1, s + 1))
        for s in range(1, n + 1)
    )
    term = Sum(Num(1), Sym("N"), Prod(Num(1), i, body, "t"), "s")
    assert sc.evaluate(term, {"N": n, "w": w}) == pytest.approx(expected, rel=1e-12)


def test_a_condition_guards_its_branches() -> None:
    term = Sum(Num(1), Num(4), Fn("cases", Fn("gt", i, Num(2)), Indexed("x", Add(i, Num(-2))), Num(0)))
    assert sc.evaluate(term, {"x": [3.0, 4.0]}) == 7
    log = Fn("cases", Fn("gt", x, Num(0)), Fn("log", x), Mul(Num(-1), x))
    assert sc.evaluate(log, {"x": -2.0}) == 2
    batch = sc.evaluate(Grad("x", log), {"x": tensor(-2, 0, 4)})
    assert batch.tolist() == [-1, -1, 0.25]
    assert sc.autodiff(log, "x", values={"x": tensor(-2, 0, 4)}).tolist() == [-1, -1, 0.25]


def test_a_closed_sum_under_a_guard_has_an_axis_of_its_own() -> None:
    inner = Sum(Num(1), Num(5), Pow(Indexed("x", i), Num(-1)))
    term = Sum(Num(1), Num(3), Fn("cases", Fn("gt", i, Num(1)), inner, i))
    assert sc.evaluate(term, {"x": [1.0, 2.0, 4.0, 4.0, 1.0]}) == 1 + 2 * 3


def test_families_nest_and_may_be_callables() -> None:
    values = {"a": torch.tensor([[2, 1], [1, 1]]), "w": tensor(3, 5), "N": 2}
    assert float(sc.evaluate("Σ[i=1..N](w[a[1, i]] * i)", values)) == 5 + 2 * 3
    assert sc.evaluate("Σ[i=1..N](w[i-1])", {"N": 3, "w": lambda k: k * k}) == 0 + 1 + 4


def test_a_family_may_start_at_zero() -> None:
    grid = Family(torch.arange(6, dtype=torch.float64).reshape(2, 3), first=(0, 1))
    assert float(sc.evaluate("x[0, 1] + 10*x[1, 3]", {"x": grid})) == 50
    with pytest.raises(EvaluationError, match=r"index 2 of x is outside 0\.\.1"):
        sc.evaluate("x[2, 1]", {"x": grid})
    with pytest.raises(EvaluationError, match="first value of 2"):
        sc.evaluate("x[2]", {"x": grid})


def test_indices_may_differ_over_the_batch() -> None:
    x = torch.arange(12, dtype=torch.float64).reshape(3, 4)
    a = torch.tensor([[1, 2, 3, 1], [3, 3, 2, 1], [1, 1, 1, 1]])
    out = sc.evaluate("Σ[i=1..3](i*x[a[i]])", {"x": x, "a": a})
    assert out.tolist() == [sum((k + 1) * float(x[a[k, b] - 1, b]) for k in range(3)) for b in range(4)]


# -- ∇, ⊥, → --


def test_the_two_copies() -> None:
    term = Mul(Stop(x), x, x)
    assert sc.evaluate(Grad("x", term), {"x": 3}) == 18
    assert sc.evaluate(Grad("x", Eval(term)), {"x": 3}) == 27
    assert sc.evaluate(Stop(Grad("x", term)), {"x": 3}) == 18
    # ∇→∇E sees what was stopped, →∇∇E does not.
    assert sc.evaluate(Grad("x", Eval(Grad("x", term))), {"x": 3}) == 12
    assert sc.evaluate(Grad("x", Grad("x", term)), {"x": 3}) == 6


@given(seed=st.integers(0, 10**6), order=st.integers(1, 3))
def test_gradients_are_elementwise_under_sums_and_batches(seed: int, order: int) -> None:
    """∇θ f(x[i]; θ) for all i and all of a batch at once is what a loop gives."""
    rng = random.Random(seed)
    f = random_function(rng, [None, None])
    body: Term = App("f", [xi], params=[θ])
    for _ in range(order):
        body = Grad("θ", body)
    term = Sum(Num(1), Num(3), Mul(Indexed("w", i), Fn("sin", body)))
    generator = torch.Generator().manual_seed(seed)
    w, xs, ts = (torch.rand(*s, generator=generator, dtype=torch.float64) for s in ((3,), (3, 4), (4,)))
    batched = sc.evaluate(term, {"f": f, "w": w, "x": xs, "θ": ts})
    single = Fn("sin", _derivative(order))
    for b in range(4):
        loop = sum(
            float(w[k]) * sc.evaluate(single, {"f": f, "x": float(xs[k, b]), "θ": float(ts[b])})
            for k in range(3)
        )
        assert float(batched[b]) == pytest.approx(loop, rel=1e-12)


def _derivative(order: int) -> Term:
    return App("f", [x], params=[θ], partials=[(2, None)] * order)


def test_partial_derivatives_against_closed_forms() -> None:
    def f(x: Tensor, t: Tensor) -> Tensor:
        return torch.sin(x) * t**3

    values = {"f": f, "x": 0.4, "θ": 1.5}
    assert sc.evaluate("D[1](f)(x; θ)", values) == pytest.approx(math.cos(0.4) * 1.5**3)
    assert sc.evaluate("D[1,1,2](f)(x; θ)", values) == pytest.approx(-math.sin(0.4) * 3 * 1.5**2)
    assert sc.evaluate("D[2,2,2](f)(x; θ)", values) == pytest.approx(math.sin(0.4) * 6)
    # A partial derivative is not the total one.
    assert sc.evaluate("D[1](f)(θ; θ)", values) == pytest.approx(math.cos(1.5) * 1.5**3)
    assert sc.evaluate("∇θ f(θ; θ)", values) == pytest.approx(
        math.cos(1.5) * 1.5**3 + 3 * math.sin(1.5) * 1.5**2
    )


@given(seed=st.integers(0, 10**6))
def test_gradients_against_finite_differences(seed: int) -> None:
    f = random_function(random.Random(seed), [None, None])
    text = "Σ[i=1..3](log f(x[i]; θ) * θ^2 / f(θ; x[i]))"
    values = {"f": f, "x": [0.3, 0.9, 1.4]}
    step = 1e-5
    above, below = (sc.evaluate(text, {**values, "θ": 0.8 + h}) for h in (step, -step))
    slope = sc.evaluate(f"∇θ({text})", {**values, "θ": 0.8})
    assert slope == pytest.approx((above - below) / (2 * step), rel=1e-6, abs=1e-6)


class Cube(torch.autograd.Function):
    """x³ without a forward-mode rule."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x**3

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        (x,) = ctx.saved_tensors
        return grad * 3 * x**2


def test_a_callable_without_a_forward_rule_is_differentiated_by_reverse_mode() -> None:
    values = {"f": Cube.apply, "x": 2.0}
    assert sc.evaluate("∇x(f(x))", values) == pytest.approx(12)
    assert sc.evaluate("D[1](f)(x) * x", values) == pytest.approx(24)
    assert sc.evaluate("D[1,1](f)(x)", values) == pytest.approx(12)


class Square(torch.autograd.Function):
    """x² without a rule for reverse mode."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return x**2

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:  # type: ignore[no-untyped-def]
        ctx.save_for_forward(*inputs)

    @staticmethod
    def jvp(ctx, tangent):  # type: ignore[no-untyped-def]
        (x,) = ctx.saved_tensors
        return tangent * 2 * x


def test_a_callable_without_a_reverse_rule_is_differentiated_by_forward_mode() -> None:
    values = {"f": Square.apply, "x": 3.0}
    assert sc.evaluate("∇x(f(x))", values) == pytest.approx(6)
    assert sc.evaluate("D[1](f)(x) * x", values) == pytest.approx(18)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_both_modes_give_the_same_derivatives(order: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a slot is spread over the others, and at weights of zero."""
    at = tensor(0.3, 0.9, 1.4)
    values = {"x": at, "θ": 0.8, "p": lambda x, θ: torch.exp(-θ * x) * torch.where(x > 1, 0.0, x**θ)}
    text = "Σ[i=1..3](" + "∇θ " * order + "p(x[i]; θ))"
    own = {way: getattr(opaque, way) for way in ("_forwards", "_backwards")}
    used: list[str] = []

    def watched(way: str) -> Callable[..., Any]:
        return lambda *args: (used.append(way), own[way](*args))[1]

    for way in own:
        monkeypatch.setattr(opaque, way, watched(way))
    found = []
    for few, way in ((0, "_forwards"), (10_000, "_backwards")):
        monkeypatch.setattr(opaque, "_FEW", few)
        used.clear()
        found.append(float(sc.evaluate(text, values)))
        assert set(used) == {way}
    assert found[0] == pytest.approx(found[1], rel=1e-12) and abs(found[0]) > 1e-3


# -- vectors --


def quadratic(x: Tensor, b: Tensor) -> Tensor:
    return torch.sin(b[..., 0] * x) + b[..., 1] ** 2 * x + b[..., 0] * b[..., 1]


def test_vector_gradients_and_hessians() -> None:
    b, at = tensor(0.5, 0.7), tensor(1.0, 2.0, 3.0)
    body = Sum(Num(1), Num(3), App("f", [xi], params=[Sym("β")]))
    gradient = Grad("β", body, Axis(1))
    hessian = Grad("β", gradient, Axis(2))
    values = {"f": quadratic, "x": at, "β": b}

    def whole(b: Tensor) -> Tensor:
        return quadratic(at, b).sum()

    torch.testing.assert_close(sc.evaluate(gradient, values), torch.func.jacrev(whole)(b))
    torch.testing.assert_close(sc.evaluate(hessian, values), torch.func.hessian(whole)(b))
    partial = Sum(Num(1), Num(3), App("f", [xi], params=[Sym("β")], partials=[(2, Axis(1)), (2, Axis(2))]))
    torch.testing.assert_close(sc.evaluate(partial, values), torch.func.hessian(whole)(b))
    # One coordinate, and the trace through a bound index.
    trace = Sum(Num(1), Num(2), Grad("β", Grad("β", body, i), i))
    wide = Sum(Num(1), Num(3), App("f", [xi], params=[Sym("β")]))
    assert float(sc.evaluate(Grad("β", wide, Num(2)), values)) == pytest.approx(
        float(gradient_at(whole, b)[1])
    )
    assert float(sc.evaluate(trace, values)) == pytest.approx(float(torch.func.hessian(whole)(b).trace()))


def gradient_at(function, at: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
    return torch.func.jacrev(function)(at)


def test_the_axis_of_a_vector_stands_left_of_the_batch() -> None:
    out = sc.evaluate(
        Grad("β", App("f", [x], params=[Sym("β")]), Axis(1)),
        {"f": quadratic, "x": tensor(1, 2, 3), "β": tensor(0.5, 0.7)},
    )
    assert out.shape == (2, 3)
    per_batch = sc.evaluate(
        Grad("β", App("f", [x], params=[Sym("β")]), Axis(1)),
        {"f": quadratic, "x": tensor(1, 2, 3), "β": tensor(0.5, 0.7).unsqueeze(1).expand(2, 3)},
    )
    torch.testing.assert_close(out, per_batch)
    components = Sum(Num(1), Num(2), Pow(Indexed("β", i), Num(2)))
    assert sc.evaluate(Grad("β", components, Axis(1)), {"β": tensor(3, 4)}).tolist() == [6, 8]


def test_an_axis_whose_length_nothing_shows() -> None:
    term = Fn("eq", Axis(1), Num(2))
    assert sc.evaluate(term, {}, axes={1: 3}).tolist() == [0, 1, 0]
    with pytest.raises(EvaluationError, match="axes=") as caught:
        sc.evaluate(term, {})
    assert "axis 1" in caught.value.what


def test_events_pass_whole_to_callables() -> None:
    paths = torch.arange(12, dtype=torch.float64).reshape(3, 4)
    seen = []

    def f(path: Tensor, y: Tensor, t: Tensor) -> Tensor:
        seen.append(tuple(path.shape))
        return (path * y).sum(-1) * t

    values = {"f": f, "x": Event(paths, dims=1), "y": Event(tensor(1, 0, 2, 1)), "θ": 0.5}
    out = sc.evaluate("Σ[i=1..3](i * ∇θ f(x[i], y; θ))", values)
    assert float(out) == float(((paths * tensor(1, 0, 2, 1)).sum(-1) * tensor(1, 2, 3)).sum())
    assert seen == [(1, 4), (3, 4)]  # one element, to see which operations it uses, and all at once
    with pytest.raises(EvaluationError, match="number is needed"):
        sc.evaluate("y + 1", values)


# -- size --


def test_a_chain_of_5000_and_a_shared_dag() -> None:
    chain: Term = x
    for _ in range(5000):
        chain = Add(Mul(chain, Num(1)), Fn("sin", y))
    assert sc.evaluate(chain, {"x": 1.0, "y": 0.5}) == pytest.approx(1 + 5000 * math.sin(0.5))
    assert sc.evaluate(Grad("y", chain), {"x": 1.0, "y": 0.5}) == pytest.approx(5000 * math.cos(0.5))
    doubled: Term = x
    for _ in range(300):
        doubled = Mul(Num(1), Add(doubled, Mul(Num(-1), doubled), doubled))
    assert sc.evaluate(Grad("x", doubled), {"x": 2.0}) == 1


def test_sums_call_a_function_once_and_not_once_a_particle() -> None:
    calls = []

    def f(x: Tensor) -> Tensor:
        calls.append(x.shape)
        return x * x

    sc.evaluate("Σ[i=1..N](f(x[i])) + ∏[j=1..N](f(x[j]))", {"N": 1000, "f": f, "x": torch.ones(1000)})
    assert calls == [(1000,)]


# -- errors --

BAD = [
    (Mul(y, Pow(x, Num(-1))), {"x": 0, "y": 1}, "division by zero"),
    (Pow(x, Num(-2)), {"x": tensor(1, 0)}, "division by zero"),
    (Fn("log", x), {"x": -1}, "the log of a number that is not positive"),
    (Fn("log", x), {"x": 0}, "the log of a number that is not positive"),
    (Fn("sqrt", Add(x, y)), {"x": -2, "y": 1}, "square root of a negative"),
    (Pow(x, Mul(y, y)), {"x": -2, "y": 0.3}, "a power of a number"),
    (x, {}, "no value is given for x"),
    (x, {"x": "seven"}, "no number"),
    (x, {"x": torch.sin}, "is a callable"),
    (App("f", [x]), {"x": 1}, "no value is given for f"),
    (App("f", [x]), {"x": 1, "f": 3.0}, "no callable"),
    (App("f", [x]), {"x": 1, "f": lambda a, b: a}, "raised TypeError"),
    (App("f", [x]), {"x": -1, "f": torch.log}, "gave nan"),
    (App("f", [x]), {"x": tensor(1, 2), "f": torch.sum}, "shape"),
    (App("f", [x]), {"x": tensor(1, 2), "f": lambda a: tensor(1, 2, 3)}, "shape"),
    (Sum(Num(1), Num(2), App("f", [xi])), {"x": tensor(1, 2), "f": torch.mean}, "shape"),
    (Sum(Num(1), Num(3), xi), {"x": [1.0, 2.0]}, "index 3 of x is outside 1..2"),
    (Indexed("x", Num(0)), {"x": [1.0, 2.0]}, "index 0 of x"),
    (Indexed("x", Num(1), Num(1)), {"x": [1.0, 2.0]}, "too few dimensions"),
    (Sum(Num(1), Sym("N"), x), {"x": 1, "N": 2.5}, "no integer"),
    (Add(x, y), {"x": tensor(1, 2), "y": tensor(1, 2, 3)}, "do not broadcast"),
    (Grad("x", Fn("sqrt", Mul(x, x))), {"x": 0}, "not a number"),
    (i, {}, "index whose"),
    (Num(10**400), {}, "does not fit a float"),
]


@pytest.mark.parametrize(
    ("term", "values", "message"), BAD, ids=[b[2][:24] + str(n) for n, b in enumerate(BAD)]
)
def test_errors_say_what_and_where(term: Term, values: dict, message: str) -> None:  # type: ignore[type-arg]
    with pytest.raises(EvaluationError) as caught:
        sc.evaluate(term, values)
    assert message in caught.value.what
    assert "\n" not in caught.value.what


def test_an_error_shows_the_offending_subterm() -> None:
    with pytest.raises(EvaluationError, match=r"division by zero in 1 ?/ ?\(x - y\)"):
        sc.evaluate("x + exp(2/(x - y))", {"x": 1, "y": 1})


def test_a_function_that_ignores_its_argument_is_no_error() -> None:
    assert (
        float(sc.evaluate("Σ[i=1..3](f(x[i]; θ))", {"f": lambda x, t: t**2, "x": tensor(1, 2, 3), "θ": 2}))
        == 12
    )
    assert float(sc.evaluate("Σ[i=1..3](f(x[i]))", {"f": lambda x: 1.5, "x": tensor(1, 2, 3)})) == 4.5


def test_expectations_have_no_number() -> None:
    with pytest.raises(EvaluationError, match="expectation"):
        sc.evaluate("𝔼[z ~ p(·; θ)](z)", {"θ": 1.0, "p": normal})
    with pytest.raises(EvaluationError, match="what is drawn"):
        sc.evaluate("𝔼[· | t](z)", {"z": 1.0, "t": 1})


def test_a_gradient_of_a_symbolic_order_is_so_many_gradients() -> None:
    values = {"θ": 2.0, "x": 3.0, "k": 2, "f": lambda x, t: x * t**4}
    assert float(sc.evaluate("∇^k[θ](f(x; θ))", values)) == 3 * 12 * 4
    assert float(sc.evaluate("∇^(2*k-1)[θ](⊥(θ)*f(x; θ)) + ∇^(0)[θ](θ)", values)) == 2 * 3 * 24 * 2 + 2
    document = sc.parse_document(
        "count K\nparameter θ\nfunction f(x; θ)\ndefine w = ∇^K[θ](f(x; θ))\nderive w"
    )
    assert float(sc.evaluate("w", {**values, "K": 3}, given=document)) == 3 * 24 * 2


@pytest.mark.parametrize(
    ("text", "values", "says"),
    [
        ("∇^k[θ](θ)", {"θ": 1.0, "k": -1}, "order -1"),
        ("∇^(k+1000)[θ](θ)", {"θ": 1.0, "k": 1}, "order 1001"),
        ("∇^k[θ](θ)", {"θ": 1.0, "k": 1.5}, "order k"),
        ("Σ[k=0..2](∇^k[θ](θ))", {"θ": 1.0}, "index of a Σ"),
    ],
)
def test_an_order_needs_a_value(text: str, values: dict[str, float], says: str) -> None:
    with pytest.raises(EvaluationError, match=says):
        sc.evaluate(text, values)
