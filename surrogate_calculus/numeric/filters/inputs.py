"""What a run is asked for: seed, replicates, dtype and device, or one clear error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..models.inputs import as_numbers

__all__ = ["batch_of", "check_numbers", "check_owner", "fraction", "generator_of", "like_of", "parameters_of"]

#: The dtypes that filters compute in.
_DTYPES = (torch.float64, torch.float32)


def fraction(value: Any) -> bool:
    """Whether a value is a number in (0, 1]."""
    return isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) <= 1


def generator_of(seed: Any, generator: Any, device: torch.device) -> torch.Generator | None:
    """A generator for a seed; the one given; or None, torch's own.

    Raises:
        EvaluationError: both are given; no seed of torch's; the generator is none, or of another device.
    """
    if seed is None:
        if generator is None:
            return None
        if not isinstance(generator, torch.Generator):
            raise EvaluationError(
                f"{generator!r:.40} is no generator", instead="a torch.Generator, or seed=1"
            )
        if generator.device.type != device.type:
            raise EvaluationError(
                f"the generator is on {generator.device}, the run on {device}",
                instead=f'torch.Generator("{device}")',
            )
        return generator
    if generator is not None:
        raise EvaluationError("both a seed and a generator are given", instead="one of the two")
    if not isinstance(seed, int) or isinstance(seed, bool) or not 0 <= seed < 1 << 63:
        raise EvaluationError(f"{seed!r:.40} is no seed", instead="a whole number from 0 to 2⁶³ - 1")
    return torch.Generator(device).manual_seed(seed)


def batch_of(batch: Any) -> tuple[int, ...]:
    """The shape of the replicates.

    Raises:
        EvaluationError: it is none, or holds no replicate.
    """
    sizes = tuple(batch) if isinstance(batch, Sequence) and not isinstance(batch, str) else None
    if sizes is None or any(not isinstance(n, int) or isinstance(n, bool) or n < 1 for n in sizes):
        raise EvaluationError(
            f"{batch!r:.40} is no shape of replicates", instead="positive numbers: (64,), or () for one run"
        )
    return sizes


def parameters_of(parameters: Any) -> dict[str, Tensor | float]:
    """Parameters by name, tensors and numbers.

    Raises:
        EvaluationError: no mapping from names to numbers.
    """
    if parameters is None:
        return {}
    if not isinstance(parameters, Mapping) or any(not isinstance(name, str) for name in parameters):
        raise EvaluationError(
            "the parameters are no mapping from names to values", instead='a dictionary such as {"a": 0.9}'
        )
    return {
        name: v if isinstance(v, int | float) else as_numbers(v, f"the parameter {name}")
        for name, v in parameters.items()
    }


def check_numbers(values: Mapping[str, Tensor]) -> None:
    """Refuse a parameter that is NaN or +∞; a logit of -∞ is a probability of 0.

    Raises:
        EvaluationError: one is.
    """
    for name, value in values.items():
        top = float(value.detach().amax()) if value.numel() else 0.0  # NaN goes through a maximum
        if not top < float("inf"):
            raise EvaluationError(f"the parameter {name} is {top}", instead="finite numbers")


def check_owner(owner: Any, what: str) -> None:
    """Refuse what is no model or proposal.

    Raises:
        EvaluationError: it is a class, or lacks what filters ask for.
    """
    if isinstance(owner, type):
        raise EvaluationError(f"the {what} is a class, {owner.__name__}", instead=f"{owner.__name__}(…)")
    if not all(hasattr(owner, name) for name in ("parameters", "defaults", "natural", "move")):
        raise EvaluationError(
            f"{owner!r:.40} is no {what}", instead=f"one of numeric.models, or a {what} of your own"
        )


def like_of(values: Iterable[Any], dtype: Any, device: Any) -> Tensor:
    """An empty tensor of the dtype and device of a run.

    Args:
        values: the parameters, which decide where ``dtype`` and ``device`` are None.
        dtype: float64 or float32.
        device: what torch takes for one.

    Raises:
        EvaluationError: another dtype; no such device, or parameters on several.
    """
    tensors = [v for v in values if isinstance(v, Tensor)]
    floats = [v.dtype for v in tensors if v.is_floating_point()]
    if dtype is None:
        dtype = floats[0] if floats else torch.float64
        for other in floats[1:]:
            dtype = torch.promote_types(dtype, other)
    if dtype not in _DTYPES:
        raise EvaluationError(
            f"a filter does not compute in {dtype!r:.40}, but in floating-point double or single precision",
            instead="dtype=torch.float64 or torch.float32",
        )
    if device is None:
        devices = {v.device for v in tensors if v.device.type != "cpu"}
        if len(devices) > 1:
            raise EvaluationError(f"the parameters lie on several devices: {', '.join(map(str, devices))}")
        device = devices.pop() if devices else torch.device("cpu")
    try:
        found = torch.empty(0, dtype=dtype, device=device)
    except (RuntimeError, AssertionError, TypeError):
        found = None
    if found is None or found.device.type == "meta":
        raise EvaluationError(f"there is no device {device!r:.40}", instead='"cpu", or "cuda" with a GPU')
    return found
