"""The points that a user gives, in one form."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError
from ...language.names import canonical_name
from ..values import Event, Value, kind
from .names import canonical
from .program import parameter

__all__ = ["points_of", "vectors_of", "working_dtype"]


def points_of(bindings: Any, wrt: Sequence[str]) -> list[dict[str, Value]]:
    """The points, by canonical names, lists of numbers as tensors.

    Raises:
        EvaluationError: no mapping and no sequence of mappings, none at all, or a parameter without a value.
    """
    if isinstance(bindings, Mapping):
        bindings = [bindings]
    if isinstance(bindings, (str, bytes)) or not isinstance(bindings, Sequence):
        raise EvaluationError(
            f"bindings map names to values; this is {kind(bindings)}",
            instead='{"θ": 0.3, "x": 1.2, "f": lambda x, θ: …}, or a list of such points',
        )
    if not bindings:
        raise EvaluationError("no point is given", instead='bindings={"θ": 0.3, …}')
    points = []
    for point in bindings:
        values = {name: _plain(name, value) for name, value in canonical(point).items()}
        missing = [name for name in wrt if name not in values]
        if missing:
            raise EvaluationError(
                f"bindings has no value for the parameter {', '.join(missing)}",
                instead=f"a number or a 1-D tensor; given are {', '.join(values) or 'none'}",
            )
        for name in wrt:
            parameter(name, values[name], torch.float64)
        points.append(values)
    return points


def vectors_of(points: Sequence[Mapping[str, Value]], wrt: Sequence[str], also: Any) -> frozenset[str]:
    """The parameters that are vectors.

    Raises:
        EvaluationError: a parameter is a number at one point and a vector at another.
    """
    if isinstance(also, str) or not isinstance(also, Collection) or not all(isinstance(n, str) for n in also):
        raise EvaluationError("vector is a list of names", instead="vector=['θ']")
    found = {canonical_name(name) for name in also}
    for name in wrt:
        shapes = {parameter(name, point[name], torch.float64).dim() for point in points}
        if len(shapes) > 1:
            raise EvaluationError(
                f"{name} is a number at one point and a vector at another", instead="one or the other"
            )
        if shapes == {1}:
            found.add(name)
    return frozenset(found)


def working_dtype(dtype: Any) -> torch.dtype:
    """The dtype that the loss is run in.

    Raises:
        EvaluationError: it is no dtype of real numbers.
    """
    if dtype is None:
        return torch.float64
    if not isinstance(dtype, torch.dtype) or not dtype.is_floating_point:
        raise EvaluationError(f"a loss is computed in no {dtype!r:.40}", instead="dtype=torch.float64")
    return dtype


def _plain(name: str, value: Value) -> Value:
    """A value whose numbers are tensors of their own."""
    if isinstance(value, (list, tuple)) or (hasattr(value, "__array__") and not isinstance(value, Tensor)):
        try:
            whole = not torch.as_tensor(value).is_floating_point()
            return torch.as_tensor(value, dtype=None if whole else torch.float64)
        except (TypeError, ValueError, RuntimeError):
            raise EvaluationError(
                f"the value of {name} is no number and no tensor but {kind(value)}", instead="a torch tensor"
            ) from None
    if isinstance(value, Tensor):
        return value.detach()
    if isinstance(value, Event):
        return Event(value.tensor.detach(), value.dims)
    return value
