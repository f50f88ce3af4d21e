"""The stochastic volatility model of the paper's section 11.1.

    x₀ ~ N(0, σ²/(1 - φ²)),    x_t = μ (1 - φ) + φ x_{t-1} + σ η_t,    y_t = ε_t exp(x_t / 2)

with standard normal η and ε.  The law of x₀ depends on the parameters, and its mean is 0, not μ, as printed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ...errors import EvaluationError
from .inputs import positive
from .protocol import GaussianNoise, Time, filled_in, log_normal

__all__ = ["StochasticVolatility"]


class Volatility(NamedTuple):
    """Level, persistence and scale."""

    mu: Tensor
    phi: Tensor
    sigma: Tensor


@dataclass(frozen=True)
class StochasticVolatility(GaussianNoise):
    """The model; its own values are the paper's, μ = 2, φ = 0.9, σ = 1.

    Parameters: ``mu``; ``z_phi``, with φ = tanh(z); ``log_sigma``.
    """

    mu: float = 2.0
    phi: float = 0.9
    sigma: float = 1.0

    event = ()
    observed = ()
    parameters = {"mu": (), "z_phi": (), "log_sigma": ()}  # noqa: RUF012

    def __post_init__(self) -> None:
        positive("the stochastic volatility model", {"sigma": self.sigma})
        if not -1 < self.phi < 1:
            raise EvaluationError(
                f"φ of the stochastic volatility model is {self.phi!r:.40}",
                instead="a number between -1 and 1",
            )

    def defaults(self) -> dict[str, Tensor]:
        """The model's own values on the unconstrained scales."""
        found = {"mu": self.mu, "z_phi": math.atanh(self.phi), "log_sigma": math.log(self.sigma)}
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in found.items()}

    def natural(self, parameters: Mapping[str, Tensor]) -> Volatility:
        """μ, φ, σ."""
        p = filled_in(self, parameters)
        return Volatility(p["mu"], torch.tanh(p["z_phi"]), torch.exp(p["log_sigma"]))

    def initial(self, c: Volatility, noise: Tensor) -> Tensor:
        """x₀."""
        return noise * _spread(c)

    def move(self, c: Volatility, t: int, previous: Tensor, noise: Tensor) -> Tensor:
        """x_t."""
        return torch.addcmul(c.mu * (1 - c.phi) + c.phi * previous, c.sigma, noise)

    def log_initial(self, c: Volatility, x: Tensor) -> Tensor:
        """log N(x₀; 0, σ²/(1 - φ²))."""
        return log_normal(x, 0.0, _spread(c))

    def log_transition(self, c: Volatility, t: Time, x: Tensor, previous: Tensor) -> Tensor:
        """log N(x_t; μ (1 - φ) + φ x_{t-1}, σ²)."""
        return log_normal(x, c.mu * (1 - c.phi) + c.phi * previous, c.sigma)

    def log_observation(self, c: Volatility, t: Time, y: Tensor, x: Tensor) -> Tensor:
        """log N(y_t; 0, exp(x_t))."""
        return -0.5 * (y * y * torch.exp(-x) + x + math.log(2 * math.pi))

    def observe(self, c: Volatility, t: int, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """y_t."""
        return torch.exp(x / 2) * self.noise(tuple(x.shape), generator, x)


def _spread(c: Volatility) -> Tensor:
    return c.sigma / torch.sqrt(1 - c.phi * c.phi)
