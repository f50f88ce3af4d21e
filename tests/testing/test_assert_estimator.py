"""``assert_estimator``: what it says of right and wrong losses, and of input that is no use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from surrogate_calculus.errors import DeriveError, EvaluationError, ParseError
from surrogate_calculus.numeric import Event
from surrogate_calculus.testing import Disagreement, EstimatorDisagrees, assert_estimator

D = torch.float64


def log_p(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    return -((x - theta) ** 2) / 2


def f(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    return theta * x**2 + torch.sin(theta)


def dice(theta: torch.Tensor, x: torch.Tensor, log_p: Any, f: Any) -> torch.Tensor:
    density = log_p(x, theta)
    return (density - density.detach()).exp() * f(x, theta)


POINT: dict[str, Any] = {"θ": 0.3, "x": 1.7, "log p": log_p, "f": f}
DICE = "p(x;θ)/⊥(p(x;θ))*f(x;θ)"
BATCH = {**POINT, "x": torch.tensor([0.3, 1.0, -2.0, 0.7], dtype=D)}


def hold(loss: Any, **changes: Any) -> Any:
    chosen: dict[str, Any] = {"surrogate": DICE, "wrt": "θ", "bindings": POINT, **changes}
    return assert_estimator(loss, **chosen)


def square(theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return (theta + x) ** 2


def simple(loss: Any = square, **changes: Any) -> Any:
    chosen: dict[str, Any] = {"surrogate": "(x+θ)^2", "wrt": "θ", "bindings": {"θ": 0.3, "x": 1.0}, **changes}
    return assert_estimator(loss, **chosen)


def test_arguments_are_matched_by_name_in_any_spelling() -> None:
    found = hold(dice, wrt="theta", orders=(0, 1, 2, 3))
    assert found.orders == (0, 1, 2, 3) and found.points == 4 and found.deviation < 1e-14
    assert found.formulas[1] == ("f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)",)
    assert "prove nothing" in str(found)
    hold(lambda θ, **rest: dice(θ, rest["x"], log_p, f), orders=(1,))


def test_a_formula_for_each_order() -> None:
    first = "f(x;θ) ∇θ log p(x;θ) + ∇θ f(x;θ)"
    second = "f(x;θ)*(∇²θ log p(x;θ) + (∇θ log p(x;θ))^2) + 2*∇θ f(x;θ)*∇θ log p(x;θ) + ∇²θ f(x;θ)"
    assert hold(dice, surrogate=None, estimator={1: first, 2: second}).orders == (1, 2)
    assert hold(dice, surrogate=None, estimator=first, orders=(1,)).orders == (1,)
    with pytest.raises(EstimatorDisagrees, match="at order 2"):
        hold(dice, surrogate=None, estimator={1: first, 2: second.replace("2*", "")})


@pytest.mark.parametrize(("reduction", "reduce"), [("mean", torch.mean), ("sum", torch.sum)])
def test_a_batch_by_rows_and_reduced(reduction: str, reduce: Any) -> None:
    hold(dice, bindings=BATCH)
    hold(lambda **v: reduce(dice(v["θ"], v["x"], log_p, f)), bindings=BATCH, reduction=reduction)
    other = "sum" if reduction == "mean" else "mean"
    with pytest.raises(EstimatorDisagrees):
        hold(lambda **v: reduce(dice(v["θ"], v["x"], log_p, f)), bindings=BATCH, reduction=other)


def test_a_failure_names_the_smallest_input_and_what_is_missing() -> None:
    def score_function(theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return f(x, theta) + f(x, theta).detach() * log_p(x, theta)

    with pytest.raises(EstimatorDisagrees) as failure:
        hold(score_function, bindings=BATCH)
    error = failure.value
    text = str(error)
    assert isinstance(error, AssertionError) and isinstance(error, Disagreement)
    assert error.order == 2 and error.quantity == "∇²θ"
    assert error.inputs["θ"] in (0.5, 1.0) and len(error.inputs["x"]) == 1
    assert abs(error.difference) > error.tolerance
    assert error.formula in text and "agrees" in text and "∇θ" in text
    assert "lacks f(x; θ) * (∇θ log p(x; θ))^2 + 2 * ∇θ f(x; θ) * ∇θ log p(x; θ)" in text
    # the two numbers are those of the formula and of autograd at that input
    at = {name: torch.as_tensor(v, dtype=D) for name, v in error.inputs.items()}
    x, theta = at["x"], at["θ"].clone().requires_grad_()
    out = score_function(theta, x).sum()
    (first,) = torch.autograd.grad(out, theta, create_graph=True)
    (second,) = torch.autograd.grad(first, theta)
    assert float(second) == pytest.approx(error.found, rel=1e-12)


def test_counts_get_smaller() -> None:
    def loss(theta: torch.Tensor, x: torch.Tensor, r: torch.Tensor, N: int) -> torch.Tensor:
        assert isinstance(N, int)
        ratio = (log_p(x, theta) - log_p(x, theta).detach()).exp()
        return ((r - r.mean()) * ratio).sum()

    group = "1/N*Σ[i=1..N]((r[i] - 1/N*Σ[j=1..N](r[j]))*p(x[i];θ)/⊥(p(x[i];θ)))"
    point = {"N": 5, "θ": 0.4, "x": [0.1, 0.9, -0.4, 0.3, 1.2], "r": [1.0, 2.0, 3.0, 0.5, 0.2]}
    with pytest.raises(EstimatorDisagrees) as failure:
        hold(loss, surrogate=group, bindings={**point, "log p": log_p})
    assert failure.value.inputs["N"] == 2 and len(failure.value.inputs["x"]) == 2
    hold(lambda theta, x, r: loss(theta, x, r, 5) / 5, surrogate=group, bindings={**point, "log p": log_p})


def test_agreement_at_one_point_is_no_agreement() -> None:
    """θ²/2 has the slope of θ at θ = 1 only."""
    point = {"θ": 1.0, "x": 2.0}
    with pytest.raises(EstimatorDisagrees):
        simple(lambda θ, x: θ**2 / 2 * x, surrogate="θ*x", bindings=point, orders=(1,))
    simple(lambda θ, x: θ**2 / 2 * x, surrogate="θ*x", bindings=point, orders=(1,), nearby=0)
    for seed in range(5):
        with pytest.raises(EstimatorDisagrees):
            simple(lambda θ, x: θ**2 / 2 * x, surrogate="θ*x", bindings=point, orders=(1,), seed=seed)


def test_small_numbers_are_compared_as_large_ones_are() -> None:
    far = {"θ": 30.0, "x": 2.0}
    simple(lambda θ, x: torch.exp(-θ * x), surrogate="exp(-θ*x)", bindings=far)
    with pytest.raises(EstimatorDisagrees, match="gives 3/2"):
        simple(lambda θ, x: 1.5 * torch.exp(-θ * x), surrogate="exp(-θ*x)", bindings=far)


def test_summands_that_cancel_are_no_difference() -> None:
    """10⁸ f - 10⁸ f leaves the rounding of 10⁸."""
    simple(
        lambda θ, x: 1e8 * θ.sin() - 1e8 * (θ.sin() - θ * x), surrogate="10^8*sin(θ) - 10^8*(sin(θ) - θ*x)"
    )


def test_vectors_and_several_parameters() -> None:
    def log_softmax(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        logs = torch.log_softmax(theta, -1).expand(*x.shape, theta.shape[-1])
        return logs.gather(-1, x.long().unsqueeze(-1)).squeeze(-1)

    point = {"θ": torch.tensor([0.1, 0.2, -0.3]), "x": torch.tensor(1), "log p": log_softmax}
    vector: dict[str, Any] = {"surrogate": "log p(x;θ)", "bindings": point}
    hold(lambda θ, x: torch.log_softmax(θ, -1)[x], **vector)
    with pytest.raises(EstimatorDisagrees, match="coordinate 2"):
        hold(lambda θ, x: torch.softmax(θ, -1)[x], **vector)
    outer = "∇θ log p(x;θ) ⊗ ∇θ log p(x;θ)"
    with pytest.raises(EstimatorDisagrees, match="coordinates"):
        hold(lambda θ, x: torch.log_softmax(θ, -1)[x], **{**vector, "surrogate": None}, estimator={2: outer})
    both: dict[str, Any] = {"wrt": ("θ", "φ"), "bindings": {"θ": 0.3, "φ": 1.2}}
    simple(lambda θ, φ: θ**2 * φ + θ * φ.detach(), surrogate="θ^2*φ + θ*⊥(φ)", **both)
    with pytest.raises(EstimatorDisagrees, match="∇φ"):
        simple(lambda θ, φ: θ**2 * φ + θ * φ, surrogate="θ^2*φ + θ*⊥(φ)", **both)
    formulas = {1: {"θ": "2*θ*φ", "φ": "θ^2"}, 2: {"θφ"[0]: "0"}}
    with pytest.raises(EvaluationError, match="is no derivative of order 2"):
        simple(lambda θ, φ: θ**2 * φ, surrogate=None, estimator=formulas, **both)
    formulas[2] = {("θ", "θ"): "2*φ", ("φ", "θ"): "2*θ", ("φ", "φ"): "0"}  # type: ignore[dict-item]
    simple(lambda θ, φ: θ**2 * φ, surrogate=None, estimator=formulas, **both)
    separable = {**both, "bindings": {"θ": 0.3, "φ": 1.2, "f": torch.sin, "g": torch.cos}}
    simple(lambda θ, φ: θ.sin() + φ.cos(), surrogate="f(θ) + g(φ)", **separable)
    with pytest.raises(EstimatorDisagrees, match="∇φ ∇θ"):
        simple(
            lambda θ, φ: θ.sin() + φ.cos() + (θ - 0.3) * (φ - 1.2),
            surrogate="f(θ) + g(φ)",
            nearby=0,
            **separable,
        )


DOCUMENT = """
count N
parameter θ
index i = 1..N
observed x[i], y
density p(x[i], y; θ), q(x[i])
define v[i] = p(x[i], y; θ) / ⊥(q(x[i]))
define Z = 1/N * Σ[i](v[i])
"""


def test_a_document(tmp_path: Path) -> None:
    def joint(x: torch.Tensor, y: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        return -((x - theta) ** 2) / 2 - (y - x) ** 2 / 2

    def loss(theta: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return torch.logsumexp(joint(x, y, theta) + x**2 / 2, 0)

    point = {"θ": 0.4, "N": 2, "x": [0.1, 0.9], "y": 0.3, "log p": joint, "log q": lambda x: -(x**2) / 2}
    (tmp_path / "model.sc").write_text(DOCUMENT, encoding="utf-8")
    document: dict[str, Any] = {"surrogate": "log Z", "bindings": point}
    found = hold(loss, **document, given=tmp_path / "model.sc", orders=(1,), nearby=1)
    assert "∇θ log p" in found.formulas[1][0]
    by_name = hold(loss, **document, given=str(tmp_path / "model.sc"), orders=(1,), nearby=0)
    assert by_name.formulas == found.formulas
    with pytest.raises(EstimatorDisagrees):
        hold(lambda θ, x, y: joint(x, y, θ).sum(), **document, given=DOCUMENT, orders=(1,), nearby=1)


def test_float32() -> None:
    found = hold(dice, dtype=torch.float32)
    assert found.tolerance == pytest.approx(1.2e-4, rel=0.01)
    with pytest.raises(EstimatorDisagrees):
        hold(
            lambda θ, x: f(x, θ) * (1 + log_p(x, θ)),
            surrogate="f(x;θ)+⊥(f(x;θ))*log p(x;θ)",
            dtype=torch.float32,
        )
    net = torch.nn.Linear(1, 1)  # which takes nothing but float32

    def g(x: torch.Tensor) -> torch.Tensor:
        return net(x.reshape(-1, 1)).reshape(x.shape)

    point = {"θ": 0.3, "x": 0.5, "g": g}
    simple(lambda θ, x: (θ * g(x)) ** 2, surrogate="(θ*g(x))^2", bindings=point, dtype=torch.float32)


def test_inside_the_clip_the_surrogate_itself_is_the_witness() -> None:
    clipped = "min(θ*A, max(min(θ, 1.2), 0.8)*A)"
    point = {"θ": 1.05, "A": 2.0}
    found = simple(
        lambda θ, A: torch.minimum(θ * A, θ.clamp(0.8, 1.2) * A), surrogate=clipped, bindings=point, nearby=1
    )
    assert any("at some points it fails that" in note for note in found.notes)
    with pytest.raises(EstimatorDisagrees, match="autograd of the surrogate"):
        simple(lambda θ, A: 2 * θ * A, surrogate=clipped, bindings=point, nearby=1)


def test_a_loss_without_a_graph_has_derivative_zero() -> None:
    with pytest.raises(EstimatorDisagrees, match="no graph to θ"):
        simple(lambda θ, x: (θ.detach() + x) ** 2)
    simple(lambda θ, x: x * θ.detach(), surrogate="x*⊥(θ)")


def test_a_derivative_that_is_no_number_is_a_disagreement() -> None:
    def trap(theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return torch.where(x > 0, (theta + x) ** 2, torch.sqrt(theta - theta.detach()))

    with pytest.raises(EstimatorDisagrees) as failure:
        simple(trap)
    assert failure.value.found != failure.value.found
    with pytest.raises(EstimatorDisagrees) as infinite:
        simple(lambda θ, x: (θ + x) ** 2 + torch.sqrt(θ - θ.detach()))
    assert infinite.value.found == float("inf")


def test_no_gradient_mode_of_the_caller_is_in_the_way() -> None:
    with torch.no_grad():
        simple()
    with torch.inference_mode():
        simple()


def test_the_global_generator_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    simple()
    assert torch.equal(before, torch.random.get_rng_state())


def test_inputs_are_not_changed_by_a_loss_that_changes_its_own() -> None:
    x = torch.tensor([1.0, 2.0], dtype=D)
    simple(lambda θ, x: (θ + x.mul_(2)) ** 2, surrogate="(θ+2*x)^2", bindings={"θ": 0.3, "x": x})
    assert x.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"orders": 0}, "orders are a sequence"),
        ({"orders": ()}, "no order is asked for"),
        ({"orders": "1"}, "orders are a sequence"),
        ({"orders": (1, -1)}, "no derivative has order -1"),
        ({"orders": (True,)}, "no derivative has order True"),
        ({"orders": (1, 99)}, "no derivative has order 99"),
        ({"orders": (12,), "bindings": {"θ": torch.ones(3), "x": 1.0}}, "3 numbers have 531,441 derivatives"),
        ({"surrogate": None}, "none is given"),
        ({"estimator": {1: "1"}}, "both are given"),
        ({"surrogate": None, "estimator": "2*(x+θ)", "orders": (1, 2)}, "one formula is given"),
        ({"surrogate": None, "estimator": {1: "2*(x+θ)"}, "orders": (1, 2)}, "no formula of order 2"),
        ({"surrogate": None, "estimator": {1: "1", 2: "0"}, "orders": (1,)}, "not among the orders"),
        ({"surrogate": None, "estimator": ["1"], "orders": (1,)}, "an estimator maps orders"),
        ({"surrogate": None, "estimator": {1: 7}}, "is a formula, a text or a term, not an int"),
        ({"surrogate": 3.0}, "a surrogate is a formula"),
        ({"bindings": {"θ": 0.3, "x": 1.0, "z": 1.0}}, "neither a formula nor the loss uses z"),
        ({"bindings": {"θ": 0.3}}, "the loss takes x"),
        ({"bindings": {"x": 0.3}}, "no value for the parameter θ"),
        ({"bindings": []}, "no point is given"),
        ({"bindings": 3}, "bindings map names"),
        ({"bindings": {"θ": 0.3, "x": "one"}}, "the value of x"),
        ({"bindings": {"θ": float("nan"), "x": 1.0}}, "θ is not finite"),
        ({"bindings": {"θ": torch.ones(2, 2), "x": 1.0}}, "a number or a vector"),
        ({"bindings": {"θ": 0.3, "theta": 0.3, "x": 1.0}}, "given twice"),
        ({"bindings": {3: 0.3}}, "is no name"),
        ({"wrt": ()}, "wrt is a name"),
        ({"wrt": ("θ", "theta")}, "names a parameter twice"),
        ({"tolerance": 2}, "tolerance is a number between 0 and 1"),
        ({"tolerance": float("nan")}, "tolerance is a number between 0 and 1"),
        ({"nearby": -1}, "nearby is a whole number"),
        ({"reduction": "max"}, "not reduced by 'max'"),
        ({"dtype": torch.float16}, "cannot be told apart"),
        ({"dtype": "float64"}, "computed in no 'float64'"),
        ({"given": 3}, "given is a document"),
        ({"vector": "θ"}, "vector is a list"),
        ({"vector": [3]}, "vector is a list"),
        ({"seed": [1]}, "seed is a whole number"),
        ({"seed": 2**62}, "the seed .* is too large"),
    ],
)
def test_bad_input_is_one_clear_error(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(EvaluationError, match=says) as failure:
        simple(**changes)
    assert failure.value.instead


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        (lambda θ, x: float((θ + x).detach()), "returns a float"),
        (lambda θ, x: torch.stack([θ, x]), "shape \\(2,\\)"),
        (lambda θ, x: torch.log(θ - 5), "the loss is nan"),
        (lambda θ, x: (θ + x).nothing, "raises AttributeError"),
        (lambda x: x, "does not take θ"),
        (lambda θ, y: θ + y, "the loss takes y"),
        (lambda θ, x: (θ + x + torch.randn(())) ** 2, "not the same when it is run again"),
        (lambda θ, x: (θ + x) ** 2 * torch.randn(()).detach() * 0 + θ * torch.rand(()), "not the same"),
        (3, "a loss is a function"),
        (lambda θ, /, x: θ, "by position only"),
    ],
)
def test_a_loss_that_is_none_is_one_clear_error(loss: Any, says: str) -> None:
    with pytest.raises(EvaluationError, match=says) as failure:
        simple(loss)
    assert failure.value.instead


def test_rows_and_one_number_are_not_confused() -> None:
    with pytest.raises(EvaluationError, match="one number for a batch"):
        hold(lambda θ, x: dice(θ, x, log_p, f).mean(), bindings=BATCH)
    with pytest.raises(EvaluationError, match="with reduction='mean' it is one number"):
        hold(dice, bindings=BATCH, reduction="mean")


def test_formulas_are_refused_as_elsewhere() -> None:
    with pytest.raises(ParseError, match="closes nothing"):
        simple(surrogate="(x+θ)^2)")
    with pytest.raises(DeriveError, match="does not occur"):
        simple(surrogate="(x+φ)^2", bindings={"θ": 0.3, "φ": 1.0, "x": 1.0})
    with pytest.raises(DeriveError, match="taken for constant"):
        simple(surrogate="f(x) + ⊥(θ)", bindings={"θ": 0.3, "x": 1.0, "f": torch.sin})
    with pytest.raises(EvaluationError, match="is a vector, and ∇²θ is a matrix"):
        hold(
            lambda θ: θ.sum(),
            surrogate=None,
            estimator={2: "∇θ f(x;θ)"},
            bindings={"θ": torch.ones(2), "x": 1.0, "f": lambda x, t: x * t.sum(-1)},
        )


def test_a_point_without_neighbours_is_told() -> None:
    def only_there(theta: torch.Tensor) -> torch.Tensor:
        if float(theta.detach()) != 1.0:
            raise ValueError("θ must be 1")
        return theta**2

    with pytest.raises(EvaluationError, match="no other value of θ nearby"):
        simple(only_there, surrogate="θ^2", bindings={"θ": 1.0})
    simple(only_there, surrogate="θ^2", bindings={"θ": 1.0}, nearby=0)


def test_a_domain_with_an_edge_close_by_is_kept_to() -> None:
    """θ < 1: points beyond are not looked at."""
    simple(lambda θ: torch.log(1 - θ), surrogate="log(1 - θ)", bindings={"θ": 0.99999})


def test_a_loss_in_float32_is_told_so() -> None:
    def loss(theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return (theta.float() * 0.3 + x) ** 2

    with pytest.raises(EstimatorDisagrees, match=r"dtype=torch\.float32"):
        simple(loss, surrogate="(0.3*θ+x)^2")
    simple(loss, surrogate="(0.3*θ+x)^2", dtype=torch.float32)
    with pytest.raises(EstimatorDisagrees) as failure:
        simple(lambda theta, x: (theta * 0.31 + x) ** 2, surrogate="(0.3*θ+x)^2")
    assert "float32" not in str(failure.value)


def test_complex_losses_and_empty_batches_are_refused() -> None:
    with pytest.raises(EvaluationError, match=r"a tensor of torch\.complex128"):
        simple(lambda theta, x: square(theta, x) * 1j)
    with pytest.raises(EvaluationError, match="nothing would be compared"):
        simple(bindings={"θ": 0.3, "x": torch.zeros(0, dtype=D)})


def test_a_density_with_a_covariance_that_depends_on_the_parameter() -> None:
    """torch's forward mode has wrong second derivatives of solve and slogdet: the formula must not."""
    a = torch.tensor([[0.3, 0.5], [0.5, -0.2]], dtype=D)

    def log_density(y: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        spread = 2 * torch.eye(2, dtype=D) + theta[..., None, None] * a
        weighed = torch.linalg.solve(spread, y[..., None])[..., 0]
        return -0.5 * (torch.linalg.slogdet(spread)[1] + (y * weighed).sum(-1))

    def loss(theta: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        log_p = log_density(y, theta.expand(3))
        return (log_p - log_p.detach()).exp() * y.sum(-1)

    rows = torch.tensor([[0.2, -1.0], [0.7, 0.4], [-1.3, 0.5]], dtype=D)
    point = {"θ": 0.3, "y": Event(rows, 1), "log p": log_density, "f": lambda y: y.sum(-1)}
    hold(loss, surrogate="p(y;θ)/⊥(p(y;θ))*f(y)", bindings=point)
    with pytest.raises(EstimatorDisagrees) as failure:
        hold(
            lambda theta, y: log_density(y, theta.expand(3)) * y.sum(-1),
            surrogate="p(y;θ)/⊥(p(y;θ))*f(y)",
            bindings=point,
        )
    assert failure.value.order == 2


def test_sticking_the_landing_stops_the_parameter_of_the_proposal() -> None:
    """Roeder et al. (2017): φ is stopped inside log q, and not in the sample."""

    def log_q(z: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
        return -((z - phi) ** 2)

    def sample(e: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
        return phi + e * torch.exp(0.3 * phi)

    def loss(stopped: bool) -> Any:
        def elbo(theta: torch.Tensor, phi: torch.Tensor, e: torch.Tensor) -> torch.Tensor:
            z = sample(e, phi)
            return log_p(z, theta) - log_q(z, phi.detach() if stopped else phi)

        return elbo

    chosen: dict[str, Any] = {
        "surrogate": "log p(z(e;φ);θ) - log q(z(e;φ);⊥(φ))",
        "wrt": ("θ", "φ"),
        "bindings": {
            "θ": 0.5,
            "φ": -0.3,
            "e": torch.tensor([0.3, -0.8], dtype=D),
            "log p": log_p,
            "log q": log_q,
            "z": sample,
        },
        "orders": (1,),
    }
    hold(loss(True), **chosen)
    with pytest.raises(EstimatorDisagrees, match=r"behaves like .*log q\(z\(e; φ\); φ\)"):
        hold(loss(False), **chosen)


def test_doubly_reparameterised_weights_are_stopped() -> None:
    """Tucker et al. (2019): the squares of the normalised weights, stopped, and log q with φ stopped."""

    def log_q(z: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
        return -((z - phi) ** 2)

    def bound(stopped: bool) -> Any:
        def loss(theta: torch.Tensor, phi: torch.Tensor, e: torch.Tensor) -> torch.Tensor:
            z = phi + e
            log_w = log_p(z, theta) - log_q(z, phi.detach())
            w = torch.softmax(log_w, 0)
            return ((w.detach() if stopped else w) ** 2 * log_w).sum()

        return loss

    ratio = "p(φ+e[k];θ)/q(φ+e[k];⊥(φ))"
    chosen: dict[str, Any] = {
        "surrogate": f"Σ[k=1..K](⊥({ratio}/Σ[j=1..K](p(φ+e[j];θ)/q(φ+e[j];⊥(φ))))^2 * log({ratio}))",
        "wrt": ("θ", "φ"),
        "bindings": {"θ": 0.5, "φ": -0.3, "K": 2, "e": [0.3, -0.8], "log p": log_p, "log q": log_q},
        "orders": (1,),
    }
    hold(bound(True), **chosen)
    with pytest.raises(EstimatorDisagrees, match="∇θ"):
        hold(bound(False), **chosen)


def test_a_target_of_a_value_loss_is_stopped() -> None:
    """V-trace (Espeholt et al. 2018), two steps: clipped ratios, a stopped advantage and a stopped target."""

    def loss(stopped: bool) -> Any:
        def both(
            theta: torch.Tensor, phi: torch.Tensor, a: torch.Tensor, s: torch.Tensor, old: torch.Tensor
        ) -> torch.Tensor:
            now, value = log_p(a, theta), phi * s
            ratio = (now - old).exp().clamp(max=1.0).detach()
            delta = a + 0.9 * value[1:] - value[:-1]
            target = value[:-1] + ratio * delta
            off = value[:-1] - (target.detach() if stopped else target)
            return (-ratio * now * delta.detach() + off**2 / 2).sum()

        return both

    delta, ratio = "(a[t] + 0.9*φ*s[t+1] - φ*s[t])", "⊥(min(p(a[t];θ)/exp(old[t]), 1))"
    actor = f"{ratio}*log p(a[t];θ)*⊥({delta})"
    chosen: dict[str, Any] = {
        "surrogate": f"Σ[t=1..T](1/2*(φ*s[t] - ⊥(φ*s[t] + {ratio}*{delta}))^2 - {actor})",
        "wrt": ("θ", "φ"),
        "bindings": {
            "θ": 0.7,
            "φ": 0.4,
            "T": 2,
            "a": [0.3, -1.2],
            "s": [0.5, 1.5, -0.7],
            "old": [-0.4, -1.0],
            "log p": log_p,
        },
    }
    hold(loss(True), **chosen)
    with pytest.raises(EstimatorDisagrees, match="∇φ"):
        hold(loss(False), **chosen)
