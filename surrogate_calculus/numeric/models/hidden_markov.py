"""A hidden Markov model with finitely many states and symbols.

    x₁ ~ π,    x_t ~ A(x_{t-1}, ·),    y_t ~ B(x_t, ·)

The first state is observed; x₀ is a place to start from (state 0), and the step to x₁ draws from π.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ...errors import EvaluationError
from .protocol import Time, filled_in

__all__ = ["HiddenMarkov"]


class LogTables(NamedTuple):
    """Logarithms: π of shape (K,), A of shape (K, K), B of shape (K, M)."""

    start: Tensor
    transition: Tensor
    emission: Tensor


@dataclass(frozen=True)
class HiddenMarkov:
    """The model; its own values are given as probabilities.

    Parameters: ``start``, ``transition``, ``emission``: logits, each row up to a constant.  States and symbols
    count from 0.  A gradient never passes through a state.

    Attributes:
        pi: the law of the first state, K numbers.
        a: K rows of transition probabilities.
        b: K rows of M emission probabilities.
    """

    pi: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    b: tuple[tuple[float, ...], ...]

    event = ()
    observed = ()
    discrete = True

    def __post_init__(self) -> None:
        rows = [self.pi, *self.a, *self.b]
        sizes = {len(self.pi), len(self.a), len(self.b), *(len(row) for row in self.a)}
        if len(sizes) != 1 or len({len(row) for row in self.b}) != 1:
            raise EvaluationError(
                "the tables of a hidden Markov model do not fit", instead="π of K, A of K×K, B of K×M"
            )
        if any(min(row) < 0 or abs(sum(row) - 1) > 1e-9 for row in rows):
            raise EvaluationError("a law of the hidden Markov model does not sum to 1")

    @property
    def states(self) -> int:
        """K."""
        return len(self.pi)

    @property
    def parameters(self) -> Mapping[str, tuple[int, ...]]:
        """The shapes of the logits."""
        k = self.states
        return {"start": (k,), "transition": (k, k), "emission": (k, len(self.b[0]))}

    def defaults(self) -> dict[str, Tensor]:
        """Logarithms of the model's own probabilities."""
        tables = {"start": self.pi, "transition": self.a, "emission": self.b}
        return {name: torch.tensor(v, dtype=torch.float64).log() for name, v in tables.items()}

    def natural(self, parameters: Mapping[str, Tensor]) -> LogTables:
        """Log-probabilities."""
        p = filled_in(self, parameters)
        return LogTables(*(torch.log_softmax(p[name], -1) for name in ("start", "transition", "emission")))

    def noise(
        self, shape: tuple[int, ...], generator: torch.Generator | None, like: Tensor
    ) -> Tensor:
        """Uniform numbers, in double precision whatever the run's."""
        return torch.rand(shape, generator=generator, dtype=torch.float64, device=like.device)

    def initial(self, c: LogTables, noise: Tensor) -> Tensor:
        """State 0, from which nobody starts."""
        return torch.zeros(noise.shape, dtype=torch.int64, device=noise.device)

    def move(self, c: LogTables, t: int, previous: Tensor, noise: Tensor) -> Tensor:
        """x_t by inversion."""
        table = c.start.unsqueeze(-2) if t == 1 else c.transition
        row = previous if t > 1 else torch.zeros_like(previous)
        laws = torch.exp(table.double()).cumsum(-1)
        laws = laws / laws[..., -1:]
        if laws.dim() == 2:
            bounds = laws[row]
        else:
            bounds = laws.squeeze(-3).gather(-2, row.unsqueeze(-1).expand(*row.shape, laws.shape[-1]))
        return (noise.unsqueeze(-1) >= bounds).sum(-1)

    def log_initial(self, c: LogTables, x: Tensor) -> None:
        """x₀ is where one starts; π is the law of the first step."""
        return None

    def log_transition(self, c: LogTables, t: Time, x: Tensor, previous: Tensor) -> Tensor:
        """log A(x_{t-1}, x_t); log π(x₁) at the first step."""
        k = self.states
        table = torch.cat([c.start.unsqueeze(-2), c.transition], -2).flatten(-2)
        first = t == 1
        row = torch.where(first, 0, previous + 1) if isinstance(first, Tensor) else (0 if first else previous + 1)
        return _looked_up(table, row * k + x)

    def log_observation(self, c: LogTables, t: Time, y: Tensor, x: Tensor) -> Tensor:
        """log B(x_t, y_t)."""
        return _looked_up(c.emission.flatten(-2), x * len(self.b[0]) + y.long())

    def observe(self, c: LogTables, t: int, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """y_t; the parameters have no replicates."""
        law = torch.exp(c.emission)[x]
        found = torch.multinomial(law.reshape(-1, law.shape[-1]), 1, generator=generator)
        return found.reshape(x.shape).to(law.dtype)


def _looked_up(table: Tensor, index: Tensor) -> Tensor:
    """Entries of a table of shape (lead …, entries), at indices of shape (lead …)."""
    if table.dim() == 1:
        return table[index]
    table = table[(None,) * (index.dim() + 1 - table.dim())]
    return torch.take_along_dim(table, index.unsqueeze(-1), -1).squeeze(-1)
