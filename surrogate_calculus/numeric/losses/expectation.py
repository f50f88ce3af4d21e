"""The mean of a loss's derivatives under a law, against the derivatives of a target.

The law is that of the program: it draws, and is not differentiated.  A finite law is enumerated, and the
mean is a sum, exact to rounding.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, product
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..values import kind
from .derivatives import derivatives
from .laws import FiniteLaw
from .program import LossError, what_kind

__all__ = [
    "Deviation",
    "Parameters",
    "Target",
    "called",
    "components",
    "derivative_at",
    "differs_when_repeated",
    "exact_means",
    "handed",
    "parameters_of",
    "with_score_terms",
]


#: Tensors with more elements are shown by their shape.
_SHOWN = 12


@dataclass(frozen=True, eq=False)
class Parameters:
    """Values of what is differentiated in: one tensor of any shape, or several by name.

    Attributes:
        tensors: by name; the name is "" where there is one tensor only.
    """

    tensors: Mapping[str, Tensor]

    @property
    def dtype(self) -> torch.dtype:
        """Of every number."""
        return next(iter(self.tensors.values())).dtype

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each number: ``θ``, ``θ[0]``, ``scale``."""
        out = []
        for name, tensor in self.tensors.items():
            for index in product(*map(range, tensor.shape)):
                out.append((name or "θ") + (f"[{', '.join(map(str, index))}]" if index else ""))
        return tuple(out)

    def leaves(self) -> dict[str, Tensor]:
        """Fresh copies that derivatives are taken in."""
        return {name: t.detach().clone().requires_grad_() for name, t in self.tensors.items()}

    def fixed(self) -> Any:
        """Fresh copies without a graph, as a function is given them."""
        return handed({name: t.detach().clone() for name, t in self.tensors.items()})

    def moved(self, rng: random.Random, radius: float) -> Parameters:
        """Each number moved by up to a fraction of itself, or of 1 where it is 0."""
        out = {}
        for name, tensor in self.tensors.items():
            flat = [
                x + radius * rng.choice((-1, 1)) * rng.uniform(0.5, 1.0) * (abs(x) or 1.0)
                for x in tensor.reshape(-1).tolist()
            ]
            out[name] = torch.tensor(flat, dtype=tensor.dtype, device=tensor.device).reshape(tensor.shape)
        return Parameters(out)

    def simpler(self) -> list[Parameters]:
        """The same with round numbers, the roundest first."""
        tried = []
        for simple in (torch.ones_like, lambda t: t.round(decimals=0), lambda t: t.round(decimals=1)):
            candidate = {name: simple(tensor) for name, tensor in self.tensors.items()}
            if any(not torch.equal(candidate[name], t) for name, t in self.tensors.items()):
                tried.append(Parameters(candidate))
        return tried

    def shown(self) -> dict[str, Any]:
        """The numbers by name; of a large tensor its shape."""
        return {
            name or "θ": t.tolist() if t.numel() <= _SHOWN else f"a tensor of shape {tuple(t.shape)}"
            for name, t in self.tensors.items()
        }

    def __str__(self) -> str:
        """``θ = [0.3, -1]``."""
        return ", ".join(f"{name} = {numbers}" for name, numbers in self.shown().items())


def handed(tensors: Mapping[str, Tensor]) -> Any:
    """Tensors as a function of θ is given them: the one, or a dictionary."""
    return tensors[""] if set(tensors) == {""} else dict(tensors)


def parameters_of(at: Any, dtype: torch.dtype) -> Parameters:
    """A point from what a user writes: a number, a tensor, or a mapping of such.

    Raises:
        EvaluationError: it is none of these, or not finite.
    """
    if isinstance(at, Mapping):
        if not at or not all(isinstance(name, str) and name for name in at):
            raise EvaluationError("parameters are given by name", instead='at={"loc": 0.3, "scale": 1.2}')
        return Parameters({name: _parameter(name, value, dtype) for name, value in at.items()})
    return Parameters({"": _parameter("θ", at, dtype)})


