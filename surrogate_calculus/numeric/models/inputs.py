"""What users give: numbers as tensors, or one clear error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError

__all__ = ["as_numbers", "as_observations", "missing_rows", "positive"]


def as_numbers(value: Any, what: str) -> Tensor:
    """A tensor of real numbers; from anything but a tensor or an array, in float64.

    Args:
        value: a number, an array, a tensor, or nested lists.
        what: the value's name in an error: ``the parameter a``.

    Raises:
        EvaluationError: it is none of these.
    """
    found = value
    if not isinstance(value, Tensor):
        try:
            # Without a dtype torch would round lists of Python's numbers to single precision.
            found = torch.as_tensor(value, dtype=None if hasattr(value, "dtype") else torch.float64)
        except (TypeError, ValueError, RuntimeError, OverflowError):
            found = None
    if found is None or found.is_complex():
        kind = str(found.dtype) if found is not None else type(value).__name__
        raise EvaluationError(f"{what} cannot be made of {kind}", instead="real numbers, or a tensor of them")
    return found


def as_observations(model: Any, observations: Any, like: Tensor) -> Tensor:
    """Observations of shape (T, …, *observed) in the dtype and on the device of a run; NaN is missing.

    Args:
        model: has ``observed``, and may have ``check_observations``, which refuses values of its own.
        observations: what was given.
        like: of the dtype and device.

    Raises:
        EvaluationError: they are no numbers, have another shape, or one is infinite.
    """
    event = tuple(model.observed)
    y = as_numbers(observations, "the observations")
    if y.dim() < 1 + len(event) or tuple(y.shape[y.dim() - len(event) :]) != event:
        raise EvaluationError(
            f"the observations have shape {tuple(y.shape)}", instead=f"(T, *{event}), times first"
        )
    if len(y) == 0:
        raise EvaluationError("there are no observations", instead="a row for each time, from 1")
    infinite = torch.isinf(y).reshape(len(y), -1).any(1) if y.is_floating_point() else None
    if infinite is not None and bool(infinite.any()):
        t = int(infinite.nonzero()[0]) + 1
        raise EvaluationError(f"the observation at time {t} is infinite", instead="a number; NaN if missing")
    y = y.to(dtype=like.dtype, device=like.device).detach()
    check = getattr(model, "check_observations", None)
    if check is not None:
        check(y)
    return y


def missing_rows(y: Tensor, event: tuple[int, ...]) -> Tensor:
    """Which rows of observations (lead …, *event) are NaN, of shape (lead …).

    Raises:
        EvaluationError: a row is NaN in part.
    """
    nan = torch.isnan(y).reshape(*y.shape[: y.dim() - len(event)], -1)
    missing = nan.all(-1)
    if not torch.equal(nan.any(-1), missing):
        raise EvaluationError(
            "a row of the observations is missing in part",
            instead="rows of NaN altogether; marginalise the other components in the model",
        )
    return missing


def positive(model: str, values: Mapping[str, float], or_zero: bool = False) -> None:
    """Refuse values of a model that are not positive numbers.

    Args:
        model: how an error calls it.
        values: by name.
        or_zero: whether zero will do.

    Raises:
        EvaluationError: one is zero, negative, infinite or no number.
    """
    for name, value in values.items():
        try:
            good = 0 < float(value) < float("inf") or (or_zero and float(value) == 0)
        except (TypeError, ValueError, RuntimeError, OverflowError):
            good = False
        if not good:
            instead = "a positive number" + (", or 0" if or_zero else "")
            raise EvaluationError(f"{name} of {model} is {value!r:.40}", instead=instead)
