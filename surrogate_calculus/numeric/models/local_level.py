"""The local-level model: a random walk observed in noise.

    μ₁ ~ N(m, P),    μ_t = μ_{t-1} + η_t,  η_t ~ N(0, r),    y_t = μ_t + ε_t,  ε_t ~ N(0, s)

(Durbin & Koopman, Time Series Analysis by State Space Methods, §2.1, with a proper initial law.)
Everything is torch and differentiable in both variances.  For a particle filter it is a state-space model
with parameters ``log_r`` and ``log_s``: x₀ is the number m, and the step to x₁ = μ₁ draws from N(m, P).
Its exact likelihood is that of :func:`.kalman_log_likelihood`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from .inputs import positive
from .linear_gaussian import System
from .protocol import GaussianNoise, Time, filled_in, log_normal

__all__ = ["LocalLevel"]


class Deviations(NamedTuple):
    """√r, √s."""

    step: Tensor
    error: Tensor


@dataclass(frozen=True)
class LocalLevel(GaussianNoise):
    """The model with the law of its first level fixed.

    Attributes:
        mean: m, of the first level.
        variance: P, of the first level; positive.
        r, s: the model's own variances, those of the Nile (Durbin & Koopman, §2.2.5).
    """

    mean: float
    variance: float
    r: float = 1469.1
    s: float = 15099.0

    event = ()
    observed = ()
    first_observed = True
    parameters = {"log_r": (), "log_s": ()}  # noqa: RUF012

    def __post_init__(self) -> None:
        positive("the local level, whose law must be proper,", {"variance": self.variance})
        positive("the local level", {"r": self.r, "s": self.s})

    def log_joint(self, x: Tensor, y: Tensor, r: Tensor, s: Tensor) -> Tensor:
        """log p(x, y; r, s) of trajectories x of shape (…, T) and data y of shape (T,): shape (…).

        The variances r (state) and s (observation) are scalars or of shape (…).
        """
        return self.log_prior(x, r) + log_normal(y, x, s.sqrt().unsqueeze(-1)).sum(-1)

    def log_prior(self, x: Tensor, r: Tensor) -> Tensor:
        """log p(x; r) of trajectories of shape (…, T): shape (…)."""
        first = log_normal(x[..., 0], self.mean, x.new_tensor(math.sqrt(self.variance)))
        return first + log_normal(x[..., 1:], x[..., :-1], r.sqrt().unsqueeze(-1)).sum(-1)

    def sample(self, particles: int, steps: int, r: Tensor, generator: torch.Generator) -> Tensor:
        """Trajectories drawn from the prior: shape (particles, steps), without a gradient."""
        noise = torch.randn(
            particles, steps, dtype=torch.float64, device=generator.device, generator=generator
        )
        scale = torch.full((steps,), float(r) ** 0.5, dtype=torch.float64, device=generator.device)
        scale[0] = self.variance**0.5
        return self.mean + (noise * scale).cumsum(-1)

    # -- as a state-space model --

    def defaults(self) -> dict[str, Tensor]:
        """The model's own variances, as logarithms."""
        found = {"log_r": math.log(self.r), "log_s": math.log(self.s)}
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in found.items()}

    def natural(self, parameters: Mapping[str, Tensor]) -> Deviations:
        """√r and √s."""
        p = filled_in(self, parameters)
        return Deviations(torch.exp(p["log_r"] / 2), torch.exp(p["log_s"] / 2))

    def system(self, parameters: Mapping[str, Tensor]) -> System:
        """The same as matrices of one row and column, for the law of x₁ instead of x₀."""
        step, error = (v[..., None, None] for v in self.natural(parameters))
        one, mean, variance = (step.new_tensor([[v]]) for v in (1.0, self.mean, self.variance))
        return System(one, step, one, error, mean[0], variance)

    def initial(self, c: Deviations, noise: Tensor) -> Tensor:
        """x₀, where one starts: m."""
        return torch.full_like(noise, self.mean)

    def deviation(self, c: Deviations, t: Time) -> Tensor:
        """Of the step to x_t: √P for the first, √r for the others."""
        first = torch.full_like(c.step, math.sqrt(self.variance))
        if isinstance(t, Tensor):
            return torch.where(t == 1, first, c.step)
        return first if t == 1 else c.step

    def move(self, c: Deviations, t: int, previous: Tensor, noise: Tensor) -> Tensor:
        """x_t."""
        return torch.addcmul(previous, self.deviation(c, t), noise)

    def log_initial(self, c: Deviations, x: Tensor) -> None:
        """x₀ is where one starts; N(m, P) is the law of the first step."""
        return

    def log_transition(self, c: Deviations, t: Time, x: Tensor, previous: Tensor) -> Tensor:
        """log N(x_t; x_{t-1}, r); log N(x₁; m, P) at the first step."""
        return log_normal(x, previous, self.deviation(c, t))

    def log_observation(self, c: Deviations, t: Time, y: Tensor, x: Tensor) -> Tensor:
        """log N(y_t; x_t, s)."""
        return log_normal(y, x, c.error)

    def observe(self, c: Deviations, t: int, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """y_t."""
        return x + c.error * self.noise(tuple(x.shape), generator, x)