def _parameter(name: str, value: Any, dtype: torch.dtype) -> Tensor:
    if isinstance(value, bool) or not isinstance(value, (int, float, Tensor)):
        raise EvaluationError(
            f"the value of the parameter {name} is {kind(value)}", instead="a number or a tensor"
        )
    tensor = value.detach().clone() if isinstance(value, Tensor) else torch.tensor(float(value), dtype=dtype)
    if tensor.is_complex() or tensor.dtype == torch.bool or not tensor.numel():
        raise EvaluationError(f"the parameter {name} holds no real numbers", instead="a number or a tensor")
    tensor = tensor.to(dtype)
    if not bool(torch.isfinite(tensor).all()):
        raise EvaluationError(f"the parameter {name} is not finite", instead="finite numbers")
    return tensor


@dataclass(frozen=True, eq=False)
class Deviation:
    """One component of one derivative: what its mean is, and should be.

    Attributes:
        order: of the derivative.
        component: its name, ``∂²/∂θ[0]∂θ[1]``.
        place: its coordinates.
        expected: of the target.
        found: the mean.
        allowed: the largest difference that agrees.
        scale: what ``allowed`` is a multiple of: a magnitude, or a standard error.
    """

    order: int
    component: str
    place: tuple[int, ...]
    expected: float
    found: float
    allowed: float
    scale: float

    @property
    def agrees(self) -> bool:
        """Whether the difference is within what is allowed."""
        return abs(self.found - self.expected) <= self.allowed

    @property
    def relative(self) -> float:
        """The difference in units of the scale; without a scale ∞, or 0 for what is only rounding."""
        if not self.scale:
            return 0.0 if self.agrees else float("inf")
        return abs(self.found - self.expected) / self.scale


def components(names: Sequence[str], orders: Sequence[int]) -> list[tuple[int, tuple[int, ...], str]]:
    """Order, coordinates and name of every component, those that are equal by symmetry once."""
    out = []
    for order in sorted(orders):
        for place in combinations_with_replacement(range(len(names)), order):
            power = "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(order)) if order > 1 else ""
            below = "".join(f"∂{names[k]}" for k in place)
            out.append((order, place, f"∂{power}/{below}" if order else "the value"))
    return out


