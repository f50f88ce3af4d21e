"""Importance samplers of whole trajectories, written by hand in torch: the catalogue's without resampling.

A particle is a trajectory x[0:T], drawn from the model's own law at parameters that are moved by a constant,

    q(x; θ) = p₀(x₀; θ + δ) ∏ₜ p(xₜ | xₜ₋₁; θ + δ),

a proposal that depends on the parameters, and whose weights depend on all that there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from ...errors import EvaluationError
from .densities import path_function
from .lines import Numbers

__all__ = ["SAMPLERS", "ImportanceRun", "ImportanceSampler", "PathLaws", "SamplerName"]

#: By the names of the catalogue's documents.
SamplerName = Literal["iwae", "iwae_dice", "iwae_stopped", "fisher", "dice"]
SAMPLERS: tuple[SamplerName, ...] = get_args(SamplerName)


@dataclass(frozen=True, eq=False)
class PathLaws:
    """The laws of trajectories.

    Attributes:
        model: the state-space model.
        observations: (T, *observed).
        numbers: its parameters.
    """

    model: Any
    observations: Tensor
    numbers: Numbers

    @property
    def shift(self) -> Tensor:
        """δ, (P,): of several sizes, so that it changes logits, which a constant would not."""
        return 0.03 * (1 + torch.arange(len(self.numbers.names), dtype=torch.float64) % 3)

    def natural(self, flat: Tensor) -> Any:
        """The natural parameters of rows (…, P)."""
        return self.model.natural(self.numbers.split(flat))

    def prior(self, flat: Tensor, x: Tensor) -> Tensor:
        """log p(x; θ) of trajectories (…, T + 1, *event), for rows of parameters (…, P)."""
        k = len(self.model.event) + 1
        now, before = (x.narrow(-k, start, x.shape[-k] - 1) for start in (1, 0))
        times = torch.arange(1, x.shape[-k])
        total = self.model.log_transition(self.natural(flat.unsqueeze(-2)), times, now, before).sum(-1)
        first = self.model.log_initial(self.natural(flat), x.select(-k, 0))
        found: Tensor = total if first is None else total + first
        return found

    def joint(self, flat: Tensor, x: Tensor) -> Tensor:
        """log p(x, y; θ)."""
        k = len(self.model.event) + 1
        times = torch.arange(1, x.shape[-k])
        c, now = self.natural(flat.unsqueeze(-2)), x.narrow(-k, 1, x.shape[-k] - 1)
        seen: Tensor = self.model.log_observation(c, times, self.observations, now)
        return self.prior(flat, x) + seen.sum(-1)

    def proposal(self, flat: Tensor, x: Tensor) -> Tensor:
        """log q(x; θ)."""
        return self.prior(flat + self.shift, x)


@dataclass(frozen=True, eq=False)
class ImportanceRun:
    """One run, or a batch of them.

    Attributes:
        states: trajectories, (*batch, N, T + 1, *event); constants.
        log_estimate: log Ẑ, (*batch), with a graph; for ``dice`` there is none, and it is 0.
        log_weights: log w̄, (*batch, N).
        flat: the parameters, (*batch, 1, P), with a graph.
        dice: the factor D of DiCE, (*batch), where the sampler has one.
        single: the value of DiCE on the first particle, (*batch), for ``dice``.
    """

    states: Tensor
    log_estimate: Tensor
    log_weights: Tensor
    flat: Tensor
    dice: Tensor | None = None
    single: Tensor | None = None

    def expectation(self) -> Tensor:
        """Σᵢ w̄[i] f(x[i]) of :func:`~.densities.path_function`, (*batch)."""
        return (torch.exp(self.log_weights) * _of_paths(self.states, self.flat)).sum(-1)


@dataclass(frozen=True)
class ImportanceSampler:
    """An importance sampler whose output can be differentiated.

    Attributes:
        particles: N.
        method: ``iwae``: the proposal has parameters of its own, constants here.  ``iwae_dice``: the model's,
            live, with DiCE on the particles.  ``iwae_stopped``, ``fisher``: the model's, stopped.  ``dice``:
            no weights; a function of one trajectory from the model's law.
    """

    particles: int
    method: SamplerName

    def run(
        self,
        model: Any,
        observations: Tensor,
        parameters: Mapping[str, Tensor],
        *,
        seed: int,
        batch: tuple[int, ...] = (),
    ) -> ImportanceRun:
        """Draw the particles, and weigh them.

        Args:
            model: the state-space model.
            observations: (T, *observed).
            parameters: (*shape), or (*batch, *shape).
            seed: of a new generator.
            batch: the shape of replicates.

        Raises:
            EvaluationError: no sampler has the method's name.
        """
        if self.method not in SAMPLERS:
            raise EvaluationError(f"no sampler is called {self.method!r:.40}", instead=", ".join(SAMPLERS))
        numbers = Numbers.of(model)
        laws = PathLaws(model, observations, numbers)
        lead = [v.reshape(*v.shape[: v.dim() - len(numbers.shapes[n])], -1) for n, v in parameters.items()]
        flat = torch.cat(lead, -1).unsqueeze(-2)  # (*batch, 1, P): one for all particles
        drawn = flat.detach() + (0 if self.method == "dice" else laws.shift)
        x = self._drawn(laws, drawn, seed, (*batch, self.particles))
        if self.method == "dice":
            log_p = laws.prior(flat, x)
            single = torch.exp(log_p - log_p.detach()) * _of_paths(x, flat)
            zero = torch.zeros_like(log_p)
            return ImportanceRun(x, zero[..., 0], zero, flat, None, single[..., 0])
        log_q = laws.proposal(flat, x)
        stopped = self.method != "iwae_dice"
        log_w = laws.joint(flat, x) - (log_q.detach() if stopped else log_q)
        total = torch.logsumexp(log_w, -1)
        dice = None if stopped else torch.exp((log_q - log_q.detach()).sum(-1))
        estimate = total - torch.log(torch.tensor(float(self.particles), dtype=total.dtype))
        return ImportanceRun(x, estimate, log_w - total.unsqueeze(-1), flat, dice)

    def _drawn(self, laws: PathLaws, flat: Tensor, seed: int, shape: tuple[int, ...]) -> Tensor:
        """Trajectories from the model's law, (*shape, T + 1, *event)."""
        generator = torch.Generator().manual_seed(seed)
        c, model = laws.natural(flat), laws.model
        like = torch.empty(0, dtype=torch.float64)
        with torch.no_grad():
            x = model.initial(c, model.noise(shape, generator, like))
            rows = [x]
            for t in range(1, len(laws.observations) + 1):
                x = model.move(c, t, x, model.noise(shape, generator, like))
                rows.append(x)
        return torch.stack(torch.broadcast_tensors(*rows), len(shape))


def _of_paths(x: Tensor, flat: Tensor) -> Tensor:
    """f of trajectories (…, N, T + 1, *event), (…, N)."""
    rows = x.to(flat.dtype)
    return path_function(rows.unsqueeze(-1) if x.dim() == flat.dim() else rows, flat)
