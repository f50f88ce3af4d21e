"""Values that cannot be worked with: one message each, never a traceback, never a silent 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import surrogate_calculus as sc
from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric import Family

WRONG: list[tuple[str, str, dict[Any, Any] | Any, str]] = [
    ("no mapping", "x", [1.0], "a list"),
    ("None for the values", "x", None, "None"),
    ("None for a number", "x", {"x": None}, "None"),
    ("a text for a number", "x", {"x": "3"}, "a str"),
    ("a complex number", "x", {"x": 1j}, "a complex"),
    ("a ragged list", "x", {"x": [[1, 2], [3]]}, "a list"),
    ("an integer beyond a float", "x", {"x": 10**400}, "an int"),
    ("two spellings of a name", "θ", {"θ": 1.0, "theta": 2.0}, "θ is given twice"),
    ("a number for a function", "f(x)", {"x": 1.0, "f": 2}, "an int"),
    ("a function for a number", "f", {"f": torch.sin}, "a callable"),
    ("no value", "x + y", {"x": 1.0}, "no value is given for y"),
    ("a count that is not whole", "Σ[i=1..N](i)", {"N": 2.5}, "no integer"),
    ("an infinite count", "Σ[i=1..N](i)", {"N": math.inf}, "no integer"),
    ("a range beyond memory", "Σ[i=1..N](1/i)", {"N": 10**12}, "too long"),
    ("a short family", "Σ[i=1..N](x[i])", {"N": 4, "x": [1.0, 2.0]}, "outside 1..2 in x[i]"),
    ("an ancestor of 0", "Σ[i=1..2](x[a[i]])", {"x": [1.0, 2.0], "a": [0, 1]}, "in x[a[i]]"),
    ("a division by zero", "1/(x - 1)", {"x": 1}, "division by zero in 1 / (x - 1)"),
    ("the log of a negative number", "log x", {"x": -1}, "not positive"),
    ("the root of a negative number", "sqrt(x)", {"x": -1}, "negative number"),
    ("two numbers of indices", "x[1] + x[1,1]", {"x": torch.ones(2, 2)}, "with 1 and with 2 indices"),
    ("a matrix as a vector parameter", "∇[θ@1](θ[1,1])", {"θ": torch.ones(2, 2)}, "takes one index"),
    ("a number for a vector", "∇[θ@1](θ[1])", {"θ": 2.0}, "is a vector parameter"),
    ("a Family for a number", "x", {"x": Family(torch.ones(2), first=(0,))}, "is a Family"),
    ("an empty family", "x[1]", {"x": torch.ones(0)}, "outside 1..0"),
    ("batches that do not meet", "x + y", {"x": torch.ones(2), "y": torch.ones(3)}, "broadcast"),
]


@pytest.mark.parametrize(("text", "values", "part"), [w[1:] for w in WRONG], ids=[w[0] for w in WRONG])
def test_evaluate_says_what_is_wrong(text: str, values: Any, part: str) -> None:
    with pytest.raises(EvaluationError) as found:
        sc.evaluate(text, values)
    assert part in str(found.value), str(found.value)
    assert "#" not in str(found.value)
    assert found.value.instead


@pytest.mark.parametrize("expr", [None, 3, ["x"]])
def test_what_is_no_expression(expr: Any) -> None:
    with pytest.raises(EvaluationError, match="a term or its text"):
        sc.evaluate(expr, {"x": 1.0})
    with pytest.raises(EvaluationError, match="a term or its text"):
        sc.autodiff(expr, "x", values={"x": 1.0})


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.complex128, "float64", None])
def test_only_floating_point_dtypes(dtype: Any) -> None:
    """An integer dtype would give x/2 = 0."""
    with pytest.raises(EvaluationError, match="floating-point"):
        sc.evaluate("x/2", {"x": 1.0}, dtype=dtype)


@pytest.mark.parametrize("order", [-1, 1.5, "2", None, True])
def test_orders_are_whole_numbers(order: Any) -> None:
    with pytest.raises(EvaluationError, match="no derivative has order"):
        sc.autodiff("x^2", "x", order, values={"x": 3.0})


@pytest.mark.parametrize("wrt", [None, [], 3, [3], {"x"}])
def test_wrt_is_a_name_or_several(wrt: Any) -> None:
    with pytest.raises(EvaluationError, match="wrt is a name"):
        sc.autodiff("x^2", wrt, values={"x": 3.0})


def test_ascii_names_in_values_and_wrt() -> None:
    values = {"theta": 2.0, "wbar": 3.0, "log p": lambda x: -x, "p": None}
    assert sc.evaluate("wbar*theta", values) == 6.0
    assert sc.autodiff("w̄*θ^2*p(w̄)", "theta", values=values) == pytest.approx(12.0 * math.exp(-3.0))
    assert sc.autodiff("θ*w̄", ["theta", "wbar"], values=values) == 1.0


LEAVES_TORCH = {
    "item": lambda x: x.item() ** 2,
    "math": math.sin,
    "float": lambda x: torch.tensor(float(x) ** 3),
    "detach": lambda x: x.detach() ** 2,
}


@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad")
@pytest.mark.parametrize("name", LEAVES_TORCH)
@pytest.mark.parametrize("text", ["∇x f(x)", "∇²x f(x)", "D[1](f)(x)", "∇x log f(x)"])
def test_a_callable_outside_torch_has_no_derivative_of_zero(name: str, text: str) -> None:
    values = {"x": 1.3, "f": LEAVES_TORCH[name]}
    with pytest.raises(EvaluationError, match="cannot differentiate it"):
        sc.evaluate(text, values)
    assert sc.evaluate("f(x)", values) == pytest.approx(float(LEAVES_TORCH[name](torch.tensor(1.3).double())))
    with pytest.raises(EvaluationError, match="cannot differentiate it"):
        sc.autodiff("f(x)", "x", values=values)


@pytest.mark.parametrize(
    "function", [lambda x: 3.0, lambda x: torch.tensor(3.0), lambda x: x * 0 + 3, torch.round]
)
def test_a_constant_callable_has_a_derivative_of_zero(function: Any) -> None:
    values = {"x": 1.3, "f": function}
    assert sc.evaluate("∇x f(x)", values) == 0.0
    assert sc.autodiff("f(x)", "x", values=values) == 0.0


def test_a_numpy_callable_is_told_to_be_torch() -> None:
    with pytest.raises(EvaluationError, match="torch operations"):
        sc.evaluate("∇x f(x)", {"x": 1.0, "f": np.sin})


def test_inference_mode_does_not_make_derivatives_zero() -> None:
    with torch.inference_mode():
        x = torch.tensor([2.0, 3.0], dtype=torch.float64)
        assert sc.autodiff("x^3", "x", values={"x": x}).tolist() == [12.0, 27.0]  # type: ignore[union-attr]
        assert sc.evaluate("∇x x^3", {"x": x}).tolist() == [12.0, 27.0]  # type: ignore[union-attr]


def test_a_family_is_differentiated_by_coordinates() -> None:
    """As derive does it; it was 0 once."""
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    text = "Σ[i=1..3](x[i]^2)"
    found = sc.autodiff(text, "x", values={"x": x})
    assert found.tolist() == [2.0, 4.0, 6.0]  # type: ignore[union-attr]
    derived = sc.evaluate(sc.derive(text, "x").result, {"x": x}, axes={1: 3})
    assert torch.equal(found, derived)  # type: ignore[arg-type]


def test_a_sum_beyond_memory_is_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    def allocate(*_: Any, **__: Any) -> None:
        raise RuntimeError(
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate 64000000000 bytes."
        )

    monkeypatch.setattr("surrogate_calculus.numeric.machine.Machine.run", allocate)
    with pytest.raises(EvaluationError, match="do not fit into memory"):
        sc.evaluate("x", {"x": 1.0})
