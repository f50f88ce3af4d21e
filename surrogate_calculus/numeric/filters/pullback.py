"""First derivatives of a run's outputs without a graph of the run.

What a weight contributes is known once the run is over.  With λ[t,i] = ∇ log (p/q) of particle i at step t,
each output's derivative is Σ[t,i] G[t,i] λ[t,i], and G comes from one sweep back through the ancestors:

* DPF and SIS: G[T] is the cotangent of log v̄ at time T, and G[t-1, j] the sum of G[t, i] over the children i
  of j, the correction v̄/⊥v̄ having passed it on (Eq. 13: all of Σᵢ v̄[T,i] lies on the lineages of the
  survivors);
* PF: a resampling step drops what comes from its children and starts anew from w̄[t-1], the derivative of
  log W[t-1]; and DiCE adds the number of children less N w̄[t-1].

Where G is zero nothing is evaluated.  With DPF that is nearly everywhere: few particles have descendants at
T. Second derivatives go through :mod:`~.replay`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ...errors import EvaluationError
from .bound import Bound, Laws, Points
from .replay import dense_increments, replay
from .simulate import Block, Record

__all__ = ["Task", "attach", "check_finite", "checked", "select"]

#: Numbers of one evaluation of the densities: where most of them are wanted, and where few are.
_DENSE, _SPARSE = 1 << 15, 1 << 18


class Task(NamedTuple):
    """A run that is over, and how to differentiate it."""

    bound: Bound
    record: Record
    method: str
    mixture: float | None


def attach(task: Task) -> tuple[Tensor, Tensor, Tensor]:
    """log Ẑ, log w̄ at T and log D, whose derivatives are those of :func:`~.replay.replay`."""
    found: tuple[Tensor, Tensor, Tensor] = _Attached.apply(task, *task.bound.flat.values())
    return found


class _Attached(torch.autograd.Function):
    """The outputs of a run as a function of its parameters."""

    @staticmethod
    def forward(ctx: Any, task: Task, *parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        ctx.task = task
        ctx.save_for_backward(*parameters)
        record = task.record
        total = record.log_sum().to(task.bound.like.dtype)
        return total, record.normalised(record.steps), torch.zeros_like(total)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor | None, ...]:
        task, parameters = ctx.task, dict(zip(ctx.task.bound.flat, ctx.saved_tensors, strict=True))
        needed = zip(parameters, ctx.needs_input_grad[1:], strict=True)
        wanted = [name for name, need in needed if need]
        if torch.is_grad_enabled():
            found = _by_graph(task, parameters, wanted, cotangents, again=True)
        else:
            leaves = {name: v.detach().requires_grad_(name in wanted) for name, v in parameters.items()}
            by = _by_graph if task.method in ("dpf2", "soft") else _swept
            found = by(task, leaves, wanted, cotangents)
        for g in found:
            if g is not None:
                check_finite(g)
        gradients = dict(zip(wanted, found, strict=True))
        return (None, *(gradients.get(name) for name in parameters))


def _by_graph(
    task: Task,
    parameters: dict[str, Tensor],
    wanted: list[str],
    cotangents: Sequence[Tensor],
    again: bool = False,
) -> Sequence[Tensor | None]:
    """Derivatives by autograd of the run done over, which can be differentiated ``again``."""
    with torch.enable_grad():
        out = replay(task.bound, task.record, parameters, task.method, task.mixture)
        outputs = out.log_likelihood, out.log_weights, out.log_dice
        pairs = [(o, c) for o, c in zip(outputs, cotangents, strict=True) if o.requires_grad]
        if not pairs:
            return (None,) * len(wanted)
        values, weights = zip(*pairs, strict=True)
        inputs = [parameters[name] for name in wanted]
        return torch.autograd.grad(values, inputs, weights, create_graph=again, allow_unused=True)


class _Checked(torch.autograd.Function):
    """A parameter itself; its derivative must be a number."""

    @staticmethod
    def forward(ctx: Any, parameter: Tensor) -> Tensor:
        return parameter.view_as(parameter)

    @staticmethod
    def backward(ctx: Any, *cotangents: Tensor) -> Tensor:
        check_finite(cotangents[0])
        return cotangents[0]


def checked(parameters: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same parameters; a derivative that comes back to them as NaN is an error."""
    return {name: _Checked.apply(v) if v.requires_grad else v for name, v in parameters.items()}


def check_finite(derivative: Tensor) -> None:
    """Refuse a derivative that is not a number.

    Raises:
        EvaluationError: it is NaN.
    """
    if bool(torch.isnan(derivative.detach()).any()):
        raise EvaluationError(
            "the derivative of the log-likelihood is not a number",
            instead="log-densities with finite derivatives wherever a particle has weight",
        )


