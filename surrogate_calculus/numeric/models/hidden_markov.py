"""A hidden Markov model with finitely many states and symbols.

    x₁ ~ π,    x_t ~ A(x_{t-1}, ·),    y_t ~ B(x_t, ·)

The first state is observed; x₀ is a place to start from (state 0), and the step to x₁ draws from π.  With a
hidden start it is x₀ that has the law π, which then is the initial law of a filter.
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

    Parameters: ``start``, ``transition``, ``emission``: logits, each row up to a constant.  States and
    symbols count from 0.  A gradient never passes through a state.

    Attributes:
        pi: the law of the first state, K numbers.
        a: K rows of transition probabilities.
        b: K rows of M emission probabilities.
        hidden_start: whether π is the law of x₀, which is not observed, instead of that of x₁.
    """

    pi: tuple[float, ...]
    a: tuple[tuple[float, ...], ...]
    b: tuple[tuple[float, ...], ...]
    hidden_start: bool = False

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
        if any(not (min(row) >= 0 and abs(sum(row) - 1) <= 1e-9) for row in rows):
            raise EvaluationError(
                "a law of the hidden Markov model does not sum to 1",
                instead="probabilities: π and each row of A and B",
            )

    def check_observations(self, y: Tensor) -> None:
        """Refuse what is no symbol.

        Raises:
            EvaluationError: an observation is neither NaN nor one of 0..M-1.
        """
        symbols = len(self.b[0])
        bad = ~(torch.isnan(y) | ((y >= 0) & (y < symbols) & (y == torch.floor(y))))
        if bool(bad.any()):
            raise EvaluationError(
                f"{float(y[bad][0]):g} is no symbol of the hidden Markov model",
                instead=f"whole numbers from 0 to {symbols - 1}; NaN where one is missing",
            )

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

    def noise(self, shape: tuple[int, ...], generator: torch.Generator | None, like: Tensor) -> Tensor:
        """Uniform numbers, in double precision whatever the run's."""
        return torch.rand(shape, generator=generator, dtype=torch.float64, device=like.device)

    def initial(self, c: LogTables, noise: Tensor) -> Tensor:
        """x₀ by inversion; state 0 where it is but a place to start from."""
        nowhere = torch.zeros(noise.shape, dtype=torch.int64, device=noise.device)
        return _drawn(c.start.unsqueeze(-2), nowhere, noise) if self.hidden_start else nowhere

    def move(self, c: LogTables, t: int, previous: Tensor, noise: Tensor) -> Tensor:
        """x_t by inversion."""
        if t > 1 or self.hidden_start:
            return _drawn(c.transition, previous, noise)
        return _drawn(c.start.unsqueeze(-2), torch.zeros_like(previous), noise)

    def log_initial(self, c: LogTables, x: Tensor) -> Tensor | None:
        """log π(x₀); None where π is the law of the first step."""
        return _looked_up(c.start, x) if self.hidden_start else None

    def log_transition(self, c: LogTables, t: Time, x: Tensor, previous: Tensor) -> Tensor:
        """log A(x_{t-1}, x_t); log π(x₁) at a first step without hidden start."""
        k = self.states
        if self.hidden_start:
            return _looked_up(c.transition.flatten(-2), previous * k + x)
        table = torch.cat([c.start.unsqueeze(-2), c.transition], -2).flatten(-2)
        row = previous + 1
        row = torch.where(t == 1, 0, row) if isinstance(t, Tensor) else row * (t > 1)
        return _looked_up(table, row * k + x)

    def log_observation(self, c: LogTables, t: Time, y: Tensor, x: Tensor) -> Tensor:
        """log B(x_t, y_t)."""
        return _looked_up(c.emission.flatten(-2), x * len(self.b[0]) + y.long())

    def observe(self, c: LogTables, t: int, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """y_t by inversion."""
        return _drawn(c.emission, x, self.noise(tuple(x.shape), generator, x)).to(c.emission.dtype)


def _looked_up(table: Tensor, index: Tensor) -> Tensor:
    """Entries of a table of shape (lead …, entries), at indices of shape (lead …)."""
    if table.dim() == 1:
        return table[index]
    table = table[(None,) * (index.dim() + 1 - table.dim())]
    return torch.take_along_dim(table, index.unsqueeze(-1), -1).squeeze(-1)


def _drawn(log_laws: Tensor, row: Tensor, noise: Tensor) -> Tensor:
    """A state from a row of (lead …, rows, K) for uniform noise: the first whose running sum is above it."""
    sums = torch.exp(log_laws.double()).cumsum(-1)
    sums = sums / sums[..., -1:]  # ends in 1 exactly, which no noise reaches
    if sums.dim() == 2:
        bounds = sums[row]
    else:
        bounds = sums.squeeze(-3).gather(-2, row.unsqueeze(-1).expand(*row.shape, sums.shape[-1]))
    return (noise.unsqueeze(-1) >= bounds).sum(-1)
