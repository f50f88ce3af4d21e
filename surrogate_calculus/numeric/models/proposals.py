"""Guided proposals: laws of x_t that look at y_t."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from ...errors import EvaluationError
from .hidden_markov import HiddenMarkov, LogTables
from .linear_gaussian import LinearGaussian, System, gaussian
from .protocol import Time, filled_in, log_normal

__all__ = ["FiniteGuide", "LinearGuide", "OptimalGuide"]


class Line(NamedTuple):
    """Intercept, slopes in x_{t-1} and in y_t, deviation."""

    b: Tensor
    a: Tensor
    k: Tensor
    deviation: Tensor


@dataclass(frozen=True)
class LinearGuide:
    """q(x_t | x_{t-1}, y_t) = N(b + a x_{t-1} + k y_t, s²) for models whose states are numbers.

    Parameters, those of the proposal alone: ``guide_b``, ``guide_a``, ``guide_k``, ``guide_log_s``.
    """

    b: float = 0.0
    a: float = 0.5
    k: float = 0.5
    s: float = 1.0

    event = ()
    observed = ()
    discrete = False
    parameters = {"guide_b": (), "guide_a": (), "guide_k": (), "guide_log_s": ()}  # noqa: RUF012

    def defaults(self) -> dict[str, Tensor]:
        """Its own values."""
        found = {"guide_b": self.b, "guide_a": self.a, "guide_k": self.k, "guide_log_s": math.log(self.s)}
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in found.items()}

    def natural(self, parameters: Mapping[str, Tensor]) -> Line:
        """The line and the deviation."""
        p = filled_in(self, parameters)
        return Line(p["guide_b"], p["guide_a"], p["guide_k"], torch.exp(p["guide_log_s"]))

    def mean(self, c: Line, y: Tensor, previous: Tensor) -> Tensor:
        """b + a x_{t-1} + k y_t."""
        return c.b + c.a * previous + c.k * y

    def move(self, c: Line, t: int, y: Tensor, previous: Tensor, noise: Tensor) -> Tensor:
        """x_t."""
        return torch.addcmul(self.mean(c, y, previous), c.deviation, noise)

    def log_density(self, c: Line, t: Time, y: Tensor, x: Tensor, previous: Tensor) -> Tensor:
        """log q."""
        return log_normal(x, self.mean(c, y, previous), c.deviation)


class Posterior(NamedTuple):
    """Of x_t given x_{t-1} and y_t: N(J x_{t-1} + K y_t, L Lᵀ)."""

    j: Tensor
    k: Tensor
    factor: Tensor


@dataclass(frozen=True, eq=False)
class OptimalGuide:
    """p(x_t | x_{t-1}, y_t) of a linear Gaussian model: it depends on the model's parameters.

    With S = C Q Cᵀ + R and K = Q Cᵀ S⁻¹ it is N((1 - K C) A x_{t-1} + K y_t, Q - K C Q).

    Attributes:
        model: whose law it is.
    """

    model: LinearGaussian

    discrete: ClassVar[bool] = False
    parameters: ClassVar[dict[str, tuple[int, ...]]] = {}

    @property
    def event(self) -> tuple[int, ...]:
        """That of the model."""
        return self.model.event

    @property
    def observed(self) -> tuple[int, ...]:
        """That of the model."""
        return self.model.observed

    def defaults(self) -> dict[str, Tensor]:
        """No parameters of its own."""
        return {}

    def natural(self, parameters: Mapping[str, Tensor]) -> Posterior:
        """The law's matrices."""
        s: System = self.model.natural(parameters)
        q = s.step @ s.step.mT
        spread = s.c @ q @ s.c.mT + s.error @ s.error.mT
        # By triangular factors: torch 2.13 gets second derivatives of linalg.solve in forward mode wrong.
        k = torch.cholesky_solve(s.c @ q, torch.linalg.cholesky(spread)).mT
        rest = torch.eye(q.shape[-1], dtype=q.dtype, device=q.device) - k @ s.c
        # Joseph's form stays positive definite.
        covariance = rest @ q @ rest.mT + k @ (s.error @ s.error.mT) @ k.mT
        return Posterior(rest @ s.a, k, torch.linalg.cholesky(covariance))

    def mean(self, c: Posterior, y: Tensor, previous: Tensor) -> Tensor:
        """J x_{t-1} + K y_t."""
        return (c.j @ previous.unsqueeze(-1) + c.k @ y.unsqueeze(-1)).squeeze(-1)

    def move(self, c: Posterior, t: int, y: Tensor, previous: Tensor, noise: Tensor) -> Tensor:
        """x_t."""
        return self.mean(c, y, previous) + (c.factor @ noise.unsqueeze(-1)).squeeze(-1)

    def log_density(self, c: Posterior, t: Time, y: Tensor, x: Tensor, previous: Tensor) -> Tensor:
        """log q."""
        return gaussian(x - self.mean(c, y, previous), c.factor)


@dataclass(frozen=True)
class FiniteGuide:
    """q(x_t | x_{t-1}, y_t) ∝ A(x_{t-1}, x_t) B(x_t, y_t)^κ on finitely many states.

    With κ = 1 it is the optimal proposal, with κ = 0 the transition.  It depends on the model's parameters,
    so that its derivatives must be stopped.

    Attributes:
        model: whose law it is.
        power: κ, at least 0.
    """

    model: HiddenMarkov
    power: float = 0.5

    parameters: ClassVar[dict[str, tuple[int, ...]]] = {}

    def __post_init__(self) -> None:
        if not 0 <= self.power < math.inf:
            raise EvaluationError(
                f"the power of a proposal is {self.power!r}", instead="a number from 0, such as 0.5"
            )

    def defaults(self) -> dict[str, Tensor]:
        """No parameters of its own."""
        return {}

    def natural(self, parameters: Mapping[str, Tensor]) -> LogTables:
        """The model's tables."""
        return self.model.natural(parameters)

    def log_law(self, c: LogTables, t: Time, y: Tensor, previous: Tensor) -> Tensor:
        """log q of every state, (K, lead …): the states come first, so that the leads broadcast."""
        shape = torch.broadcast_shapes(y.shape, previous.shape, t.shape if isinstance(t, Tensor) else ())
        x = torch.arange(self.model.states, device=y.device).reshape(-1, *(1,) * len(shape))
        x, previous, y = x.expand(-1, *shape), previous.unsqueeze(0), y.expand(shape).unsqueeze(0)
        guided = self.model.log_observation(c, t, y, x)
        return torch.log_softmax(self.model.log_transition(c, t, x, previous) + self.power * guided, 0)

    def move(self, c: LogTables, t: int, y: Tensor, previous: Tensor, noise: Tensor) -> Tensor:
        """x_t by inversion."""
        sums = torch.exp(self.log_law(c, t, y, previous).double()).cumsum(0)
        return (noise >= sums / sums[-1:]).sum(0)

    def log_density(self, c: LogTables, t: Time, y: Tensor, x: Tensor, previous: Tensor) -> Tensor:
        """log q."""
        law = self.log_law(c, t, y, previous)
        shape = torch.broadcast_shapes(law.shape[1:], x.shape)
        return law.expand(-1, *shape).gather(0, x.expand(shape).unsqueeze(0)).squeeze(0)
