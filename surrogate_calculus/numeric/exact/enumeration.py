"""Every run that a particle filter on a finite model can make, with its probability.

An expectation over the filter is then a finite sum, exact to rounding, and unbiasedness an equality.  The
runs are one batch for the filters' own code (:func:`~..filters.replay.replay`), which cannot tell them from
sampled ones.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..filters.bound import Bound
from ..filters.filter import FilterRun, ParticleFilter, bound_to, finished
from ..filters.replay import replay
from ..filters.simulate import Record, effective_below, pair_densities, soft_weights, taken
from ..models.hidden_markov import HiddenMarkov

__all__ = ["Enumeration", "Law", "ancestor_law", "enumerate_runs"]

#: What a record has of each run: lists over time of tensors with a row a run, or of what all runs share.
_ROWS = ("states", "log_weights", "tops", "totals", "ancestors", "resampled")

#: Probabilities (paths, choices) of tuples of ancestors (choices, N), given weights w̄ (paths, N).
Law = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Enumeration:
    """All runs of a filter with positive probability.

    Attributes:
        how: the filter.
        bound: model, data and the parameters that the particles are drawn with.
        record: the runs, one replicate each.
        probability: of each run, (runs,); without a graph.
    """

    how: ParticleFilter
    bound: Bound
    record: Record
    probability: Tensor

    def __len__(self) -> int:
        return len(self.probability)

    def some(self, rows: Tensor) -> Enumeration:
        """Some of the runs, in chunks or more than once, with the probabilities that they have among all.

        Args:
            rows: which, int64 (some,).
        """
        picked: dict[str, Any] = {
            name: [row[rows] if isinstance(row, Tensor) else row for row in getattr(self.record, name)]
            for name in _ROWS
        }
        return replace(self, record=replace(self.record, **picked), probability=self.probability[rows])

    def runs(self, parameters: Mapping[str, Tensor] | None = None) -> FilterRun:
        """What the filter makes of each run, of batch shape (runs,), with a graph to the parameters.

        Args:
            parameters: of the same values as those of the enumeration, and possibly with a graph; of shape
                (*shape), or (runs, 1, *shape) for a leaf of its own for each run.

        Raises:
            EvaluationError: the values are others, whose runs have other probabilities.
        """
        for name, value in (parameters or {}).items():
            if not torch.allclose(value.detach(), self.bound.flat[name], rtol=1e-12, atol=1e-12):
                raise EvaluationError(f"{name} has other values than the enumeration was made with")
        flat = dict(self.bound.flat) | dict(parameters or {})
        outputs = replay(self.bound, self.record, flat, self.how.method, self.how.alpha)
        return finished(self.how, self.bound, self.record, outputs, (len(self),), None)

    def mean(self, values: Tensor) -> Tensor:
        """The expectation of (runs, …), the law of the runs being a constant under differentiation."""
        return torch.tensordot(self.probability, values, 1)


def enumerate_runs(
    how: ParticleFilter,
    model: HiddenMarkov,
    observations: Any,
    parameters: Mapping[str, Any] | None = None,
    *,
    law: Law | None = None,
    limit: int = 5_000_000,
) -> Enumeration:
    """Enumerate a filter on a finite model.

    Args:
        how: the filter; any but optimal transport.
        model: with K states; there are at most (K N)^N runs for each step.
        observations: (T,).
        parameters: as for :meth:`ParticleFilter.run`, without replicates.
        law: of the ancestors, instead of that of ``how.scheme``.
        limit: more runs than this are refused.

    Raises:
        EvaluationError: too many runs; a filter that chooses no ancestors.
    """
    if how.method == "ot":
        raise EvaluationError("a transport chooses no ancestors", instead="another filter")
    bound = bound_to(how, model, observations, parameters, batch=(), dtype=torch.float64, device=None)
    with torch.no_grad():
        return _Tree(how, bound, model, law or ancestor_law(how.scheme), limit).grown()


class _Tree:
    """Paths so far, a row each, and the record of how they came about."""

    def __init__(self, how: ParticleFilter, bound: Bound, model: HiddenMarkov, law: Law, limit: int) -> None:
        self.how, self.bound, self.model, self.law, self.limit = how, bound, model, law, limit
        self.laws = bound.laws(bound.flat)
        n, device = how.particles, bound.like.device
        self.log_n = math.log(n)
        self.tuples = torch.tensor(list(itertools.product(range(n), repeat=n)), device=device)
        self.moves = torch.tensor(list(itertools.product(range(model.states), repeat=n)), device=device)
        x = model.initial(self.laws.model, torch.zeros(1, n, dtype=torch.float64, device=device))
        self.probability = bound.like.new_ones(1)
        start = model.log_initial(self.laws.model, self.moves)
        if start is not None:
            x, self.probability = self.moves, torch.exp(start.sum(-1))
        self.weights = bound.like.new_full(x.shape, -self.log_n)
        self.record = Record(
            1,
            [x],
            [self.weights],
            [torch.zeros_like(self.weights[:, :1])],
            [torch.ones_like(self.weights[:, :1])],
            uniform=[False],
        )

    def grown(self) -> Enumeration:
        """All steps."""
        for t in range(1, self.bound.steps + 1):
            if self.how.method == "dpf2":
                self.marginal_step(t)
            else:
                self.step(t)
        return Enumeration(self.how, self.bound, self.record, self.probability)

    def split(self, choices: Tensor) -> tuple[Tensor, Tensor]:
        """Replace each path by its continuations, given their conditional probabilities (paths, choices).

        Returns:
            for each new path, the old one and the choice.
        """
        path, choice = choices.nonzero(as_tuple=True)
        if len(path) > self.limit:
            raise EvaluationError(
                f"the filter has more than {self.limit} runs", instead="fewer particles or steps; or limit=…"
            )
        self.probability = self.probability[path] * choices[path, choice]
        self.weights = self.weights[path]
        for name in _ROWS:
            rows = getattr(self.record, name)
            rows[:] = [row[path] if isinstance(row, Tensor) else row for row in rows]
        return path, choice

    def step(self, t: int) -> None:
        """Ancestors, then moves."""
        how = self.how
        chosen: Tensor | bool = how.when == "always" and how.method != "sis" and t > 1
        if not isinstance(how.when, str) and how.method != "sis":
            chosen = effective_below(torch.exp(self.weights), how.when * how.particles)
        own = torch.arange(how.particles, device=self.tuples.device)
        ancestors = own.expand_as(self.weights)
        carried = self.weights
        if isinstance(chosen, Tensor) or chosen:
            w = torch.exp(self.weights)
            soft = how.method == "soft"
            law = self.law(how.alpha * w + (1 - how.alpha) / how.particles if soft else w, self.tuples)
            if isinstance(chosen, Tensor):
                law = torch.where(chosen, law, (self.tuples == own).all(-1).to(law))
            path, choice = self.split(law)
            ancestors = self.tuples[choice]
            picked = self.weights.gather(1, ancestors)
            new = soft_weights(picked, how.alpha) if soft else torch.full_like(picked, -self.log_n)
            if isinstance(chosen, Tensor):
                chosen = chosen[path]
                carried = torch.where(chosen, new, self.weights)
            else:
                carried = new
        previous = taken(self.record.states[-1], ancestors)
        path, choice = self.split(torch.exp(self.log_proposal(t, previous)))
        x, previous, ancestors, carried = self.moves[choice], previous[path], ancestors[path], carried[path]
        step = self.bound.value(self.laws, t, x, previous)
        self.append(x, carried if step is None else carried + step)
        self.record.ancestors.append(ancestors if isinstance(chosen, Tensor) or chosen else None)
        self.record.resampled.append(chosen[path] if isinstance(chosen, Tensor) else chosen)

    def log_proposal(self, t: int, previous: Tensor) -> Tensor:
        """log Πᵢ q(moveᵢ | previousᵢ), (paths, moves)."""
        x, source = self.moves.unsqueeze(0), previous.unsqueeze(1)
        _, y, missing = self.bound.rows(t, t)
        if self.bound.proposal is None or (missing is not None and bool(missing.any())):
            return self.model.log_transition(self.laws.model, t, x, source).sum(-1)
        return self.bound.proposal.log_density(self.laws.proposal, t, y[0], x, source).sum(-1)

    def marginal_step(self, t: int) -> None:
        """Moves from the mixture of all particles."""
        source = self.record.states[-1]
        _, q = pair_densities(self.bound, self.laws, t, self.every_state(source), source)
        mixture = torch.exp(torch.logsumexp(self.weights.unsqueeze(1) + q, -1))  # (paths, states)
        law = mixture[:, self.moves].prod(-1)
        path, choice = self.split(law)
        x, source = self.moves[choice], source[path]
        p, q = pair_densities(self.bound, self.laws, t, x, source)
        base = self.weights.unsqueeze(1)
        self.append(x, torch.logsumexp(base + p, -1) - torch.logsumexp(base + q, -1) - self.log_n)
        self.record.ancestors.append(None)
        self.record.resampled.append(True)

    def every_state(self, like: Tensor) -> Tensor:
        """0..K-1 for each path."""
        return torch.arange(self.model.states, device=like.device).expand(len(like), -1)

    def append(self, x: Tensor, unnormalised: Tensor) -> None:
        """States and weights of the next time."""
        log_sum = torch.logsumexp(unnormalised, -1, keepdim=True)
        self.weights = unnormalised - log_sum
        self.record.states.append(x)
        self.record.log_weights.append(unnormalised)
        self.record.tops.append(log_sum)
        self.record.totals.append(torch.ones_like(log_sum))
        self.record.uniform.append(False)
        self.record.noise.append(None)


def ancestor_law(scheme: str) -> Law:
    """The exact joint law of the N ancestors under a resampling scheme."""
    return {
        "multinomial": _multinomial,
        "stratified": _stratified,
        "systematic": _systematic,
        "residual": _residual,
    }[scheme]


def _multinomial(weights: Tensor, tuples: Tensor) -> Tensor:
    return weights[:, tuples].prod(-1)


def _stretches(weights: Tensor, tuples: Tensor) -> tuple[Tensor, Tensor]:
    """For each tooth the offsets u in [0, 1) at which (k + u)/N lies in its ancestor's stretch: from, to."""
    n = weights.shape[1]
    sums = weights.cumsum(-1)
    ends = n * sums / sums[:, -1:]
    starts = torch.cat([torch.zeros_like(ends[:, :1]), ends[:, :-1]], 1)
    k = torch.arange(n, device=weights.device)
    return (starts[:, tuples] - k).clamp(min=0), (ends[:, tuples] - k).clamp(max=1)


def _stratified(weights: Tensor, tuples: Tensor) -> Tensor:
    low, high = _stretches(weights, tuples)
    return (high - low).clamp(min=0).prod(-1)


def _systematic(weights: Tensor, tuples: Tensor) -> Tensor:
    low, high = _stretches(weights, tuples)
    return (high.amin(-1) - low.amax(-1)).clamp(min=0)


def _residual(weights: Tensor, tuples: Tensor) -> Tensor:
    n = weights.shape[1]
    expected = n * weights
    copies = torch.floor(expected + 4 * n * 2.0**-52)
    ends = copies.cumsum(-1)
    rest = (expected - copies).clamp(min=0)
    k = torch.arange(n, device=weights.device)
    certain = torch.searchsorted(ends, k.to(ends).expand_as(ends).contiguous(), right=True)
    drawn = rest[:, tuples] / rest.sum(-1)[:, None, None].clamp(min=1e-300)
    fixed = (tuples.unsqueeze(0) == certain.unsqueeze(1)).to(drawn)
    return torch.where((k < ends[:, -1:]).unsqueeze(1), fixed, drawn).prod(-1)