def _swept(
    task: Task, leaves: dict[str, Tensor], wanted: list[str], cotangents: Sequence[Tensor]
) -> Sequence[Tensor | None]:
    """First derivatives by the sweep, chunk by chunk of steps."""
    bound, record = task.bound, task.record
    with torch.enable_grad():
        laws = bound.laws(leaves)
    cut, inner, outer = _cut(laws)
    sums = [torch.zeros_like(v) for v in inner]

    def add(value: Tensor) -> None:
        if value.requires_grad:
            found = torch.autograd.grad(value, inner, allow_unused=True)
            for total, g in zip(sums, found, strict=True):
                if g is not None:
                    total += g

    first: Tensor | None = None
    with torch.enable_grad():
        for low, chunk in _weights_back(task, cotangents):
            if low == 0:
                first, chunk = chunk[0], chunk[1:]
            if len(chunk):
                add(_weighted(task, cut, max(low, 1), chunk))
        assert first is not None
        start = bound.initial_increments(cut, record.states[0])
        if start is not None:
            add((first * start).sum())
        if not outer:
            return (None,) * len(wanted)
        return torch.autograd.grad(outer, [leaves[name] for name in wanted], sums, allow_unused=True)


def _cut(laws: Laws) -> tuple[Laws, list[Tensor], list[Tensor]]:
    """The laws with leaves of their own for tensors, these leaves, and the tensors that they stand for."""
    inner: list[Tensor] = []
    outer: list[Tensor] = []

    def leaf(v: Any) -> Any:
        if not (isinstance(v, Tensor) and v.requires_grad):
            return v
        inner.append(v.detach().requires_grad_())
        outer.append(v)
        return inner[-1]

    model = type(laws.model)(*map(leaf, laws.model))
    proposal = type(laws.proposal)(*map(leaf, laws.proposal)) if laws.proposal else ()
    return Laws(model, proposal), inner, outer


def _weights_back(task: Task, cotangents: Sequence[Tensor]) -> Iterator[tuple[int, Tensor]]:
    """Back through time in runs of steps, as (the first time, G in order of time): (steps, replicates, N)."""
    record = task.record
    total, final, _ = cotangents
    weights = torch.exp(record.normalised(record.steps))
    g = final + weights * (total - final.sum(-1)).unsqueeze(-1)
    length = max(1, (_SPARSE if _is_sparse(task) else _DENSE) // g.numel())
    for last in range(record.steps, -1, -length):
        low = max(0, last - length + 1)
        chunk = g.new_zeros((last - low + 1, *g.shape))
        for t, row in zip(range(last, low - 1, -1), reversed(chunk.unbind(0)), strict=True):
            if t == record.steps:
                row.copy_(g)
            else:
                _step_back(task, cotangents, t, g, row)
            g = row
        yield low, chunk


def _step_back(task: Task, cotangents: Sequence[Tensor], t: int, g: Tensor, out: Tensor) -> None:
    """G[t] of G[t+1], written into zeros."""
    record, method = task.record, task.method
    ancestors, where = record.ancestors[t + 1], record.resampled[t + 1]
    if ancestors is None:
        out.copy_(g)
    elif method == "dpf":  # where a replicate is not resampled, each particle is its own ancestor
        out.scatter_add_(-1, ancestors, g)
    else:
        total, _, dice = cotangents
        weights = torch.exp(record.normalised(t))
        fresh = weights * total.unsqueeze(-1)
        if method == "pf-sf":
            children = torch.zeros_like(g).scatter_add_(-1, ancestors, torch.ones_like(g))
            fresh = fresh + (children - weights * g.shape[-1]) * dice.unsqueeze(-1)
        out.copy_(torch.where(where, fresh, g) if isinstance(where, Tensor) else fresh)


def _is_sparse(task: Task) -> bool:
    return task.bound.shared and task.method == "dpf"


def _weighted(task: Task, laws: Laws, first: int, weights: Tensor) -> Tensor:
    """Σ G[t,i] log (p/q)[t,i] over the steps from ``first``, G of shape (steps, replicates, N)."""
    bound, record = task.bound, task.record
    if _is_sparse(task):
        places = weights.reshape(-1).nonzero().squeeze(1)
        values = bound.increments(laws, select(bound, record, first, len(weights), places)[0])
        return torch.dot(values, weights.reshape(-1)[places])
    last = first + len(weights) - 1
    values = dense_increments(bound, laws, record, record.states, first, last, hidden=0.0)
    return torch.dot(values.reshape(-1), weights.reshape(-1))


def select(bound: Bound, record: Block, first: int, steps: int, places: Tensor) -> tuple[Points, Tensor]:
    """Places of a flattened (steps, replicates, N) that begins at time ``first``, and those of the parents.

    A parent's place is one in the same layout, begun a step earlier.
    """
    k = first - record.first
    b, n = record.states[0].shape[:2]
    states = torch.stack(record.states[k : k + steps + 1]).flatten(0, 2)
    own = torch.arange(n, device=states.device).expand(b, n)
    ancestors = torch.stack([own if a is None else a for a in record.ancestors[k + 1 : k + steps + 1]])
    step = torch.div(places, b * n, rounding_mode="floor")
    replicate = torch.div(places, n, rounding_mode="floor") - step * b
    row = places - torch.remainder(places, n)

    def observed(values: Tensor) -> Tensor:
        return values[step + (first - 1), replicate if values.shape[1] > 1 else 0, 0]

    parents = row + ancestors.reshape(-1).index_select(0, places)
    found = Points(
        step + first,
        observed(bound.y),
        None if bound.missing is None else observed(bound.missing),
        states.index_select(0, places + b * n),
        states.index_select(0, parents),
    )
    return found, parents