@dataclass(frozen=True)
class Target:
    """What is estimated: a function of θ, differentiated by autograd, or its derivatives themselves.

    Attributes:
        given: a function of θ that returns one number; or numbers and tensors by order.
    """

    given: Callable[[Any], Tensor] | Mapping[int, Any]

    @property
    def is_function(self) -> bool:
        """Whether it can be had at any θ."""
        return not isinstance(self.given, Mapping)

    def orders(self, at: Parameters, orders: Sequence[int]) -> dict[int, Tensor]:
        """Its derivatives, each of shape (P,) * order.

        Raises:
            EvaluationError: it is neither, an order is missing, a value is of another shape or
                not finite.
        """
        size = len(at.names)
        if isinstance(self.given, Mapping):
            return {order: self._stated(order, size) for order in orders}
        leaves = at.leaves()
        with torch.inference_mode(False), torch.enable_grad():
            value = called(self.given, "the target", handed(leaves))
            value = _number(value, "the target")
            if max(orders) and not value.requires_grad:
                raise EvaluationError(
                    "the target has no graph to θ, and every derivative of it would be 0",
                    instead="torch operations on θ, without .detach(), .item() or torch.tensor(…); where it "
                    "is a constant, 0 * θ.sum() + the constant",
                )
            found = derivatives(value, list(leaves.values()), max(orders))
        out = {order: found[order].to("cpu", torch.float64) for order in orders}
        for order, tensor in out.items():
            if not bool(torch.isfinite(tensor).all()):
                raise EvaluationError(
                    f"the target's derivative of order {order} is not finite at {at}",
                    instead="a θ at which the target is smooth",
                )
        return out

    def see_determinism(self, at: Parameters, orders: Sequence[int]) -> None:
        """See that a function of θ is one.

        Raises:
            EvaluationError: it has other values when it is run again, or as for :meth:`orders`.
        """
        once, again = self.orders(at, orders), self.orders(at, orders)
        if any(not torch.allclose(once[k], again[k], rtol=1e-6, atol=0.0) for k in once):
            raise EvaluationError(
                "the target is not the same when it is run again",
                instead="an exact target, which draws nothing",
            )

    def _stated(self, order: int, size: int) -> Tensor:
        assert isinstance(self.given, Mapping)
        if order not in self.given:
            raise EvaluationError(
                f"the target has no value of order {order}", instead="an entry for each of the orders"
            )
        try:
            value = self.given[order]
            if not isinstance(value, Tensor):
                value = torch.as_tensor(value, dtype=torch.float64)
            if value.is_complex():
                raise TypeError("complex numbers")
            value = value.detach().to("cpu", torch.float64)
        except (TypeError, ValueError, RuntimeError):
            raise EvaluationError(
                f"the target of order {order} is {kind(self.given[order])}", instead="a number or a tensor"
            ) from None
        if value.numel() != size**order:
            raise EvaluationError(
                f"the target of order {order} has shape {tuple(value.shape)}; θ has {size} number(s)",
                instead=f"{size**order} number(s)",
            )
        if not bool(torch.isfinite(value).all()):
            raise EvaluationError(f"the target of order {order} is not finite", instead="finite numbers")
        value = value.reshape((size,) * order)
        if any(not torch.allclose(value, value.transpose(0, k)) for k in range(1, order)):
            raise EvaluationError(
                f"the target of order {order} is not symmetric, as mixed derivatives are",
                instead="∂²/∂θ[0]∂θ[1] at [0, 1] and at [1, 0]",
            )
        return value


def called(function: Any, what: str, *arguments: Any) -> Any:
    """The value of a user's function.

    Raises:
        LossError: it raises, or is none.
    """
    if not callable(function):
        raise EvaluationError(f"{what} is {kind(function)}", instead="a function of torch tensors")
    try:
        return function(*arguments)
    except Exception as error:
        first = next(iter(str(error).splitlines()), "") or "without a message"
        raise LossError(
            f"{what} raises {type(error).__name__}: {first:.200}",
            instead="loss(x, θ) and target(θ), with one sample x or a batch of them",
        ) from error


def _number(value: Any, what: str) -> Tensor:
    if not isinstance(value, Tensor) or value.is_complex():
        raise LossError(
            f"{what} returns {what_kind(value)}, no tensor of real numbers",
            instead="a torch tensor with its graph: no .item(), no float(…)",
        )
    if value.numel() != 1:
        raise LossError(
            f"{what} returns a tensor of shape {tuple(value.shape)}", instead="one number for one sample"
        )
    return value.reshape(())


def exact_means(
    loss: Callable[[Any, Any], Tensor],
    law: FiniteLaw,
    target: Target,
    at: Parameters,
    orders: Sequence[int],
    tolerance: float,
) -> list[Deviation]:
    """Every component of ``Σₓ p(x; θ) ∂ᵏ loss(x, θ)`` against that of the target.

    Args:
        loss: of a sample and θ, one number.
        law: what the samples are drawn from; an outcome of probability 0 is left out.
        target: what is estimated.
        at: θ.
        orders: of the derivatives.
        tolerance: the largest difference that agrees, as a multiple of ``Σₓ p(x; θ) |∂ᵏ loss(x, θ)|``, or of
            the target where that is larger.

    Raises:
        EvaluationError: the law, the loss or the target has no value at θ.
    """
    outcomes = law.outcomes()
    weights = law.weights(at.fixed(), at.dtype).detach().to("cpu", torch.float64)
    top = max(orders)
    mean: list[Any] = [0.0] * (top + 1)
    size: list[Any] = [0.0] * (top + 1)
    for outcome, weight in zip(outcomes, weights.tolist(), strict=True):
        if not weight:
            continue
        found = _derivatives_at(loss, outcome, at, top)
        for order in range(top + 1):
            if order in orders and not bool(torch.isfinite(found[order]).all()):
                raise LossError(
                    f"the derivative of order {order} of the loss is not finite at the outcome "
                    f"{_shown(outcome)}, {at}",
                    instead="a loss that is smooth there: no square root of 0, say",
                )
            mean[order] = mean[order] + weight * found[order]
            size[order] = size[order] + weight * found[order].abs()
    wanted = target.orders(at, orders)
    out = []
    for order, place, name in components(at.names, orders):
        there = torch.maximum(size[order], wanted[order].abs())
        # An entry that nothing adds to has the scale of the others, or of the loss.
        scale = float(there[place]) or float(there.max()) or float(size[0])
        out.append(
            Deviation(
                order,
                name,
                place,
                float(wanted[order][place]),
                float(mean[order][place]),
                tolerance * scale,
                scale,
            )
        )
    return out


