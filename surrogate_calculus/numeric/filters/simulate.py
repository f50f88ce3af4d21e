"""The forward pass: particles, ancestors and weights, without a graph.

One loop serves every filter that resamples ancestors; they differ in what their surrogates make of its record.
Per step it costs about fifteen small torch operations, whatever the number of particles, replicates and
parameters.
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

#: Numbers drawn at once; a block of steps has about as many.
_DRAWN = 1 << 19
#: Steps of a block at most.
_BLOCK = 64


@dataclass
class Block:
    """Some consecutive steps of a run, first..last, with the state before them.

    Replicates are one axis.  Lists begin with the state at time first - 1.

    Attributes:
        states: x, of shape (replicates, N, *event).
        log_weights: of shape (replicates, N), up to ``top + log(total)``.
        tops, totals: (replicates, 1); totals in float64.  The weights of time t are
            exp(log_weights - top) / total.
        ancestors: int64 (replicates, N) of positions from 0, None where nobody was resampled; the first is None.
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


def simulate(bound: Bound, recipe: Recipe, generator: torch.Generator | None) -> Iterator[Block]:
    """Run the filter forward, a block of steps at a time.

    Raises:
        EvaluationError: every particle of a replicate has weight zero at some time, or a weight is not a number.
    """
    with torch.no_grad():
        yield from _simulated(bound, recipe, generator)


def _simulated(bound: Bound, recipe: Recipe, generator: torch.Generator | None) -> Iterator[Block]:
    model, n, b = bound.model, recipe.particles, bound.replicates
    laws = bound.laws(bound.flat)
    pairs = bound.laws(bound.flat, pairs=True) if recipe.marginal else laws
    resampler = Resampler(recipe.scheme, n, b, bound.like.device)
    positions = resampler.positions.expand(b, n)
    log_n = math.log(n)
    noise = model.noise((b, n), generator, bound.like)
    x = model.initial(laws.model, noise)
    logw = bound.like.new_zeros((b, n))
    weights, top, total = (
        torch.ones_like(logw),
        logw[:, :1],
        torch.full_like(logw[:, :1], n, dtype=torch.float64),
    )
    sums: Tensor | None = None
    kept = _steps_at_once(bound, n)
    single, uniform, threshold = b == 1, True, _threshold(recipe.when, n)
    adaptive = recipe.when not in ("always", "never")
    for first in range(1, bound.steps + 1, kept):
        last = min(first + kept - 1, bound.steps)
        block = Block(first, [x], [logw], [top], [total], uniform=[uniform])
        block.noise = [noise if recipe.keep_noise and first == 1 else None]
        noises = model.noise((last - first + 1, b, n), generator, bound.like).unbind(0)
        draws = resampler.randomness(last - first + 1, generator) if recipe.when != "never" else ()
        for t in range(first, last + 1):
            ancestors, chosen, carried = None, False, None
            if recipe.when == "always":
                chosen = t > 1 or recipe.marginal  # the weights of time 0 are uniform
            elif adaptive:
                chosen = effective_below(weights, threshold)
            if isinstance(chosen, Tensor) or chosen:
                ancestors, carried = _resampled(
                    recipe, resampler, draws[t - first], logw, weights, sums, top, total
                )
                if isinstance(chosen, Tensor):
                    ancestors = torch.where(chosen, ancestors, positions)
                    carried = torch.where(
                        chosen, -log_n if carried is None else carried, normalised(logw, top, total)
                    )
            elif t > 1 and not recipe.marginal:
                carried = normalised(logw, top, total)
            source = x
            previous = taken(x, ancestors)
            x = bound.move(laws, t, previous, noises[t - first])
            if recipe.marginal:
                p, q = pair_densities(bound, pairs, t, x, source)
                base = normalised(logw, top, total).unsqueeze(1)
                step = torch.logsumexp(base + p, -1) - torch.logsumexp(base + q, -1)
            else:
                step = bound.value(laws, t, x, previous)
            uniform = carried is None
            if step is None:
                logw = torch.zeros_like(logw) if carried is None else carried
            else:
                logw = step if carried is None else carried + step
            top = logw.amax(-1, keepdim=True)
            if not math.isfinite(top.item() if single else top.sum().item()):
                raise no_weights(bound, t, top)
            weights = torch.exp(logw - top)
            if recipe.when == "never":
                total = weights.sum(-1, keepdim=True, dtype=torch.float64)
            else:
                sums = weights.cumsum(-1, dtype=torch.float64)
                total = sums[:, -1:]
            block.states.append(x)
            block.log_weights.append(logw)
            block.tops.append(top)
            block.totals.append(total)
            block.ancestors.append(ancestors)
            block.resampled.append(chosen)
            block.uniform.append(uniform)
            block.noise.append(noises[t - first] if recipe.keep_noise else None)
        yield block


def _resampled(
    recipe: Recipe,
    resampler: Resampler,
    randomness: Tensor,
    logw: Tensor,
    weights: Tensor,
    sums: Tensor | None,
    top: Tensor,
    total: Tensor,
) -> tuple[Tensor, Tensor | None]:
    """Ancestors, and the log-weights that they carry on, None for uniform ones."""
    if sums is None:
        sums = weights.cumsum(-1, dtype=torch.float64)
    if recipe.mixture is None:
        return resampler.pick(sums, randomness), None
    alpha, n = recipe.mixture, recipe.particles
    mixed = (weights * (alpha / total)).cumsum(-1, dtype=torch.float64)
    mixed = mixed + resampler.positions.add(1) * ((1 - alpha) / n)
    ancestors = resampler.pick(mixed, randomness)
    return ancestors, soft_weights(normalised(logw, top, total).gather(1, ancestors), alpha)


def soft_weights(chosen: Tensor, alpha: float) -> Tensor:
    """log (1/N · w̄/(α w̄ + (1 - α)/N)) of the log-weights chosen.

    The law is summed as numbers: it is at least (1 - α)/N, and second derivatives of a log of exponentials are NaN
    where a weight is zero.
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


def _threshold(when: When, n: int) -> float:
    return 0.0 if isinstance(when, str) else when * n


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
    return max(1, min(_BLOCK, _DRAWN // numbers))


def no_weights(bound: Bound, t: int, top: Tensor) -> EvaluationError:
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
