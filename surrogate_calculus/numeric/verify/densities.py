"""A scene's laws as the densities and functions that the catalogue's documents name.

A document's densities are of one step and do not know the time, which laws may depend on (the growth model's
season, the first step of the local level).  So each state is handed over with its time, as a vector (t, *x);
and so is each observation.  With the time a proposal finds the observation, too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError
from .lines import Numbers

__all__ = ["Laws", "path_function", "timed"]


def timed(values: Tensor, times: Tensor, event: tuple[int, ...]) -> Tensor:
    """(…, 1 + numbers) of values (…, *event) and their times, which broadcast to the lead."""
    flat = values.to(torch.float64).reshape(*values.shape[: values.dim() - len(event)], -1)
    return torch.cat([times.to(torch.float64).expand(flat.shape[:-1]).unsqueeze(-1), flat], -1)


def path_function(states: Tensor, flat: Tensor) -> Tensor:
    """A function of paths (…, T, d) and rows of parameters (…, P): bounded in x, smooth, of both signs.

    With u a weighted sum of the parameters it is (1 + u) times the mean of cos(x + t + k) over times t and
    coordinates k, plus sin u: no product of a function of x and one of the parameters.
    """
    steps, d = states.shape[-2:]
    weights = torch.arange(flat.shape[-1], dtype=flat.dtype, device=flat.device) % 7
    u = flat @ (0.1 + 0.05 * weights)
    phase = torch.arange(steps + d, dtype=states.dtype, device=states.device)
    phase = phase.unfold(0, d, 1)[:steps]  # t + k
    return (1 + u) * torch.cos(states + phase).mean((-2, -1)) + torch.sin(u)


@dataclass(frozen=True, eq=False)
class Laws:
    """The densities of a model and a proposal, as functions of a document's parameter.

    Callables take what documents hand over: states and observations with their times in front, and the
    parameter θ (lead …).

    Attributes:
        model: the state-space model.
        guide: the proposal, or None for the model's transition.
        observations: (T, *observed).
        numbers: the parameters of both.
        flat: θ (lead …) to rows of numbers (lead …, P).
    """

    model: Any
    guide: Any
    observations: Tensor
    numbers: Numbers
    flat: Callable[[Tensor], Tensor]

    def natural(self, owner: Any, θ: Tensor) -> Any:
        """The natural parameters of the model or the guide."""
        return owner.natural(self.numbers.split(self.flat(θ)))

    def state(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Times (lead …), and states (lead …, *event)."""
        found = x[..., 1:].reshape((*x.shape[:-1], *self.model.event))
        return x[..., 0].long(), found.long() if self.model.discrete else found

    def log_p(self, x: Tensor, y: Tensor, z: Tensor, θ: Tensor) -> Tensor:
        """log p(x, y | z; θ)."""
        (_, x), (_, z) = self.state(x), self.state(z)
        return self._step(x, y, z, θ)

    def log_p_of_numbers(self, x: Tensor, y: Tensor, z: Tensor, θ: Tensor) -> Tensor:
        """The same of states that are numbers, without their time."""
        return self._step(x, y, z, θ)

    def _step(self, x: Tensor, y: Tensor, z: Tensor, θ: Tensor) -> Tensor:
        c = self.natural(self.model, θ)
        t, row = y[..., 0].long(), y[..., 1:].reshape((*y.shape[:-1], *self.model.observed))
        return self.model.log_transition(c, t, x, z) + self.model.log_observation(c, t, row, x)

    def log_q(self, x: Tensor, z: Tensor, θ: Tensor) -> Tensor:
        """log q(x | z; θ), the observation being that of the time of x."""
        (t, x), (_, z) = self.state(x), self.state(z)
        if self.guide is None:
            return self.model.log_transition(self.natural(self.model, θ), t, x, z)
        y = self.observations[t - 1]
        return self.guide.log_density(self.natural(self.guide, θ), t, y, x, z)

    def log_q_of_observed(self, x: Tensor, z: Tensor, y: Tensor, θ: Tensor) -> Tensor:
        """log q(x | z, y; θ)."""
        return self.log_q(x, z, θ)

    def log_q_of_numbers(self, x: Tensor, z: Tensor, θ: Tensor) -> Tensor:
        """log q(x | z; θ) of a proposal that looks at neither time nor observation."""
        return self.guide.log_density(self.natural(self.guide, θ), 1, torch.zeros_like(z), x, z)

    def move(self, ε: Tensor, z: Tensor, θ: Tensor) -> Tensor:
        """x of noise and z, by the same proposal."""
        return self.guide.move(self.natural(self.guide, θ), 1, torch.zeros_like(z), z, ε)

    def log_p0(self, x: Tensor, θ: Tensor) -> Tensor:
        """log p₀(x; θ)."""
        found = self.model.log_initial(self.natural(self.model, θ), self.state(x)[1])
        if found is None:
            raise EvaluationError("the law of the first state has no parameters")
        return found

    def f(self, path: Tensor, θ: Tensor) -> Tensor:
        """:func:`path_function` of paths (…, 1 + d, T)."""
        return path_function(path[..., 1:, :].mT, self.flat(θ))
