"""autodiff: torch.autograd of surrogates against the exact model, and against forward mode."""

from __future__ import annotations

import os
import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from surrogates import Surrogate, random_surrogate, surrogates

import surrogate_calculus as sc
from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.language.terms import Grad, Indexed, Mul, Num, Stop, Sum, Sym
from surrogate_calculus.numeric import Event
from surrogate_calculus.numeric.autodiff import run
from surrogate_calculus.numeric.functions import random_function

TOLERANCE = 1e-9
DICE = "p(x;θ)/⊥(p(x;θ))*f(x;θ)"


def agree(surrogate: Surrogate, *, expressible: bool) -> None:
    """autodiff (reverse mode) and evaluate (forward mode) give what the model says."""
    values, model = surrogate.torch_values(), surrogate.model(digits=30)
    notes: list[str] = []
    reverse = sc.autodiff(surrogate.term, surrogate.wrt, values=values, vector=surrogate.vector, notes=notes)
    forward = sc.evaluate(surrogate.goal(), values, vector=surrogate.vector)
    assert not (expressible and notes), notes
    for axes in surrogate.axes():
        exact = float(model.value(surrogate.goal(), axes))
        place = tuple(axes[n] - 1 for n in sorted(axes))
        for found in (reverse, forward):
            value = float(found[place] if place else found)
            assert abs(value - exact) <= TOLERANCE * max(1.0, abs(exact)), (value, exact)


@given(surrogates(torch_expressible=True))
def test_surrogates_agree_with_the_model(surrogate: Surrogate) -> None:
    agree(surrogate, expressible=True)


@given(surrogates(torch_expressible=True, vector=True, order=2))
def test_surrogates_of_a_vector_agree_with_the_model(surrogate: Surrogate) -> None:
    agree(surrogate, expressible=True)


@given(surrogates())
def test_arrows_that_remove_a_stop_are_evaluated_too(surrogate: Surrogate) -> None:
    agree(surrogate, expressible=False)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(4))
def test_more_surrogates_agree_with_the_model(part: int, rng: random.Random) -> None:
    for number in range(100 if os.environ.get("SURROGATE_ALL") else 33):
        if number % 10 == 0:
            surrogate = random_surrogate(rng, torch_expressible=True, vector=True, order=1 + part % 2)
        else:
            surrogate = random_surrogate(rng, torch_expressible=True)
        try:
            agree(surrogate, expressible=True)
        except Exception:
            print(f"surrogate {number} of part {part}:\n{surrogate!r}")
            raise


@given(seed=st.integers(0, 10**6), order=st.integers(0, 3))
def test_a_batch_is_a_loop(seed: int, order: int) -> None:
    rng = random.Random(seed)
    values = {"p": random_function(rng, [None, None]), "f": random_function(rng, [None, None])}
    points = torch.linspace(0.3, 1.7, 5, dtype=torch.float64)
    for name, other in (("x", "θ"), ("θ", "x")):
        batch = sc.autodiff(DICE, "θ", order, {**values, name: points, other: 0.8})
        assert batch.shape == points.shape
        for at, value in zip(points.tolist(), batch.tolist(), strict=True):
            single = sc.autodiff(DICE, "θ", order, {**values, name: at, other: 0.8})
            assert value == pytest.approx(single, rel=1e-12, abs=1e-12)


def test_what_a_training_script_computes() -> None:
    """The same surrogate written by hand in torch, with detach and two calls of grad."""
    rng = random.Random(3)
    p, f = random_function(rng, [None, None]), random_function(rng, [None, None])
    at = torch.tensor(0.6, dtype=torch.float64)
    θ = torch.tensor(1.1, dtype=torch.float64, requires_grad=True)
    loss = p(at, θ) / p(at, θ).detach() * f(at, θ)
    (first,) = torch.autograd.grad(loss, θ, create_graph=True)
    (second,) = torch.autograd.grad(first, θ)
    values = {"p": p, "f": f, "x": 0.6, "θ": 1.1}
    assert sc.autodiff(DICE, "θ", values=values) == pytest.approx(float(first.detach()), rel=1e-13)
    assert sc.autodiff(DICE, "θ", 2, values) == pytest.approx(float(second), rel=1e-13)


def test_an_inner_gradient_under_a_sum_is_elementwise() -> None:
    """∇θ f(x[i]; θ) · Σⱼ f(x[j]; θ): the inner sum must not share the outer index's axis."""
    f = random_function(random.Random(1), [None, None])
    values = {"f": f, "x": [0.2, 0.9, 1.3], "θ": 0.7}
    text = "Σ[i=1..3](x[i] * ∇θ(f(x[i]; θ) * ⊥(f(θ; x[i])) * Σ[j=1..3](f(x[j]; θ))))"
    assert sc.autodiff(text, "θ", values=values) == pytest.approx(
        sc.evaluate(f"∇θ({text})", values), rel=1e-12
    )


def test_the_arrow_that_detach_cannot_express_comes_with_a_note() -> None:
    notes: list[str] = []
    assert sc.autodiff("→(⊥(x)*x)", "x", values={"x": 3}, notes=notes) == 6
    assert len(notes) == 1 and "detach" in notes[0]
    notes.clear()
    assert sc.autodiff("⊥(x)*→(x)", "x", values={"x": 3}, notes=notes) == 3
    assert notes == []


def test_mixed_and_vector_derivatives() -> None:
    values = {"x": 0.3, "θ": 1.2, "φ": 0.4}
    assert sc.autodiff("⊥(θ)*θ*φ^2", ("θ", "φ"), values=values) == pytest.approx(1.2 * 0.8)
    term = Sum(Num(1), Num(2), Mul(Stop(Indexed("β", Num(1))), Indexed("β", Num(2)), Indexed("β", Num(2))))
    hessian = sc.autodiff(term, "β", 2, {"β": torch.tensor([3.0, 5.0])}, vector=["β"])
    assert hessian.tolist() == [[0, 0], [0, 12]]
    whole = sc.autodiff(
        "f(;β)", "β", values={"f": lambda b: (b**2).sum(-1), "β": Event(torch.tensor([3.0, 5.0]))}
    )
    assert whole.tolist() == [6, 10]


def test_running_a_term_with_its_own_gradient() -> None:
    assert run(Grad("x", Mul(Stop(Sym("x")), Sym("x"))), {"x": 4}) == 4


@pytest.mark.parametrize(
    ("wrt", "order", "message"),
    [("z", 1, "z does not occur"), ("x", -1, "no derivative"), (("x", "y"), 3, "order 3 and 2 names")],
)
def test_errors(wrt: str | tuple[str, ...], order: int, message: str) -> None:
    with pytest.raises(EvaluationError, match=message):
        sc.autodiff("x*y", wrt, order, {"x": 1, "y": 2})


def test_the_result_is_detached_unless_a_tensor_that_went_in_is_not() -> None:
    plain = sc.autodiff("x^2*y", "x", values={"x": torch.tensor(2.0), "y": 3})
    assert not plain.requires_grad
    y = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    out = sc.autodiff("x^2*y", "x", values={"x": 2, "y": y})
    assert float(torch.autograd.grad(out, y)[0]) == 4
