"""Mantissa and scale: the same numbers as floats where floats suffice, and right far below."""

from __future__ import annotations

import math
import random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import surrogate_calculus as sc
from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric import scaled
from surrogate_calculus.numeric.functions import random_function

#: Expressions in a density p and a function f, with Σ, ∏, powers, comparisons, ⊥ and partials.
TEXTS = [
    "log(1/N * Σ[i=1..N](p(x[i];θ) / ⊥(q(x[i]))))",
    "Σ[i=1..N](p(x[i];θ)/q(x[i]) / Σ[j=1..N](p(x[j];θ)/q(x[j])) * ∇θ log p(x[i];θ))",
    "log ∏[i=1..N](p(x[i];θ)) + log(p(x[1];θ)^3 * q(x[2])^-2 * sqrt(p(x[2];θ)))",
    "D[2](p)(x[1];θ)/p(x[1];θ) + D[2,2](p)(x[2];θ)/p(x[2];θ)",
    "log max(p(x[1];θ), q(x[2])) - log min(p(x[1];θ), q(x[2])) + [p(x[1];θ) > q(x[2])]",
    "log cases(p(x[1];θ) > q(x[1]): p(x[1];θ), else: 2*q(x[1]))",
    "log Σ[i=1..N](Σ[j=1..i](p(x[i];θ)*q(x[j])))",
    "log(exp(log p(x[1];θ)) + p(x[2];θ)^(3/2)/q(x[1])^(1/2))",
    "log(p(x[1];θ) * 1 + 0) - log abs(-1*q(x[1]))",
]


def bound(seed: int, level: float) -> dict[str, object]:
    rng = random.Random(seed)
    p, q = random_function(rng, [None, None]), random_function(rng, [None])
    return {
        "log p": lambda x, t: torch.log(p(x, t)) + level,
        "log q": lambda x: torch.log(q(x)) + level,
        "p": p,
        "q": q,
        "x": [rng.uniform(0.2, 1.8) for _ in range(4)],
        "N": 4,
        "θ": rng.uniform(0.3, 1.5),
    }


def without_logs(values: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if not name.startswith("log ")}


@pytest.mark.parametrize("text", TEXTS)
@given(seed=st.integers(0, 10**6), order=st.integers(0, 2))
def test_logs_give_what_densities_give(text: str, seed: int, order: int) -> None:
    values = bound(seed, 0.0)
    plain = without_logs(values)
    for judge in (sc.autodiff, lambda e, t, k, v: sc.evaluate("∇θ " * k + f"({e})", v)):
        assert judge(text, "θ", order, values) == pytest.approx(
            judge(text, "θ", order, plain), rel=1e-9, abs=1e-9
        )


#: Expressions of degree 0 in all densities: tiny densities give what ordinary ones give.
HOMOGENEOUS = [TEXTS[0], TEXTS[1], TEXTS[3], TEXTS[4]]


@pytest.mark.parametrize("text", HOMOGENEOUS)
@pytest.mark.parametrize("level", [-1100.0, 1100.0])
@given(seed=st.integers(0, 10**6), order=st.integers(0, 2))
def test_densities_of_any_size_neither_underflow_nor_overflow(
    text: str, level: float, seed: int, order: int
) -> None:
    far, near = bound(seed, level), bound(seed, 0.0)
    assert sc.autodiff(text, "θ", order, far) == pytest.approx(
        sc.autodiff(text, "θ", order, near), rel=1e-8, abs=1e-8
    )
    goal = "∇θ " * order + f"({text})"
    assert sc.evaluate(goal, far) == pytest.approx(sc.evaluate(goal, near), rel=1e-8, abs=1e-8)


def test_particles_of_very_different_weight() -> None:
    log = {"log p": lambda x, t: -1000 * x * t, "x": [1.0, 2.0, 3.0], "θ": 1.0}
    assert sc.evaluate("log Σ[i=1..3](p(x[i];θ))", log) == pytest.approx(-1000)
    assert sc.evaluate("∇θ log Σ[i=1..3](p(x[i];θ))", log) == pytest.approx(-1000)


def test_a_particle_of_density_zero_has_no_weight() -> None:
    def log_p(x: Tensor, t: Tensor) -> Tensor:
        return torch.where(x > 1, -torch.inf, -2000 - x * t)

    values = {"log p": log_p, "x": [0.5, 2.0, 3.0], "θ": 1.0}
    assert sc.evaluate("log Σ[i=1..3](p(x[i];θ))", values) == pytest.approx(-2000.5)
    with pytest.raises(EvaluationError, match="log of a number that is not positive"):
        sc.evaluate("log p(x[2];θ)", values)


def test_the_log_of_an_underflown_density_is_refused_with_advice() -> None:
    values = {"p": lambda x: torch.exp(-1000 * x), "x": 1.0}
    with pytest.raises(EvaluationError, match="log p"):
        sc.evaluate("log p(x)", values)


@given(st.lists(st.floats(-2000, 2000), min_size=1, max_size=5))
def test_sums_are_log_sum_exp(logs: list[float]) -> None:
    tensor = torch.tensor(logs, dtype=torch.float64)
    total = scaled.sum_axis(scaled.from_log(tensor), 0)
    assert float(scaled.log(total)) == pytest.approx(float(torch.logsumexp(tensor, 0)), abs=1e-9)


def test_long_products_stay_in_range() -> None:
    value = scaled.Scaled(torch.tensor(3.0), torch.tensor(0.0))
    total = scaled.mul([value] * 2000)
    assert float(scaled.log(total)) == pytest.approx(2000 * math.log(3), rel=1e-4)
    assert math.isfinite(float(total.mantissa))
