"""A model, its proposal, data and parameters put together: what a filter asks at each step.

Replicates are one axis here: states are (lead …, replicates, particles, *event), and a parameter that has a
value of its own for each replicate is (replicates, 1, *shape), so that all of it broadcasts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..models.inputs import as_observations, missing_rows
from ..models.protocol import Proposal, StateSpaceModel, filled_in
from .inputs import batch_of, check_numbers, check_owner, like_of, parameters_of

__all__ = ["GRADIENTS", "Bound", "Gradient", "Laws", "Points"]

#: How derivatives treat the particles' law; see :class:`~.filter.ParticleFilter`.
Gradient = Literal["stopped", "live", "reparameterised"]
GRADIENTS: tuple[Gradient, ...] = get_args(Gradient)


class Laws(NamedTuple):
    """The natural parameters of the model, and of the proposal (empty for the bootstrap)."""

    model: Any
    proposal: Any


class Points(NamedTuple):
    """What the densities of some steps and particles are evaluated at; the leading dimensions broadcast."""

    times: Tensor
    observations: Tensor
    missing: Tensor | None
    states: Tensor
    previous: Tensor


class Bound:
    """One run's model, data and parameters.

    Args:
        model: the state-space model.
        proposal: None for the bootstrap, the model's own transition.
        observations: (T, *observed), or (T, *batch, *observed); rows of NaN are missing.
        parameters: tensors of shape (*shape) or (*batch, *shape).
        gradient: see :class:`~.filter.ParticleFilter`.
        batch: shape of the replicates, or None to take it from the tensors.
        correct_initial: whether an initial law that is stopped is corrected for.
        dtype: of the run, or None to take it from the parameters.
        device: of the run, or None likewise.
    """

    def __init__(
        self,
        model: StateSpaceModel[Any],
        proposal: Proposal[Any] | None,
        observations: Any,
        parameters: Mapping[str, Any] | None,
        gradient: Gradient,
        *,
        batch: Sequence[int] | None,
        correct_initial: bool,
        dtype: torch.dtype | None,
        device: torch.device | str | None,
    ) -> None:
        self.model, self.proposal, self.gradient = model, proposal, gradient
        self.correct_initial = correct_initial
        owners: list[Any] = [model] if proposal is None else [model, proposal]
        for owner, what in zip(owners, ("model", "proposal"), strict=False):
            check_owner(owner, what)
        if proposal is not None:
            _check_fit(model, proposal)
        self.shapes = {name: shape for owner in owners for name, shape in owner.parameters.items()}
        parameters = parameters_of(parameters)
        unknown = sorted(set(parameters) - set(self.shapes))
        if unknown:
            raise EvaluationError(
                f"the model has no parameter {', '.join(unknown)}", instead=", ".join(sorted(self.shapes))
            )
        self.like = like_of(parameters.values(), dtype, device)
        self.given = {
            name: value for owner in owners for name, value in filled_in(owner, parameters, self.like).items()
        }
        check_numbers(self.given)
        self.observations = y = as_observations(model, observations, self.like)
        self.batch = batch_of(self._batch(y) if batch is None else batch)
        self.replicates = 1
        for n in self.batch:
            self.replicates *= n
        self.steps = len(y)
        self.y, self.missing = self._observed(y)
        self.names = list(self.given)
        self.flat = {name: self._flat(name, value) for name, value in self.given.items()}
        self.shared = all(v.dim() == len(self.shapes[name]) for name, v in self.flat.items())
        self._rows = self.y.unbind(0)
        self._masks = None if self.missing is None else self.missing.unbind(0)
        self._any = [False] * self.steps if self.missing is None else self.missing.flatten(1).any(1).tolist()
        self._all = [False] * self.steps if self.missing is None else self.missing.flatten(1).all(1).tolist()

    def _batch(self, y: Tensor) -> tuple[int, ...]:
        shapes = [tuple(y.shape[1 : y.dim() - len(self.model.observed)])]
        shapes += [tuple(v.shape[: v.dim() - len(self.shapes[name])]) for name, v in self.given.items()]
        try:
            return tuple(torch.broadcast_shapes(*shapes))
        except RuntimeError:
            raise EvaluationError(
                f"the batch shapes of the values do not broadcast: {sorted(set(shapes))}",
                instead="parameters of shape (*batch, *shape), observations of shape (T, *batch, *observed)",
            ) from None

    def _flat(self, name: str, value: Tensor) -> Tensor:
        """(*shape), or (replicates, 1, *shape)."""
        shape = self.shapes[name]
        own = tuple(value.shape[: value.dim() - len(shape)])
        if not own:
            return value
        try:
            return value.expand(*self.batch, *shape).reshape(self.replicates, 1, *shape)
        except RuntimeError:
            raise EvaluationError(
                f"the parameter {name} has batch shape {own}, the run has {self.batch}",
                instead=f"{self.batch} before the parameter's own {tuple(shape)}",
            ) from None

    def _observed(self, y: Tensor) -> tuple[Tensor, Tensor | None]:
        """Observations as (T, replicates or 1, 1, *observed) without NaN, and where they were missing."""
        event = self.model.observed
        own = tuple(y.shape[1 : y.dim() - len(event)])
        try:
            if own:
                y = y.reshape(len(y), *(1,) * (len(self.batch) - len(own)), *own, *event)
                y = y.expand(len(y), *self.batch, *event).reshape(len(y), self.replicates, 1, *event)
            else:
                y = y.reshape(len(y), 1, 1, *event)
        except RuntimeError:
            raise EvaluationError(
                f"the observations have batch shape {own}, the run has {self.batch}",
                instead=f"times first, then {self.batch}, then {tuple(event)}",
            ) from None
        missing = missing_rows(y, tuple(event))
        if not bool(missing.any()):
            return y, None
        # Densities are evaluated at some value all the same: at an observed one, which they are made for.
        seen = y.reshape(-1, *event)[~missing.reshape(-1)]
        some = seen[0] if len(seen) else torch.zeros_like(y[0, 0, 0])
        return torch.where(torch.isnan(y), some.expand_as(y), y), missing

    # -- the laws --

    def laws(self, flat: Mapping[str, Tensor], pairs: bool = False) -> Laws:
        """Natural parameters; with ``pairs`` for densities of (replicates, N, N)."""
        if pairs:
            flat = {
                name: v.unsqueeze(1) if v.dim() > len(self.shapes[name]) else v for name, v in flat.items()
            }
        proposal = () if self.proposal is None else self.proposal.natural(flat)
        return Laws(self.model.natural(flat), proposal)

    def move(self, laws: Laws, t: int, previous: Tensor, noise: Tensor) -> Tensor:
        """x_t from its proposal; from the transition where the observation is missing."""
        if self.proposal is None or self._all[t - 1]:
            return _sized(self.model.move(laws.model, t, previous, noise), previous, "a state", t)
        found = self.proposal.move(laws.proposal, t, self._rows[t - 1], previous, noise)
        if self._any[t - 1]:
            assert self._masks is not None
            mask = self._masks[t - 1]
            own = self.model.move(laws.model, t, previous, noise)
            found = torch.where(mask.reshape(*mask.shape, *(1,) * len(self.model.event)), own, found)
        return _sized(found, previous, "a state", t)

    def value(self, laws: Laws, t: int, x: Tensor, previous: Tensor) -> Tensor | None:
        """log (p/q) at one step, of shape (replicates, N); None where it is 0."""
        if self._all[t - 1]:
            return None
        y = self._rows[t - 1]
        mask = self._masks[t - 1] if self._masks is not None and self._any[t - 1] else None
        one = x[(...,) + (0,) * len(self.model.event)]  # of the shape of a density
        g = _sized(self.model.log_observation(laws.model, t, y, x), one, "log p(y|x)", t)
        if self.proposal is not None:
            f = _sized(self.model.log_transition(laws.model, t, x, previous), one, "log p(x'|x)", t)
            q = self.proposal.log_density(laws.proposal, t, y, x, previous)
            g = g + (f - _sized(q, one, "log q", t))
        return g if mask is None else torch.where(mask, 0.0, g)

    def increments(self, laws: Laws, at: Points) -> Tensor:
        """log (p/q) of many steps, as a derivative sees them; in value those of :meth:`value`."""
        t, y, missing, x, previous = at
        g = self.model.log_observation(laws.model, t, y, x)
        if missing is not None:
            g = torch.where(missing, 0.0, g)
        if self.proposal is None:
            if self.gradient != "stopped":
                return g  # p(x)/q(x) is 1, whatever the parameters
            f = self.model.log_transition(laws.model, t, x, previous)
            return g + (f - f.detach())
        f = self.model.log_transition(laws.model, t, x, previous)
        q = self.proposal.log_density(laws.proposal, t, y, x, previous)
        if missing is not None:
            q = torch.where(missing, f, q)
        return g + (f - (q.detach() if self.gradient == "stopped" else q))

    def initial_increments(self, laws: Laws, x: Tensor) -> Tensor | None:
        """log (p₀/⊥p₀), whose value is 0; None where it is constant."""
        if self.gradient != "stopped" or not self.correct_initial:
            return None
        found = self.model.log_initial(laws.model, x)
        return None if found is None else found - found.detach()

    def rows(self, first: int, last: int) -> tuple[Tensor, Tensor, Tensor | None]:
        """Times, observations and the missing of steps first..last, to go with (steps, replicates, N)."""
        t = torch.arange(first, last + 1, device=self.like.device).reshape(-1, 1, 1)
        missing = None if self.missing is None else self.missing[first - 1 : last]
        return t, self.y[first - 1 : last], missing


def _check_fit(model: Any, proposal: Any) -> None:
    """Refuse a proposal for other states or observations than the model's, where it says what it is for.

    Raises:
        EvaluationError: it is; or a parameter of the one has the name of one of the other's.
    """
    for name, what in (("event", "states"), ("observed", "observations")):
        own, wanted = getattr(proposal, name, None), tuple(getattr(model, name))
        if own is not None and tuple(own) != wanted:
            raise EvaluationError(
                f"the proposal is for {what} of shape {tuple(own)}, the model's have {wanted}",
                instead="a proposal for this model",
            )
    if model.discrete and getattr(proposal, "discrete", None) is False:
        raise EvaluationError(
            "the model's states are whole numbers, which the proposal does not draw",
            instead="a proposal for this model, or none",
        )
    both = sorted(set(model.parameters) & set(proposal.parameters))
    if both:
        raise EvaluationError(
            f"the model and the proposal both have a parameter {', '.join(both)}", instead="another name"
        )


def _sized(found: Tensor, like: Tensor, what: str, t: int) -> Tensor:
    """What a model has computed for all particles; of another shape it would broadcast to a wrong answer.

    Raises:
        EvaluationError: it has another shape.
    """
    if found.shape != like.shape:
        raise EvaluationError(
            f"{what} at time {t} has shape {tuple(found.shape)} for {tuple(like.shape)}",
            instead="models that are elementwise in (replicates, particles)",
        )
    return found
