"""Derivatives of callables that torch's forward mode gets wrong: right, or refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

import surrogate_calculus as sc
from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.language.terms import App, Sym
from surrogate_calculus.numeric import trust
from surrogate_calculus.numeric.opaque import Opaque

A = torch.tensor([[3.0, 0.4, 0.1], [0.2, 4.0, 0.3], [0.5, 0.1, 5.0]], dtype=torch.float64)
B = torch.tensor([[0.3, 0.7, -0.2], [0.1, 0.2, 0.5], [-0.4, 0.3, 0.6]], dtype=torch.float64)
U = torch.tensor([1.0, -2.0, 0.7], dtype=torch.float64)
X = torch.tensor([0.3, 0.7, -0.2, 0.5], dtype=torch.float64)


def matrix(x: Tensor, θ: Tensor) -> Tensor:
    return A + θ[..., None, None] * B + (torch.sin(θ) * x)[..., None, None] * (B @ B)


def vector(x: Tensor, θ: Tensor) -> Tensor:
    return U * θ[..., None] + x[..., None] * U**2 * θ[..., None] ** 2


def normal(x: Tensor, θ: Tensor) -> Tensor:
    """Its covariance and its mean both depend on θ."""
    spread = matrix(x, θ) @ matrix(x, θ).mT
    return -0.5 * (torch.linalg.slogdet(spread)[1] + (U * torch.linalg.solve(spread, vector(x, θ))).sum(-1))


WRONG: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "normal": normal,
    "solve": lambda x, θ: (torch.linalg.solve(matrix(x, θ), vector(x, θ)) * U).sum(-1),
    "det": lambda x, θ: torch.linalg.det(matrix(x, θ)),
    "slogdet": lambda x, θ: torch.linalg.slogdet(matrix(x, θ))[1],
    "layer_norm": lambda x, θ: (torch.nn.functional.layer_norm(vector(x, θ), (3,)) * U).sum(-1),
    "cholesky_inverse": lambda x, θ: (
        torch.cholesky_inverse(torch.linalg.cholesky(matrix(x, θ) @ matrix(x, θ).mT)) * A
    ).sum((-1, -2)),
}


def nested(order: int) -> str:
    return "∇[θ](" * order + "f(x; θ)" + ")" * order


def central(f: Callable[[Tensor, Tensor], Tensor], order: int, at: float, h: float = 1e-3) -> Tensor:
    """Central differences of the value, of sixth order: judges that are no automatic differentiation."""
    first = {-3: -1 / 60, -2: 9 / 60, -1: -45 / 60, 1: 45 / 60, 2: -9 / 60, 3: 1 / 60}
    second = {
        -3: 2 / 180,
        -2: -27 / 180,
        -1: 270 / 180,
        0: -490 / 180,
        1: 270 / 180,
        2: -27 / 180,
        3: 2 / 180,
    }
    weights = first if order == 1 else second
    parts = [w * f(X, torch.tensor(at + k * h, dtype=torch.float64)) for k, w in weights.items()]
    return sum(parts[1:], parts[0]) / h**order


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("order", [1, 2])
def test_derivatives_are_right_where_forward_mode_is_wrong(name: str, order: int) -> None:
    found = sc.evaluate(nested(order), {"f": WRONG[name], "x": X, "θ": 0.6})
    assert torch.allclose(torch.as_tensor(found), central(WRONG[name], order, 0.6), rtol=1e-6, atol=1e-7)


def test_a_log_density_and_its_score() -> None:
    """The values go through exp(log p), two parameters are differentiated, and a batch of θ."""
    values = {
        "log p": lambda x, θ, φ: normal(x, θ) + normal(θ, φ),
        "x": 0.3,
        "θ": torch.tensor([0.6, 0.9], dtype=torch.float64),
        "φ": 0.4,
    }
    for text, wrt in (("∇[θ](∇[θ](log p(x; θ, φ)))", "θ"), ("∇[φ](∇[θ](log p(x; θ, φ)))", ("θ", "φ"))):
        order = 2 if wrt == "θ" else 1
        expected = sc.autodiff("log p(x; θ, φ)", wrt, order, values)
        found = sc.evaluate(text, values)
        assert torch.allclose(torch.as_tensor(found), torch.as_tensor(expected), rtol=1e-10)


def test_a_vector_parameter() -> None:
    def f(x: Tensor, θ: Tensor) -> Tensor:
        return torch.linalg.det(A + θ[..., 0, None, None] * B + θ[..., 1, None, None] * (x * B @ B))

    values = {"f": f, "x": 0.4, "θ": torch.tensor([0.3, -0.2], dtype=torch.float64)}
    found = torch.as_tensor(sc.evaluate("∇²θ f(x; θ)", values, vector=("θ",)))
    expected = torch.as_tensor(sc.autodiff("f(x; θ)", "θ", 2, values, vector=("θ",)))
    assert found.shape == (2, 2)
    assert torch.allclose(found, expected, rtol=1e-10)


def test_what_both_modes_get_wrong_is_refused() -> None:
    """Third derivatives of layer_norm: reverse mode is wrong too (torch 2.13)."""
    f, h = WRONG["layer_norm"], 1e-3
    exact = (central(f, 2, 0.6 + h) - central(f, 2, 0.6 - h)) / (2 * h)
    values = {"f": f, "x": X, "θ": 0.6}
    if not torch.allclose(torch.as_tensor(sc.autodiff("f(x; θ)", "θ", 3, values)), exact, rtol=1e-3):
        with pytest.raises(EvaluationError, match="callable for f wrongly at order 3"):
            sc.evaluate(nested(3), values)
    else:  # another version of torch
        assert torch.allclose(torch.as_tensor(sc.evaluate(nested(3), values)), exact, rtol=1e-3)


def test_no_derivative_at_all_is_no_traceback() -> None:
    def f(x: Tensor, θ: Tensor) -> Tensor:
        return torch.cdist(vector(x, θ)[..., None], vector(θ, x)[..., None]).sum((-1, -2))

    with pytest.raises(EvaluationError, match="cannot differentiate"):
        sc.evaluate(nested(2), {"f": f, "x": 0.3, "θ": 0.6})


def test_forward_mode_stays_where_only_reverse_mode_has_no_number() -> None:
    """The branch of a where that is not taken gives reverse mode 0·∞."""

    def f(x: Tensor, θ: Tensor) -> Tensor:
        bump = torch.where(θ > 1, torch.log((θ - 1).abs()), θ**3)
        return torch.logcumsumexp(torch.stack([x * θ, bump]), 0)[1]

    found = sc.evaluate(nested(2), {"f": f, "x": 0.3, "θ": 0.6})
    assert found == pytest.approx(float(central(lambda _, θ: f(torch.tensor(0.3), θ), 2, 0.6)), rel=1e-6)


OPERATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "arithmetic": lambda v: (v * 2 - v / (3 + v) + 1 / v - (-v) + (1 - v)).sum() + v.mean(),
    "powers": lambda v: (v**3 + v**1.5 + v**v + torch.square(v) + v.sqrt() + v.rsqrt()).sum(),
    "exponentials": lambda v: (v.exp() + v.expm1() + v.log() + v.log1p() + v.log2()).sum(),
    "circular": lambda v: (v.sin() * v.cos() + v.tan() + v.atan() + v.sinh() * v.cosh() + v.tanh()).sum(),
    "gamma": lambda v: (torch.lgamma(v) + torch.digamma(v) + torch.erf(v) + torch.erfc(v)).sum(),
    "softmax": lambda v: (
        ((torch.log_softmax(v * v, -1) + torch.softmax(v * v, -1)) * v).sum() + torch.logsumexp(v * v, -1)
    ),
    "sigmoids": lambda v: (
        torch.sigmoid(v) + torch.nn.functional.softplus(v) + torch.nn.functional.logsigmoid(v)
    ).prod(),
    "branches": lambda v: (
        torch.where(v > 0.5, v**2, v**3)
        + torch.maximum(v, 1 - v) ** 2
        + torch.minimum(v, v**2) ** 2
        + v.clamp(0.31, 0.82) ** 2
        + (v - 0.55).abs() ** 3
        + torch.relu(v - 0.51) ** 3
    ).sum(),
    "products": lambda v: (
        (torch.outer(v, v.exp()) @ v * v).sum()
        + (torch.outer(v, v**2) @ torch.outer(v.sin(), v)).sum()
        + v @ v.cumsum(0)
    ),
    "layout": lambda v: (
        (
            torch.stack([v, v**2]).mT.flip(0)[1:, 0] ** 2
            * torch.cat([v, v])[[0, 5]].repeat(1).expand(2)[0]
            * torch.outer(v, v).diagonal()[:2].sum()
        ).sum()
        * v.gather(0, torch.tensor([1, 1])).sum() ** 2
        * v.split([1, 2])[1].sum()
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_that_are_trusted_are_right(name: str) -> None:
    f = OPERATIONS[name]
    base = torch.tensor([0.42, 0.57, 0.7], dtype=torch.float64)
    opaque = Opaque(
        lambda θ: f(base + θ * torch.tensor([0.1, -0.2, 0.3], dtype=torch.float64)),
        App("f", (Sym("θ"),)),
        (0,),
        torch.float64,
        torch.device("cpu"),
    )
    at = torch.tensor(0.05, dtype=torch.float64)
    curve = trust._line(opaque, [at], (0,))
    start = torch.zeros((), dtype=torch.float64)
    value = float(curve(start))
    for size in (1, 20_000):
        assert trust._compared(opaque, curve, start, value, 3, size)


class ForwardOnly(torch.autograd.Function):
    """erfinv with a forward derivative of its own, times a factor, and no other."""

    generate_vmap_rule = True
    factor = 1.0

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return torch.erfinv(x)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_forward(inputs[0])

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor) -> Tensor:
        (x,) = ctx.saved_tensors
        slope = torch.exp(torch.erfinv(x) ** 2) * math.sqrt(math.pi) / 2
        return ForwardOnly.factor * slope * tangent


def test_what_has_no_reverse_mode_is_compared_with_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    values = {"θ": 0.1, "g": ForwardOnly.apply}
    found = sc.evaluate("∇[θ](g(θ))", values)
    assert found == pytest.approx(sc.evaluate("∇[θ](g(θ))", {"θ": 0.1, "g": torch.erfinv}), rel=1e-12)
    monkeypatch.setattr(ForwardOnly, "factor", 1.01)
    with pytest.raises(EvaluationError, match="wrongly at order 1"):
        sc.evaluate("∇[θ](g(θ))", values)
