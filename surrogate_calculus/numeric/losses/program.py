"""A loss, run at given values and differentiated row by row."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..values import Event, Value, kind
from .arguments import argument, signature_of
from .derivatives import derivatives_by_row

__all__ = [
    "REDUCTIONS",
    "LossError",
    "Program",
    "Reduction",
    "Run",
    "lengths_of",
    "one_number",
    "parameter",
    "what_kind",
]

Reduction = Literal["mean", "sum"] | None
REDUCTIONS: tuple[Reduction, ...] = (None, "mean", "sum")


class LossError(EvaluationError):
    """A loss that raises, or that returns what is no loss: other values may suit it better."""


@dataclass(frozen=True, eq=False)
class Run:
    """What a loss and its derivatives are at one point.

    Attributes:
        orders: for each order k a tensor of shape (rows, P, …, P) with P k times, in float64 on the CPU.
        places: where each parameter stands among the P numbers.
        connected: whether the loss has a graph to any of the parameters.
    """

    orders: tuple[Tensor, ...]
    places: Mapping[str, slice]
    connected: bool

    def block(self, derivative: Sequence[str]) -> Tensor:
        """The part of a mixed derivative, of shape (rows, K₁, …, Kₖ)."""
        index = (slice(None), *(self.places[name] for name in derivative))
        return self.orders[len(derivative)][index]


@dataclass(frozen=True)
class Program:
    """A loss that is differentiated.

    Attributes:
        loss: called with the values that its signature names, by keyword.
        wrt: the parameters to differentiate in.
        top: the highest order.
        reduction: how a loss of one number comes from the rows of a batch; None for a loss by rows.
        dtype: that the loss is run in.
        whole: names whose ints stay ints.
    """

    loss: Callable[..., Any]
    wrt: tuple[str, ...]
    top: int
    reduction: Reduction
    dtype: torch.dtype
    whole: Collection[str] = ()

    def run(self, values: Mapping[str, Value], rows: tuple[int, ...]) -> Run:
        """The loss and its derivatives at a point, for every row of a batch, or of its mean or sum.

        Args:
            values: by canonical names.
            rows: the batch shape.

        Raises:
            LossError: the loss raises, returns no tensor of the batch's shape, or no number.
            EvaluationError: the loss asks for what is not given, or does not take a parameter.
        """
        if math.prod(rows) == 0:
            raise LossError(
                f"the values are a batch of shape {rows}, and nothing would be compared",
                instead="a batch of some rows",
            )
        # In inference mode torch records no graph, and every derivative would come out as 0.
        with torch.inference_mode(False), torch.enable_grad():
            leaves, arguments = self._arguments(values)
            outcome = self._called(arguments)
            entries = self._entries(outcome, rows)
            if not bool(torch.isfinite(entries.detach()).all()):
                raise LossError(
                    f"the loss is {_first_strange(entries)} at this point, which is no number",
                    instead="values at which the loss is finite",
                )
            try:
                found = derivatives_by_row(entries, list(leaves.values()), self.top)
            except RuntimeError as error:
                raise LossError(
                    f"autograd cannot differentiate the loss {self.top} time(s): {_first_line(error)}",
                    instead="a loss of differentiable torch operations",
                ) from error
        orders = tuple(tensor.to("cpu", torch.float64) for tensor in found)
        places, start = {}, 0
        for name, leaf in leaves.items():
            places[name] = slice(start, start + leaf.numel())
            start += leaf.numel()
        return Run(orders, places, bool(entries.requires_grad))

    def _arguments(self, values: Mapping[str, Value]) -> tuple[dict[str, Tensor], dict[str, Any]]:
        signature = signature_of(self.loss, values)
        handed = signature.names(values)
        absent = [name for name in self.wrt if name not in handed.values()]
        if absent:
            raise EvaluationError(
                f"the loss does not take {', '.join(absent)}, so that it cannot be differentiated in it",
                instead=f"def loss({absent[0]}, …), or **values; for the parameters of a module "
                "torch.func.functional_call",
            )
        device = _device(values)
        leaves = {
            name: parameter(name, values[name], self.dtype, device).requires_grad_() for name in self.wrt
        }
        arguments = {
            spelled: leaves[name] if name in leaves else argument(name, values[name], self.dtype, self.whole)
            for spelled, name in handed.items()
        }
        return leaves, arguments

    def _called(self, arguments: Mapping[str, Any]) -> Tensor:
        try:
            outcome = self.loss(**arguments)
        except Exception as error:
            raise LossError(
                f"the loss raises {type(error).__name__}: {_first_line(error)}",
                instead="a loss that can be computed from " + (", ".join(arguments) or "nothing"),
            ) from error
        if not isinstance(outcome, Tensor) or outcome.is_complex():
            raise LossError(
                f"the loss returns {what_kind(outcome)}, no tensor of real numbers",
                instead="a torch tensor with its graph: no .item(), no float(…)",
            )
        return outcome

    def _entries(self, outcome: Tensor, rows: tuple[int, ...]) -> Tensor:
        """The loss as a vector: a number for each row, or one."""
        if self.reduction is not None:
            return one_number(outcome, f"with reduction={self.reduction!r}").reshape(1)
        shape = tuple(outcome.shape)
        if not rows:
            return one_number(outcome, "where the values are no batch").reshape(1)
        if shape != rows and not (outcome.numel() == 1 and math.prod(rows) == 1):
            if outcome.numel() == 1:
                raise LossError(
                    f"the loss returns one number for a batch of shape {rows}",
                    instead="reduction='mean' or 'sum', whichever the loss does; or a loss for each row",
                )
            raise LossError(
                f"the loss has shape {shape}, and the values are a batch of shape {rows}",
                instead="a loss for each row; or its mean or sum, and reduction='mean' or 'sum'",
            )
        return outcome.reshape(-1)


def what_kind(outcome: Any) -> str:
    """The type of what a loss returns; of a tensor, that of its numbers."""
    return f"a tensor of {outcome.dtype}" if isinstance(outcome, Tensor) else kind(outcome)


def one_number(outcome: Tensor, when: str) -> Tensor:
    """A loss of one element.

    Raises:
        LossError: it has more.
    """
    if outcome.numel() != 1:
        raise LossError(
            f"the loss returns a tensor of shape {tuple(outcome.shape)}; {when} it is one number",
            instead="loss.sum() or loss.mean(), whichever is meant",
        )
    return outcome


def parameter(name: str, value: Any, dtype: torch.dtype, device: torch.device | None = None) -> Tensor:
    """A parameter's value as a leaf: a number, or a vector of shape (K,).

    Raises:
        EvaluationError: it is neither, or not finite.
    """
    if isinstance(value, Event):
        value = value.tensor
    found: Tensor | None
    try:
        if callable(value) or isinstance(value, (bool, str)):
            raise TypeError(kind(value))
        found = value if isinstance(value, Tensor) else torch.as_tensor(_plain(value), dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        found = None
    if found is None or found.is_complex() or found.dtype == torch.bool:
        raise EvaluationError(
            f"the value of the parameter {name} is {kind(value)}", instead="a number, or a 1-D tensor"
        )
    if found.dim() > 1 or found.numel() == 0:
        raise EvaluationError(
            f"the parameter {name} has shape {tuple(found.shape)}; a parameter is a number or a vector",
            instead="one axis: flatten it, and view it as a matrix inside the loss; several values of a "
            "parameter are several bindings in a list",
        )
    found = found.detach().clone().to(dtype=dtype)
    if not bool(torch.isfinite(found).all()):
        raise EvaluationError(f"the parameter {name} is not finite", instead="a finite number")
    return found if device is None or found.device.type != "cpu" else found.to(device)


def lengths_of(values: Mapping[str, Value], wrt: Sequence[str]) -> dict[str, int]:
    """How many numbers each parameter is."""
    return {name: parameter(name, values[name], torch.float64).numel() for name in wrt}


def _plain(value: Any) -> Any:
    from fractions import Fraction

    return float(value) if isinstance(value, Fraction) else value


def _device(values: Mapping[str, Value]) -> torch.device | None:
    tensors = [v.tensor if isinstance(v, Event) else v for v in values.values()]
    return next((t.device for t in tensors if isinstance(t, Tensor) and t.device.type != "cpu"), None)


def _first_line(error: BaseException) -> str:
    return next(iter(str(error).splitlines()), "").strip()[:200] or "without a message"


def _first_strange(entries: Tensor) -> str:
    flat = entries.detach().reshape(-1)
    return str(float(flat[~torch.isfinite(flat)][0]))
