"""The nonlinear growth model, the classic hard case for filters (Gordon, Salmond & Smith 1993).

    x₀ ~ N(0, P),  x_t = α x_{t-1} + β x_{t-1}/(1 + x_{t-1}²) + γ cos(1.2 t) + √q η_t,  y_t = x_t²/20 + √r ε_t

Its observation does not tell x from -x, and its transition depends on the time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from .inputs import positive
from .protocol import GaussianNoise, Time, filled_in, log_normal

__all__ = ["Growth"]


class Coefficients(NamedTuple):
    """α, β, γ, and the deviations √q and √r."""

    alpha: Tensor
    beta: Tensor
    gamma: Tensor
    step: Tensor
    error: Tensor


@dataclass(frozen=True)
class Growth(GaussianNoise):
    """The model; its own values are the usual ones.

    Parameters: ``alpha``, ``beta``, ``gamma``; ``log_q`` and ``log_r``, of the variances.

    Attributes:
        variance: P, of x₀; no parameter.
    """

    alpha: float = 0.5
    beta: float = 25.0
    gamma: float = 8.0
    q: float = 10.0
    r: float = 1.0
    variance: float = 5.0

    event = ()
    observed = ()
    parameters = {"alpha": (), "beta": (), "gamma": (), "log_q": (), "log_r": ()}  # noqa: RUF012

    def __post_init__(self) -> None:
        positive("the growth model", {"q": self.q, "r": self.r, "variance": self.variance})

    def defaults(self) -> dict[str, Tensor]:
        """The model's own values on the unconstrained scales."""
        found = {"alpha": self.alpha, "beta": self.beta, "gamma": self.gamma}
        found |= {"log_q": math.log(self.q), "log_r": math.log(self.r)}
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in found.items()}

    def natural(self, parameters: Mapping[str, Tensor]) -> Coefficients:
        """The coefficients, and the deviations."""
        p = filled_in(self, parameters)
        deviations = torch.exp(p["log_q"] / 2), torch.exp(p["log_r"] / 2)
        return Coefficients(p["alpha"], p["beta"], p["gamma"], *deviations)

    def initial(self, c: Coefficients, noise: Tensor) -> Tensor:
        """x₀."""
        return noise * math.sqrt(self.variance)

    def mean(self, c: Coefficients, t: Time, previous: Tensor) -> Tensor:
        """The mean of x_t given x_{t-1}."""
        season = torch.cos(1.2 * t.to(previous.dtype)) if isinstance(t, Tensor) else math.cos(1.2 * t)
        return c.alpha * previous + c.beta * previous / (1 + previous * previous) + c.gamma * season

    def move(self, c: Coefficients, t: int, previous: Tensor, noise: Tensor) -> Tensor:
        """x_t."""
        return torch.addcmul(self.mean(c, t, previous), c.step, noise)

    def log_initial(self, c: Coefficients, x: Tensor) -> None:
        """The law of x₀ is free of every parameter."""
        return

    def log_transition(self, c: Coefficients, t: Time, x: Tensor, previous: Tensor) -> Tensor:
        """log N(x_t; mean, q)."""
        return log_normal(x, self.mean(c, t, previous), c.step)

    def log_observation(self, c: Coefficients, t: Time, y: Tensor, x: Tensor) -> Tensor:
        """log N(y_t; x_t²/20, r)."""
        return log_normal(y, x * x / 20, c.error)

    def observe(self, c: Coefficients, t: int, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """y_t."""
        return x * x / 20 + c.error * self.noise(tuple(x.shape), generator, x)
