"""Ancestors from cumulated weights, for a batch of filters at once.

Weights come as running sums in double precision whatever the run's, of shape (replicates, N): in single
precision the sums of 10⁴ weights are as coarse as the comb of the systematic scheme.  A particle of weight
zero is never chosen, because its running sum is that of its neighbour, exactly, and every point lies strictly
below the total.
"""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..models.inputs import as_numbers

__all__ = ["SCHEMES", "Resampler", "Scheme", "resample"]

Scheme = Literal["multinomial", "stratified", "systematic", "residual"]

#: By name.
SCHEMES: tuple[Scheme, ...] = get_args(Scheme)

#: From here on a comb is laid over the running sums by counting instead of searching (measured on a CPU).
_COUNT_FROM = 1500

#: The largest double below 1: such a fraction of a total is below the total, rounded or not.
_BELOW_ONE = 1 - 2.0**-53

#: Offsets of a counted comb stay this far from 0 and 1, so that rounding moves no tooth past the total.
_MARGIN = 2.0**-20


class Resampler:
    """One scheme for N particles.

    Args:
        scheme: multinomial; stratified, one draw from each of N strata; systematic, a comb of N teeth with
            one offset; residual, ⌊N w̄⌋ copies and a multinomial rest.
        particles: N.
        replicates: how many filters.
        device: of all tensors.
        counted: whether the systematic comb is laid by counting instead of searching; by default where that
            is quicker.
    """

    def __init__(
        self,
        scheme: Scheme,
        particles: int,
        replicates: int = 1,
        device: torch.device | str = "cpu",
        counted: bool | None = None,
    ) -> None:
        if scheme not in SCHEMES:
            raise EvaluationError(f"no resampling scheme is called {scheme!r}", instead=", ".join(SCHEMES))
        self.scheme = scheme
        self.particles, self.replicates = particles, replicates
        self.positions = torch.arange(particles, device=device)
        many = particles * replicates >= _COUNT_FROM if counted is None else counted
        self._counted = scheme == "systematic" and many
        own = particles if self._counted else 0
        self._ones = torch.ones((replicates, own), dtype=torch.int64, device=device)

    def randomness(self, steps: int, generator: torch.Generator | None) -> tuple[Tensor, ...]:
        """What :meth:`pick` needs for each of some steps."""
        teeth = 1 if self.scheme == "systematic" else self.particles
        shape = (steps, self.replicates, teeth)
        u = torch.rand(shape, generator=generator, dtype=torch.float64, device=self.positions.device)
        return self.points(u).unbind(0)

    def points(self, u: Tensor) -> Tensor:
        """What :meth:`pick` needs, for uniform numbers: one of a comb, else one of each particle."""
        if self._counted:
            return 1 - u.clamp(_MARGIN, 1 - _MARGIN)  # it is 1 - u that is added
        if self.scheme in ("systematic", "stratified"):
            return ((u + self.positions) / self.particles).clamp_(max=_BELOW_ONE)
        return u

    def pick(self, sums: Tensor, randomness: Tensor) -> Tensor:
        """Ancestors, positions from 0.

        Args:
            sums: running sums of weights with a positive total, in float64, of shape (replicates, N).
            randomness: an element of :meth:`randomness`, of shape (replicates, 1 or N).

        Returns:
            int64, of the shape of ``sums``.
        """
        if self.scheme == "residual":
            return self._residual(sums, randomness)
        total = sums[:, -1:]
        if not self._counted:
            return torch.searchsorted(sums, randomness * total, right=True)
        # For each running sum the teeth (k + u)/N up to it; for each tooth, then, the sums that it is beyond.
        ends = torch.addcmul(randomness, sums, total.reciprocal().mul_(self.particles)).long()
        starts = torch.zeros((len(sums), self.particles + 1), dtype=torch.int64, device=sums.device)
        starts.scatter_add_(1, ends, self._ones)
        return starts.cumsum_(1)[:, :-1]

    def _residual(self, sums: Tensor, randomness: Tensor) -> Tensor:
        expected = torch.diff(sums, prepend=torch.zeros_like(sums[:, :1])) * (self.particles / sums[:, -1:])
        # A whole number stays one where differences of running sums are a rounding error below it.
        copies = torch.floor(expected + 4 * self.particles * 2.0**-52)
        ends = copies.cumsum(1)
        rest = (expected - copies).clamp_(min=0).cumsum(1)
        certain = torch.searchsorted(ends, self.positions.double().expand_as(ends).contiguous(), right=True)
        drawn = torch.searchsorted(rest, randomness * rest[:, -1:], right=True)
        return torch.where(self.positions < ends[:, -1:], certain, drawn)


def resample(
    log_weights: Tensor, scheme: Scheme = "systematic", generator: torch.Generator | None = None
) -> Tensor:
    """Ancestors for log-weights of shape (…, N), normalised or not: int64 of that shape, positions from 0.

    Raises:
        EvaluationError: no weight of a row is positive, or one is not a number.
    """
    log_weights = as_numbers(log_weights, "the weights to resample by")
    if log_weights.dim() == 0 or log_weights.numel() == 0:
        raise EvaluationError(
            f"the weights to resample by have shape {tuple(log_weights.shape)}", instead="(…, N), N from 1"
        )
    if not log_weights.is_floating_point():
        log_weights = log_weights.double()
    rows = log_weights.detach().reshape(-1, log_weights.shape[-1])
    top = rows.amax(-1, keepdim=True)
    if not bool(torch.isfinite(top).all()):
        raise EvaluationError(
            "the weights to resample by are all zero, or not numbers",
            instead="log-weights, one of them finite in each row",
        )
    resampler = Resampler(scheme, rows.shape[1], len(rows), rows.device)
    (randomness,) = resampler.randomness(1, generator)
    sums = torch.exp(rows - top).cumsum(-1, dtype=torch.float64)
    return resampler.pick(sums, randomness).reshape(log_weights.shape)
