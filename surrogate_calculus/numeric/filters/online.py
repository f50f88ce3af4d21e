"""The score without backpropagation: Fisher's identity, carried forward with the particles.

Each particle carries Λ, the sum along its lineage of the derivatives of log (p/q), and the score is Σ w̄[T,i]
Λ[T,i] (Poyiadjis, Doucet & Singh 2011, Algorithm 1): the value of the derivative of DPF's log Ẑ, in memory
that does not grow with T.  In the marginal form Λ[t,i] is a mean over all that particle i may come from
(their Algorithm 2): the value of the derivative of DPF2's log Ẑ, with N² work.

Densities are elementwise in the particles, so that every particle gets natural parameters of its own and one
backward pass gives all their derivatives, for a block of steps at once; only particles with descendants at
the end of the block are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import torch
import torch.autograd.forward_ad as forward
from torch import Tensor

from ...errors import EvaluationError
from ..models.protocol import StateSpaceModel
from .bound import Bound, Laws
from .filter import ParticleFilter, bound_to
from .inputs import generator_of
from .pullback import check_finite, select
from .replay import dense_points, replaced
from .simulate import Block, pair_densities, simulate, taken

__all__ = ["OnlineScore", "online_score"]


class OnlineScore(NamedTuple):
    """What :func:`online_score` returns.

    Attributes:
        log_likelihood: log Ẑ, (*batch).
        score: its derivative by the name of the parameter, (*batch, *shape).
    """

    log_likelihood: Tensor
    score: dict[str, Tensor]


def online_score(
    how: ParticleFilter,
    model: StateSpaceModel[Any],
    observations: Any,
    parameters: Mapping[str, Any] | None = None,
    *,
    wrt: Sequence[str] | None = None,
    seed: int | None = None,
    generator: torch.Generator | None = None,
    batch: Sequence[int] | None = None,
    dtype: torch.dtype | None = None,
    device: torch.device | str | None = None,
) -> OnlineScore:
    """log Ẑ and its derivative, forward in time.

    Args:
        how: the filter; method sis, dpf or dpf2, and particles that are constant under differentiation.
        model: the state-space model.
        observations: y, as for :meth:`ParticleFilter.run`.
        parameters: numbers or tensors, as there.
        seed: of a new generator; the same seed is the same run as there.
        generator: the source of randomness, instead of a seed.
        batch: the shape of independent replicates.
        dtype: of the run.
        device: of the run.
        wrt: names of parameters; by default those given, or all where none is.

    Raises:
        EvaluationError: as for :meth:`ParticleFilter.run`; or a filter to which Fisher's identity does not
            apply.
    """
    if how.method not in ("sis", "dpf", "dpf2") or how.gradient == "reparameterised":
        raise EvaluationError(
            "Fisher's identity is the derivative of SIS, DPF and DPF2, with particles that are constant",
            instead='method="dpf" and gradient="stopped"',
        )
    bound = bound_to(how, model, observations, parameters, batch=batch, dtype=dtype, device=device)
    if isinstance(wrt, str):
        raise EvaluationError(f"wrt is one name, {wrt!r:.40}", instead=f"a list, [{wrt!r:.40}]")
    names = list(dict.fromkeys(wrt if wrt is not None else parameters or bound.names))
    unknown = [name for name in names if name not in bound.shapes]
    if unknown:
        raise EvaluationError(
            f"there is no parameter {', '.join(map(str, unknown))}", instead=", ".join(bound.names)
        )
    if not names:
        raise EvaluationError("there is nothing to differentiate in", instead=", ".join(bound.names))
    generator = generator_of(seed, generator, bound.like.device)
    marginal = how.method == "dpf2"
    carried: Tensor | None = None
    block: Block | None = None
    with torch.no_grad():
        chart = _Chart(bound, names, marginal)
        total = bound.like.new_zeros(bound.replicates, dtype=torch.float64)
        for block in simulate(bound, how.recipe(), generator):
            if carried is None:
                carried = chart.initial(block.states[0])
            total += block.log_sum()
            advance = _marginal if marginal else _lineages
            carried = advance(bound, chart, block, carried)
        assert block is not None and carried is not None
        weights = torch.exp(block.normalised(block.steps))
        score = (weights.unsqueeze(-1) * carried).sum(1)
        check_finite(score)
    found, start = {}, 0
    for name in names:
        shape = bound.shapes[name]
        size = max(1, torch.Size(shape).numel())
        found[name] = score[:, start : start + size].reshape((*bound.batch, *shape))
        start += size
    return OnlineScore(total.to(score.dtype).reshape(bound.batch), found)


class _Chart:
    """Derivatives in the natural parameters, particle by particle, and what they are in the given ones.

    Natural parameters are those of the model and of the proposal in one row, tensors flattened.
    """

    def __init__(self, bound: Bound, names: Sequence[str], pairs: bool) -> None:
        self.bound, self.names = bound, names
        self.laws = bound.laws(bound.flat, pairs=pairs)
        rank = 3 if pairs else 2
        # A natural parameter's own shape is what it has where nothing differs between replicates.
        alone = {n: v[0, 0] if v.dim() > len(bound.shapes[n]) else v for n, v in bound.flat.items()}
        self.shapes = [v.shape for v in _row(bound.laws(alone))]
        columns = [
            [
                torch.zeros_like(v) if d is None else d
                for v, d in zip(_row(self.laws), self._tangents(flat, pairs), strict=True)
            ]
            for flat in self._units()
        ]
        #: Which natural parameters depend on those asked for.
        self.used = [j for j in range(len(self.shapes)) if any(bool(c[j].any()) for c in columns)]
        rows = []
        for j in self.used:
            shape = self.shapes[j]
            numbers = [c[j].expand(*(bound.replicates, *(1,) * (rank - 1)), *shape) for c in columns]
            rows.append(torch.stack(numbers, -1).reshape(bound.replicates, -1, len(columns)))
        #: d natural / d given, (replicates, natural, given).
        self.jacobian = (
            torch.cat(rows, 1) if rows else bound.like.new_zeros(bound.replicates, 0, len(columns))
        )

    def _units(self) -> list[dict[str, Tensor]]:
        """A direction for each number among the parameters."""
        found = []
        for name in self.names:
            value, shape = self.bound.flat[name], self.bound.shapes[name]
            numbers = torch.Size(shape).numel()
            for unit in torch.eye(numbers, dtype=value.dtype, device=value.device):
                found.append({name: unit.reshape(shape).expand_as(value).contiguous()})
        return found

    def _tangents(self, direction: dict[str, Tensor], pairs: bool) -> list[Tensor | None]:
        """Derivatives of the natural parameters."""
        with forward.dual_level():
            flat = {
                n: forward.make_dual(v, direction[n]) if n in direction else v
                for n, v in self.bound.flat.items()
            }
            return [_tangent(v) for v in _row(self.bound.laws(flat, pairs=pairs))]

    def initial(self, x: Tensor) -> Tensor:
        """The derivative of log p₀, (replicates, N, given)."""
        units = self._units()
        found = x.new_zeros((*x.shape[:2], len(units)), dtype=self.bound.like.dtype)
        for k, direction in enumerate(units):
            with forward.dual_level():
                flat = {
                    n: forward.make_dual(v, direction[n]) if n in direction else v
                    for n, v in self.bound.flat.items()
                }
                start = self.bound.initial_increments(self.bound.laws(flat), x)
                tangent = None if start is None else _tangent(start)
            if tangent is not None:
                found[..., k] = tangent
        return found

    def leaves(self, lead: Sequence[int]) -> tuple[Laws, list[Tensor]]:
        """Laws with leaves of their own for every element of ``lead``, and the leaves."""
        row = list(_row(self.laws))
        for j in self.used:
            row[j] = row[j].expand(*lead, *self.shapes[j]).detach().requires_grad_()
        leaves = [row[j] for j in self.used]
        cut = len(self.laws.model)
        proposal = type(self.laws.proposal)(*row[cut:]) if self.laws.proposal else ()
        return Laws(type(self.laws.model)(*row[:cut]), proposal), leaves

    def derivatives(self, value: Tensor, leaves: list[Tensor], lead: Sequence[int]) -> Tensor:
        """Of a sum of values of each element, by element: (lead …, natural)."""
        size = torch.Size(lead).numel()
        if not (leaves and value.requires_grad):
            return value.new_zeros((*lead, self.jacobian.shape[1])).detach()
        found = torch.autograd.grad(value, leaves, torch.ones_like(value), allow_unused=True)
        parts = [torch.zeros_like(leaf) if g is None else g for g, leaf in zip(found, leaves, strict=True)]
        return torch.cat([g.reshape(size, -1) for g in parts], 1).reshape((*lead, -1))


def _row(laws: Laws) -> tuple[Any, ...]:
    return (*laws.model, *laws.proposal)


def _tangent(value: Any) -> Tensor | None:
    found = forward.unpack_dual(value).tangent
    return None if found is None else found.clone()


def _lineages(bound: Bound, chart: _Chart, block: Block, carried: Tensor) -> Tensor:
    """Λ at the end of a block, (replicates, N, given)."""
    if not bound.shared:
        return _dense_lineages(bound, chart, block, carried)
    alive = _with_descendants(block)
    size = alive[0].numel()
    kept = (alive != 0).reshape(-1)
    places = kept.nonzero().squeeze(1)
    points, parents = select(bound, block, block.first, block.steps, places)
    with torch.enable_grad():
        laws, leaves = chart.leaves(places.shape)
        value = bound.increments(laws, points)
    steps = chart.derivatives(value, leaves, places.shape) @ chart.jacobian[0]
    # Only the places kept are computed with; a parent is found by its rank among them.
    counts = kept.reshape(block.steps, size).sum(1).tolist()
    rank = kept.cumsum(0) - 1
    rows = carried.reshape(size, -1).index_select(0, parents[: counts[0]]) + steps[: counts[0]]
    before, end = 0, counts[0]
    above = rank.index_select(0, (parents[end:] - size))
    for count in counts[1:]:
        own = above[end - counts[0] : end - counts[0] + count] - before
        rows = rows.index_select(0, own) + steps[end : end + count]
        before, end = end, end + count
    final = places[end - counts[-1] :] - size * (block.steps - 1)
    return torch.zeros_like(carried).reshape(size, -1).index_copy_(0, final, rows).reshape(carried.shape)


def _dense_lineages(bound: Bound, chart: _Chart, block: Block, carried: Tensor) -> Tensor:
    """The same where replicates have parameters of their own."""
    last = block.first + block.steps - 1
    dead, points = dense_points(bound, block, block.states, block.first, last)
    lead = (block.steps, *block.log_weights[0].shape)
    with torch.enable_grad():
        laws, leaves = chart.leaves(lead)
        value = bound.increments(laws, points)
    steps = chart.derivatives(value, leaves, lead) @ chart.jacobian
    if dead is not None:
        steps = torch.where(dead.unsqueeze(-1), 0.0, steps)
    for ancestors, step in zip(block.ancestors[1:], steps.unbind(0), strict=True):
        carried = taken(carried, ancestors) + step
    return carried


def _with_descendants(block: Block) -> Tensor:
    """Positive where a particle has a descendant of positive weight at the end: (steps, replicates, N)."""
    alive = (~torch.isneginf(block.log_weights[-1])).to(torch.float32)
    rows = [alive]
    for ancestors in block.ancestors[:1:-1]:
        if ancestors is not None:
            alive = torch.zeros_like(alive).scatter_add_(1, ancestors, alive)
        rows.append(alive)
    return torch.stack(rows[::-1])


def _marginal(bound: Bound, chart: _Chart, block: Block, carried: Tensor) -> Tensor:
    """Λ at the end of a block, in the marginal form."""
    lead = (*block.log_weights[0].shape, 1)
    for k in range(1, block.steps + 1):
        t, x, source = block.first + k - 1, block.states[k], block.states[k - 1]
        base = block.normalised(k - 1).unsqueeze(1)
        with torch.enable_grad():
            laws, leaves = chart.leaves(lead)
            dead, x = replaced(block.log_weights[k], x)
            p, q = pair_densities(bound, laws, t, x, source)
            back = torch.softmax((base + p).detach(), -1)
            value = back * torch.where(back > 0, p, 0.0)
            if bound.gradient == "live":
                forth = torch.softmax((base + q).detach(), -1)
                value = value - forth * torch.where(forth > 0, q, 0.0)
        own = chart.derivatives(value, leaves, lead).squeeze(2) @ chart.jacobian
        carried = back @ carried + own
        if dead is not None:
            carried = torch.where(dead.unsqueeze(-1), 0.0, carried)
    return carried
