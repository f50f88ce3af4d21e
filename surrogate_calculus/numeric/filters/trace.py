"""What one run of a particle filter did: everything that a document's formula needs of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..values import Event
from .simulate import Record, taken

__all__ = ["FilterTrace"]


@dataclass(frozen=True, eq=False)
class FilterTrace:
    """One run, or a batch of them.

    Attributes:
        record: the run with replicates as one axis.
        batch: the shape of the replicates.
        observations: as they were given, (T, *observed) or (T, *batch, *observed).
        parameters: the values of the run, by name, those that were not given included; without a graph.
        seed: of the run, or None where a generator was given.
        event: the shape of one state.
        observed: the shape of one observation.
    """

    record: Record
    batch: tuple[int, ...]
    observations: Tensor
    parameters: Mapping[str, Tensor]
    seed: int | None
    event: tuple[int, ...]
    observed: tuple[int, ...]

    @property
    def steps(self) -> int:
        """T."""
        return self.record.steps

    @property
    def particles(self) -> int:
        """N."""
        return int(self.record.states[0].shape[1])

    def _shaped(self, values: list[Tensor], event: tuple[int, ...] = ()) -> Tensor:
        found = torch.stack(values)
        return found.detach().reshape(len(values), *self.batch, *found.shape[2:])

    @cached_property
    def states(self) -> Tensor:
        """x[t, …, i] for t = 0..T: (T + 1, *batch, N, *event)."""
        return self._shaped(self.record.states)

    @cached_property
    def ancestors(self) -> Tensor:
        """a[t, …, i] for t = 1..T, from 0: int64 (T, *batch, N); their own positions without resampling."""
        b, n = self.record.states[0].shape[:2]
        own = torch.arange(n, device=self.record.states[0].device).expand(b, n)
        return self._shaped([own if a is None else a for a in self.record.ancestors[1:]])

    @cached_property
    def resampled(self) -> Tensor:
        """Whether there was resampling before step t = 1..T: bool (T, *batch)."""
        b = len(self.record.states[0])
        device = self.record.states[0].device
        rows = [
            w.reshape(b) if isinstance(w, Tensor) else torch.full((b,), w, device=device)
            for w in self.record.resampled[1:]
        ]
        return torch.stack(rows).reshape(self.steps, *self.batch)

    @cached_property
    def log_weights(self) -> Tensor:
        """log w̄[t, …, i] for t = 0..T: (T + 1, *batch, N)."""
        return self._shaped([self.record.normalised(t) for t in range(self.steps + 1)])

    @cached_property
    def effective_sizes(self) -> Tensor:
        """1 / Σᵢ w̄[t,i]² for t = 0..T: (T + 1, *batch)."""
        return torch.exp(-torch.logsumexp(2 * self.log_weights, -1))

    @cached_property
    def noise(self) -> Tensor:
        """What moved the particles to x[t], t = 0..T: (T + 1, *batch, N, *event).

        Raises:
            EvaluationError: the run did not keep it.
        """
        rows = [row for row in self.record.noise if row is not None]
        if len(rows) <= self.steps:
            raise EvaluationError(
                "the run kept no noise",
                instead='a filter with gradient="reparameterised", whose noise is kept',
            )
        return self._shaped(rows)

    @cached_property
    def paths(self) -> Tensor:
        """The lineages x̃[t, …, i] of the particles at time T: (T + 1, *batch, N, *event)."""
        rows = [self.record.states[-1]]
        line: Tensor | None = None
        for t in range(self.steps, 0, -1):
            ancestors = self.record.ancestors[t]
            if ancestors is not None:
                line = ancestors if line is None else ancestors.gather(1, line)
            rows.append(taken(self.record.states[t - 1], line))
        return self._shaped(rows[::-1])

    def values(self, **names: str) -> dict[str, Any]:
        """The run as values of a document's names, for ``evaluate`` and ``autodiff``.

        These are ``N`` and ``T``, ``x`` over t = 0..T and i = 1..N, ``a`` over t = 1..T (from 1), and ``y``;
        the batch follows the indices, and vectors are events.  Densities and parameters are the caller's to
        add.

        Args:
            names: other names, such as ``x="z"``.
        """
        b = len(self.batch)
        states = self.states.movedim(1 + b, 1).to(self.record.log_weights[0].dtype)
        found: dict[str, Any] = {
            "N": self.particles,
            "T": self.steps,
            "x": Event(states, len(self.event)) if self.event else states,
            "a": self.ancestors.movedim(-1, 1) + 1,
            "y": Event(self.observations, len(self.observed)) if self.observed else self.observations,
        }
        return {names.get(name, name): value for name, value in found.items()}