def _derivatives_at(
    loss: Callable[[Any, Any], Tensor], outcome: Any, at: Parameters, top: int
) -> list[Tensor]:
    leaves = at.leaves()
    with torch.inference_mode(False), torch.enable_grad():
        value = called(loss, "the loss", _copy(outcome), handed(leaves))
        value = _number(value, "the loss")
        if not bool(torch.isfinite(value.detach())):
            raise LossError(
                f"the loss is {float(value.detach())} at the outcome {_shown(outcome)}, {at}",
                instead="a loss that is finite for every outcome of positive probability",
            )
        try:
            found = derivatives(value, list(leaves.values()), top)
        except RuntimeError as error:
            raise LossError(
                f"autograd cannot differentiate the loss {top} time(s): {error}",
                instead="a loss of differentiable torch operations",
            ) from error
    return [tensor.to("cpu", torch.float64) for tensor in found]


def derivative_at(loss: Callable[[Any, Any], Tensor], outcome: Any, at: Parameters, order: int) -> Tensor:
    """One derivative at one outcome, of shape (P,) * order.

    Raises:
        LossError: the loss has none there.
    """
    return _derivatives_at(loss, outcome, at, order)[order]


def with_score_terms(
    loss: Callable[[Any, Any], Tensor], law: FiniteLaw, at: Parameters, order: int
) -> Tensor | None:
    """``∂ᵏ Σₓ p(x; θ) loss(x, θ)``, the law differentiated too; None where it has no graph to θ."""
    leaves = at.leaves()
    with torch.inference_mode(False), torch.enable_grad():
        weights = law.weights(handed(leaves))
        if not weights.requires_grad:
            return None
        total: Any = 0.0
        for outcome, weight in zip(law.outcomes(), weights, strict=True):
            if float(weight.detach()):
                value = called(loss, "the loss", _copy(outcome), handed(leaves))
                total = total + weight * _number(value, "the loss")
        found = derivatives(total, list(leaves.values()), order)
    return found[order].to("cpu", torch.float64)


def differs_when_repeated(loss: Callable[[Any, Any], Tensor], sample: Any, at: Parameters, top: int) -> bool:
    """Whether two evaluations at one sample and one θ differ."""
    results = []
    for _ in range(2):
        leaves = at.leaves()
        with torch.inference_mode(False), torch.enable_grad():
            value = called(loss, "the loss", _copy(sample), handed(leaves))
            if not isinstance(value, Tensor):
                _number(value, "the loss")
            results.append(derivatives(value.mean(), list(leaves.values()), top))
    return any(
        not torch.allclose(a, b, rtol=1e-6, atol=0.0, equal_nan=True) for a, b in zip(*results, strict=True)
    )


def _copy(outcome: Any) -> Any:
    return outcome.detach().clone() if isinstance(outcome, Tensor) else outcome


def _shown(outcome: Any) -> str:
    text = str(outcome.tolist()) if isinstance(outcome, Tensor) else repr(outcome)
    return text if len(text) <= 60 else f"{text[:60]}…"
