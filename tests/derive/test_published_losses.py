"""Published losses: their derived estimators against hand-written torch and against the literature."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from published import LOSSES, Loss  # noqa: E402

import surrogate_calculus as sc  # noqa: E402
from surrogate_calculus.derive.proof import Proof  # noqa: E402
from surrogate_calculus.language.terms import HAS_EVAL, HAS_STOP, App, Indexed, Sym, postorder  # noqa: E402

TOLERANCE = 1e-9

SCALARS = {
    "θ": 0.8, "φ": 0.6, "x": 0.7, "y": -0.4, "c": 1.3, "R": 2.1, "B": -1.7, "a0": 0.35, "a1": 1.15,
    "s0": -0.6, "s1": 0.9, "α": 0.4, "β": 0.5, "γ": 0.9, "ε": 0.2, "λ": 0.3, "η": 0.15,
}  # fmt: skip
FAMILIES = {
    "a": (0.3, 1.1, -0.5), "s": (0.9, -0.2, 0.4), "A": (1.2, -0.7, 0.4), "z": (0.2, -0.9, 1.4),
    "e": (1.0, 0.1, -0.6), "anc": (2, 2, 3),
}  # fmt: skip
COUNTS = {"N": 3, "K": 3, "T": 3, "G": 3}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def smooth(name: str) -> Callable[..., Any]:
    """A positive analytic function of any number of slots, no derivative of which vanishes."""
    seed = sum(map(ord, name)) % 17 / 10

    def call(*slots: Any) -> Any:
        first = sum((0.6 + 0.25 * k + 0.1 * seed) * slot for k, slot in enumerate(slots))
        second = sum((1.1 - 0.3 * k + 0.2 * seed) * slot for k, slot in enumerate(slots))
        return torch.exp(0.4 * torch.sin(first + seed) + 0.3 * torch.cos(second - seed))

    return call


FUNCTIONS = {name: smooth(name) for name in (*"pqπμfghlbrQUV", "c0")}


def by_hand(loss: Loss, order: int, shift: float) -> float:
    """Reverse mode over the hand-written loss."""
    tensor = {name: torch.tensor(x + shift, dtype=torch.float64) for name, x in SCALARS.items()}
    tensor[loss.wrt].requires_grad_()
    families = {name: torch.tensor(x, dtype=torch.float64) for name, x in FAMILIES.items()}
    one = torch.ones((), dtype=torch.float64)
    out = loss.torch(SimpleNamespace(**tensor, **families, **FUNCTIONS, one=one))
    for _ in range(order):
        (out,) = torch.autograd.grad(out, tensor[loss.wrt], create_graph=True)
    return float(out.detach())


def values_of(term: Any, shift: float) -> dict[str, Any]:
    """What ``evaluate`` needs for the names of a term."""
    nodes = postorder(term)
    out: dict[str, Any] = {}
    for node in nodes:
        if isinstance(node, App):
            out[node.name] = FUNCTIONS[node.name]
        elif isinstance(node, Indexed):
            out[node.name] = torch.tensor(FAMILIES[node.name], dtype=torch.float64)
        elif isinstance(node, Sym):
            out[node.name] = COUNTS[node.name] if node.name in COUNTS else SCALARS[node.name] + shift
    return out


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)
def test_the_estimator_is_what_torch_makes_of_the_loss(loss: Loss) -> None:
    for order in loss.orders:
        derivation = sc.derive(loss.text, loss.wrt, order)
        assert sc.check(derivation.certificate).status == "proved"
        assert not derivation.result.flags & (HAS_STOP | HAS_EVAL)
        for shift in (0.0, 0.05):
            expected = by_hand(loss, order, shift)
            values = values_of(derivation.start, shift)
            found = float(sc.evaluate(derivation.result, values))
            assert math.isfinite(expected)
            assert abs(found - expected) <= TOLERANCE * max(1.0, abs(expected)), (order, derivation)
            surrogate = float(sc.autodiff(loss.text, loss.wrt, order, values))
            assert abs(surrogate - expected) <= TOLERANCE * max(1.0, abs(expected)), order


@pytest.mark.parametrize("loss", [x for x in LOSSES if x.expected], ids=lambda loss: loss.name)
def test_the_estimator_is_the_one_of_the_literature(loss: Loss) -> None:
    """The kernel concludes that the result and the published formula are equal by arithmetic."""
    assert loss.expected is not None
    derivation = sc.derive(loss.text, loss.wrt)
    proof = Proof()
    proof.infer("field", proof.add(derivation.result), proof.add(sc.parse(loss.expected)))
