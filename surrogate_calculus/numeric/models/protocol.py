"""What a state-space model tells a particle filter, and what a proposal does.

Shapes.  A state has shape ``event`` (``()`` for numbers), a row of the observations ``observed``.  Methods
are elementwise over leading dimensions, which broadcast: states are ``(lead …, *event)``, parameters ``(lead
…,
*shape)`` or just ``shape``, observations ``(lead …, *observed)``, times an int or an int64 tensor ``(lead
…)``; densities come back as ``(lead …)``.  A filter calls them with ``lead = (replicates, particles)`` at
each step of its forward pass, and with any other lead where it differentiates many steps at once.

Randomness comes in as noise of a law free of every parameter, so that a draw is a function: the same noise is
the same run, and a reparameterised gradient is that function's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor

from ...errors import EvaluationError
from .inputs import as_numbers

__all__ = [
    "GaussianNoise",
    "Proposal",
    "StateSpaceModel",
    "Time",
    "filled_in",
    "log_normal",
    "standard_normal",
]

#: The time of a step, from 1.
Time = int | Tensor

#: Parameters on their natural scales: a NamedTuple of tensors.
C = TypeVar("C", bound=tuple)

_HALF_LOG_2PI = 0.9189385332046727

#: From so many numbers on it pays to draw normal numbers by pairs (measured on a CPU).
_BY_PAIRS = 4096


class StateSpaceModel(Protocol[C]):
    """x₀ ~ p₀, x_t ~ p(·|x_{t-1}), y_t ~ p(·|x_t) for t = 1..T, everything dependent on parameters.

    Attributes:
        event: the shape of one state.
        observed: the shape of one observation.
        parameters: the shape of each parameter on its unconstrained scale, by name.
        discrete: whether states are whole numbers, through which no gradient passes.
    """

    @property
    def event(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def observed(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def parameters(self) -> Mapping[str, tuple[int, ...]]: ...  # noqa: D102
    @property
    def discrete(self) -> bool: ...  # noqa: D102

    def defaults(self) -> dict[str, Tensor]:
        """The model's own value of each parameter, in float64."""
        ...

    def natural(self, parameters: Mapping[str, Tensor]) -> C:
        """The parameters on their natural scales; computed once a run."""
        ...

    def noise(self, shape: tuple[int, ...], generator: torch.Generator | None, like: Tensor) -> Tensor:
        """Noise for draws of the given leading shape, with the dtype and on the device of ``like``."""
        ...

    def initial(self, c: C, noise: Tensor) -> Tensor:
        """x₀ from noise."""
        ...

    def move(self, c: C, t: int, previous: Tensor, noise: Tensor) -> Tensor:
        """x_t from x_{t-1} and noise."""
        ...

    def log_initial(self, c: C, x: Tensor) -> Tensor | None:
        """log p(x₀); None where that law is free of every parameter."""
        ...

    def log_transition(self, c: C, t: Time, x: Tensor, previous: Tensor) -> Tensor:
        """log p(x_t | x_{t-1})."""
        ...

    def log_observation(self, c: C, t: Time, y: Tensor, x: Tensor) -> Tensor:
        """log p(y_t | x_t)."""
        ...

    def observe(self, c: C, t: int, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """A draw of y_t, for synthetic data."""
        ...


class Proposal(Protocol[C]):
    """What particles are drawn from instead of the model's transition: q(x_t | x_{t-1}, y_t).

    The noise is the model's.  ``natural`` gets every parameter of the run, the model's and its own.

    Attributes:
        parameters: the shape of each parameter of its own, on its unconstrained scale.
    """

    @property
    def parameters(self) -> Mapping[str, tuple[int, ...]]: ...  # noqa: D102

    def defaults(self) -> dict[str, Tensor]:
        """Its own value of each parameter of its own."""
        ...

    def natural(self, parameters: Mapping[str, Tensor]) -> C:
        """What the methods below take, computed once a run."""
        ...

    def move(self, c: C, t: int, y: Tensor, previous: Tensor, noise: Tensor) -> Tensor:
        """x_t from x_{t-1}, y_t and noise."""
        ...

    def log_density(self, c: C, t: Time, y: Tensor, x: Tensor, previous: Tensor) -> Tensor:
        """log q(x_t | x_{t-1}, y_t)."""
        ...


class GaussianNoise:
    """Standard normal noise of the shape of a state."""

    event: Any
    discrete = False

    def noise(self, shape: tuple[int, ...], generator: torch.Generator | None, like: Tensor) -> Tensor:
        """Standard normal numbers of shape ``(*shape, *event)``."""
        return standard_normal((*shape, *self.event), generator, like)


def standard_normal(shape: tuple[int, ...], generator: torch.Generator | None, like: Tensor) -> Tensor:
    """Standard normal numbers.

    In double precision on a CPU torch takes its logarithms and cosines one by one, which is nearly half of a
    batched filter's time; the same method of Box & Muller (1958) on whole tensors takes two thirds of it.
    """
    count = math.prod(shape)
    if like.device.type != "cpu" or like.dtype != torch.float64 or count < _BY_PAIRS:
        return torch.randn(shape, generator=generator, dtype=like.dtype, device=like.device)
    half = (count + 1) // 2
    u, angle = torch.rand((2, half), generator=generator, dtype=like.dtype).unbind(0)
    # 1 - u is never 0.
    radius = u.neg_().log1p_().mul_(-2).sqrt_()
    angle.mul_(2 * math.pi)
    return torch.cat((torch.cos(angle).mul_(radius), angle.sin_().mul_(radius)))[:count].reshape(shape)


def filled_in(model: Any, parameters: Mapping[str, Any], like: Tensor | None = None) -> dict[str, Tensor]:
    """All parameters of a model or proposal: those given, and its own values of the others.

    Args:
        model: has ``parameters`` and ``defaults``.
        parameters: numbers or tensors, by name; other names than the model's are left out.
        like: a tensor of the dtype and device to use; by default each tensor keeps its own.

    Raises:
        EvaluationError: a value is no number, or its shape does not end in the parameter's.
    """
    out = {}
    for name, default in model.defaults().items():
        value = parameters.get(name, default)
        value = as_numbers(value, f"the parameter {name}")
        if like is not None:
            value = value.to(dtype=like.dtype, device=like.device)
        shape = model.parameters[name]
        if value.dim() < len(shape) or tuple(value.shape[value.dim() - len(shape) :]) != shape:
            raise EvaluationError(
                f"the parameter {name} has shape {tuple(value.shape)}",
                instead=f"{shape}, or (replicates …, *{shape}) for a value of its own for each replicate",
            )
        out[name] = value
    return out


def log_normal(x: Tensor, mean: Tensor | float, deviation: Tensor) -> Tensor:
    """log N(x; mean, deviation²), elementwise, in few operations."""
    z = (x - mean) / deviation
    return torch.addcmul(-torch.log(deviation) - _HALF_LOG_2PI, z, z, value=-0.5)
