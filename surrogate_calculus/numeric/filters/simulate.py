"""The forward pass: particles, ancestors and weights, without a graph.

One loop serves every filter that resamples ancestors; they differ in what their surrogates make of its
record. Per step it costs about fifteen small torch operations, whatever the number of particles, replicates
and parameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import Tensor

from ...errors import EvaluationError
from .bound import Bound, Laws
from .resampling import Resampler, Scheme

__all__ = [
    "Block",
    "Record",
    "When",
    "effective_below",
    "no_weights",
    "normalised",
    "pair_densities",
    "simulate",
    "soft_weights",
    "taken",
]

#: When to resample: always, never, or where the effective sample size is below this fraction of N.
When = Literal["always", "never"] | float

#: Numbers drawn at once, about, and for how many steps at most.
_DRAWN, _DRAWN_STEPS = 1 << 19, 64
#: For a block of steps numbers are drawn so many times.
_DRAWS = 2


@dataclass
class Block:
    """Some consecutive steps of a run, first..last, with the state before them.

    Replicates are one axis.  Lists begin with the state at time first - 1.

    Attributes:
        states: x, of shape (replicates, N, *event).
        log_weights: of shape (replicates, N), up to ``top + log(total)``.
        tops, totals: (replicates, 1); totals in float64.  The weights of time t are
            exp(log_weights - top) / total.
        ancestors: int64 (replicates, N) of positions from 0, None where nobody was resampled; the first is
        None.
        resampled: True, False, or a mask (replicates, 1).
        uniform: whether ``log_weights`` lack the -log N of uniform weights before the step.
        noise: what moved the particles, where it is kept.
    """

    first: int
    states: list[Tensor]
    log_weights: list[Tensor]
    tops: list[Tensor]
    totals: list[Tensor]
    ancestors: list[Tensor | None] = field(default_factory=lambda: [None])
    resampled: list[Tensor | bool] = field(default_factory=lambda: [False])
    uniform: list[bool] = field(default_factory=lambda: [True])
    noise: list[Tensor | None] = field(default_factory=lambda: [None])

    @property
    def steps(self) -> int:
        """How many."""
        return len(self.states) - 1

    def normalised(self, k: int) -> Tensor:
        """log w̄ at the k-th time of the block, 0 being that before its first step."""
        return normalised(self.log_weights[k], self.tops[k], self.totals[k])

    def log_sum(self) -> Tensor:
        """Σ log W_t over the steps, (replicates,), in float64."""
        n = self.states[0].shape[1]
        sums = torch.stack(self.tops[1:]).double() + torch.log(torch.stack(self.totals[1:]))
        return sums.sum(0).squeeze(-1) - sum(self.uniform[1:]) * math.log(n)

    def extend(self, other: Block) -> None:
        """Append the block that follows."""
        for name in (
            "states", "log_weights", "tops", "totals", "ancestors", "resampled", "uniform", "noise"
        ):  # fmt: skip
            getattr(self, name).extend(getattr(other, name)[1:])


#: The whole run as one block, from time 0.
Record = Block


@dataclass(frozen=True)
class Recipe:
    """What of a filter the forward pass needs.

    Attributes:
        particles: N.
        scheme, when: of resampling.
        mixture: None; or α of soft resampling, which draws from α w̄ + (1 - α)/N.
        marginal: whether weights are those of the mixture of all ancestors (Algorithm 2).
        keep_noise: whether the noise is recorded.
    """

    particles: int
    scheme: Scheme
    when: When
    mixture: float | None
    marginal: bool
    keep_noise: bool


def normalised(log_weights: Tensor, top: Tensor, total: Tensor) -> Tensor:
    """Log-weights that sum to one."""
    return log_weights - (top + torch.log(total).to(top.dtype))


def taken(values: Tensor, ancestors: Tensor | None) -> Tensor:
    """values[b, a[b, i]] of shape (replicates, N, …)."""
    if ancestors is None:
        return values
    if values.dim() == 2:
        return values.gather(1, ancestors)
    if len(values) == 1:
        return values[0].index_select(0, ancestors[0]).unsqueeze(0)
    rows = torch.arange(len(values), device=values.device).unsqueeze(1)
    return values[rows, ancestors]


@torch.no_grad()
def simulate(bound: Bound, recipe: Recipe, generator: torch.Generator | None) -> Iterator[Block]:
    """Run the filter forward, a block of steps at a time.

    Raises:
        EvaluationError: every particle of a replicate has weight zero at some time, or a weight is not a
            number.
    """
    model, shape = bound.model, (bound.replicates, recipe.particles)
    resampler = Resampler(recipe.scheme, recipe.particles, bound.replicates, bound.like.device)
    noise = model.noise(shape, generator, bound.like)
    forward = _Forward(bound, recipe, resampler, noise)
    length, end = _steps_at_once(bound, recipe.particles), bound.steps + 1
    for first in range(1, end, _DRAWS * length):
        block = forward.block(first)
        block.noise = [noise if recipe.keep_noise and first == 1 else None]
        for start in range(first, min(first + _DRAWS * length, end), length):
            steps = min(length, end - start)
            noises = model.noise((steps, *shape), generator, bound.like).unbind(0)
            draws = (None,) * steps if recipe.when == "never" else resampler.randomness(steps, generator)
            for k in range(steps):
                forward.step(start + k, noises[k], draws[k], block)
                block.noise.append(noises[k] if recipe.keep_noise else None)
        yield block


class _Forward:
    """The filter between two steps: particles and their weights."""

    def __init__(self, bound: Bound, recipe: Recipe, resampler: Resampler, noise: Tensor) -> None:
        self.bound, self.recipe, self.resampler = bound, recipe, resampler
        self.laws = bound.laws(bound.flat)
        self.pairs = bound.laws(bound.flat, pairs=True) if recipe.marginal else self.laws
        n = recipe.particles
        self.log_n = math.log(n)
        self.own = resampler.positions.expand(bound.replicates, n)
        self.states = bound.model.initial(self.laws.model, noise)
        self.log_weights = bound.like.new_zeros((bound.replicates, n))
        self.weights = torch.ones_like(self.log_weights)
        self.top = self.log_weights[:, :1]
        self.sums: Tensor | None = None
        self.total = torch.full_like(self.top, n, dtype=torch.float64)
        self.uniform = True

    def block(self, first: int) -> Block:
        """An empty block that begins with the next step."""
        start = [self.states], [self.log_weights], [self.top], [self.total]
        return Block(first, *start, uniform=[self.uniform])

    def step(self, t: int, noise: Tensor, randomness: Tensor | None, block: Block) -> None:
        """Resample, move and weigh."""
        bound, recipe, source = self.bound, self.recipe, self.states
        chosen = self.chosen(t)
        ancestors: Tensor | None = None
        carried: Tensor | None = None
        if isinstance(chosen, Tensor) or chosen:
            assert randomness is not None
            ancestors, carried = self.resampled(randomness)
            if isinstance(chosen, Tensor):
                ancestors = torch.where(chosen, ancestors, self.own)
                carried = torch.where(chosen, -self.log_n if carried is None else carried, self.normalised())
        elif t > 1 and not recipe.marginal:
            carried = self.normalised()
        previous = taken(source, ancestors)
        self.states = bound.move(self.laws, t, previous, noise)
        if recipe.marginal:
            p, q = pair_densities(bound, self.pairs, t, self.states, source)
            base = self.normalised().unsqueeze(1)
            step: Tensor | None = torch.logsumexp(base + p, -1) - torch.logsumexp(base + q, -1)
        else:
            step = bound.value(self.laws, t, self.states, previous)
        self.uniform = carried is None
        if step is None:
            step = torch.zeros_like(self.log_weights)
        self.weigh(t, step if carried is None else carried + step)
        block.states.append(self.states)
        block.log_weights.append(self.log_weights)
        block.tops.append(self.top)
        block.totals.append(self.total)
        block.ancestors.append(ancestors)
        block.resampled.append(chosen)
        block.uniform.append(self.uniform)

    def chosen(self, t: int) -> Tensor | bool:
        """Which replicates are resampled before step t; the uniform weights of time 0 need not be."""
        if self.recipe.when == "always":
            return t > 1 or self.recipe.marginal
        if isinstance(self.recipe.when, str):
            return False
        return effective_below(self.weights, self.recipe.when * self.recipe.particles)

    def weigh(self, t: int, log_weights: Tensor) -> None:
        """Take over the log-weights of time t."""
        self.log_weights = log_weights
        self.top = log_weights.amax(-1, keepdim=True)
        # One number for all replicates: the sum of their tops, in double precision, is finite where each is.
        one = self.top if len(self.top) == 1 else self.top.sum(dtype=torch.float64)
        if not math.isfinite(one.item()) and not bool(torch.isfinite(self.top).all()):
            raise no_weights(self.bound, t, self.top)
        self.weights = torch.exp(log_weights - self.top)
        if self.recipe.when == "never":
            self.total = self.weights.sum(-1, keepdim=True, dtype=torch.float64)
        else:
            self.sums = self.weights.cumsum(-1, dtype=torch.float64)
            self.total = self.sums[:, -1:].clone()  # a view would keep all of the sums in the record

    def normalised(self) -> Tensor:
        """log w̄."""
        return normalised(self.log_weights, self.top, self.total)

    def resampled(self, randomness: Tensor) -> tuple[Tensor, Tensor | None]:
        """Ancestors, and the log-weights that they carry on, None for uniform ones."""
        sums = self.weights.cumsum(-1, dtype=torch.float64) if self.sums is None else self.sums
        if self.recipe.mixture is None:
            return self.resampler.pick(sums, randomness), None
        alpha, n = self.recipe.mixture, self.recipe.particles
        mixed = sums * (alpha / self.total) + (self.resampler.positions + 1) * ((1 - alpha) / n)
        ancestors = self.resampler.pick(mixed, randomness)
        return ancestors, soft_weights(self.normalised().gather(1, ancestors), alpha)


def soft_weights(chosen: Tensor, alpha: float) -> Tensor:
    """log (1/N · w̄/(α w̄ + (1 - α)/N)) of the log-weights chosen.

    The law is summed as numbers: it is at least (1 - α)/N, and second derivatives of a log of exponentials
    are NaN where a weight is zero.
    """
    n = chosen.shape[-1]
    law = chosen if alpha == 1 else torch.log(alpha * torch.exp(chosen) + (1 - alpha) / n)
    return chosen - law - math.log(n)


def pair_densities(bound: Bound, laws: Laws, t: int, x: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
    """log p(x_t^i, y_t | x_{t-1}^j) and log q(x_t^i | x_{t-1}^j), both (replicates, N, N), i before j."""
    x, source = x.unsqueeze(2), source.unsqueeze(1)
    f = bound.model.log_transition(laws.model, t, x, source)
    _, rows, missing = bound.rows(t, t)
    y, absent = rows[0].unsqueeze(1), None if missing is None else missing[0].unsqueeze(1)
    g = bound.model.log_observation(laws.model, t, y, x)
    if absent is not None:
        g = torch.where(absent, 0.0, g)
    if bound.proposal is None:
        return f + g, f
    q = bound.proposal.log_density(laws.proposal, t, y, x, source)
    return f + g, q if absent is None else torch.where(absent, f, q)


def effective_below(weights: Tensor, threshold: float) -> Tensor | bool:
    """Which replicates have an effective sample size (Σw)²/Σw² below a threshold: all, none, or a mask."""
    total = weights.sum(-1, keepdim=True, dtype=torch.float64)
    mask = total * total < threshold * (weights * weights).sum(-1, keepdim=True, dtype=torch.float64)
    count = int(mask.sum())
    return mask if 0 < count < len(mask) else count > 0


def _steps_at_once(bound: Bound, n: int) -> int:
    numbers = bound.replicates * n
    for d in bound.model.event:
        numbers *= d
    return max(1, min(_DRAWN_STEPS, _DRAWN // numbers))


def no_weights(bound: Bound, t: int, top: Tensor) -> EvaluationError:
    """The error for largest log-weights (replicates, 1) that are no numbers, or -∞."""
    bad = (~torch.isfinite(top.squeeze(-1))).nonzero()[0].item()
    value = float(top[int(bad), 0])
    where = ""
    if bound.batch:
        index: list[int] = []
        rest = int(bad)
        for size in reversed(bound.batch):
            rest, k = divmod(rest, size)
            index.insert(0, k)
        where = f" in replicate {index[0] if len(index) == 1 else tuple(index)}"
    if value == -math.inf:
        return EvaluationError(
            f"every particle has weight zero at time {t}{where}",
            instead="more particles, a guided proposal, or an observation density with heavier tails",
        )
    return EvaluationError(
        f"a log-weight at time {t}{where} is {value}",
        instead="densities that are finite at every particle; -inf where a density is 0",
    )
