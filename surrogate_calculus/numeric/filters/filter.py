"""Particle filters whose log-likelihood can be differentiated, each in its own way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..models.protocol import Proposal, StateSpaceModel
from .bound import GRADIENTS, Bound, Gradient
from .inputs import fraction, generator_of
from .pullback import Task, attach, checked
from .replay import Outputs, replaced, replay
from .resampling import SCHEMES, Scheme
from .simulate import Recipe, Record, When, simulate
from .trace import FilterTrace
from .transport import Transport, transported

__all__ = ["METHODS", "FilterRun", "Method", "ParticleFilter", "bound_to", "finished"]

Method = Literal["sis", "pf", "pf-sf", "dpf", "dpf2", "soft", "ot"]
METHODS: tuple[Method, ...] = get_args(Method)


@dataclass(frozen=True, eq=False)
class FilterRun:
    """What a run returns; all of it is differentiable in the parameters.

    Attributes:
        log_sum: log Ẑ = Σ log W[t], of shape (*batch), in the dtype of the run.
        log_weights: log w̄ at time T, (*batch, N).
        states: the particles at time T, (*batch, N, *event); with a graph where they are reparameterised.
        dice: None; with PF-SF the factor D of DiCE on the ancestors, (*batch), of value 1.
        trace: what the run did, without a graph.
    """

    log_sum: Tensor
    log_weights: Tensor
    states: Tensor
    dice: Tensor | None
    trace: FilterTrace

    @property
    def log_likelihood(self) -> Tensor:
        """log Ẑ, (*batch): what to differentiate for the score.  D log Ẑ with PF-SF."""
        return self._with_dice(self.log_sum)

    @property
    def likelihood(self) -> Tensor:
        """Ẑ, (*batch); D Ẑ with PF-SF.  Its mean is p(y); the derivatives' too, with a right filter.

        Raises:
            EvaluationError: it is beyond the range of the dtype: infinite, or zero in every replicate.
        """
        value = torch.exp(self.log_sum)
        if bool(torch.isinf(value).any()) or not bool((value > 0).any()):
            top = float(self.log_sum.detach().max())
            raise EvaluationError(
                f"Ẑ is exp({top:.1f}), which {value.dtype} does not hold", instead="log_likelihood"
            )
        return self._with_dice(value)

    def expectation(self, f: Callable[[Tensor], Tensor]) -> Tensor:
        """Σᵢ w̄[T,i] f(x[T,i]), (*batch); D times that with PF-SF.

        Args:
            f: of the particles, (*batch, N, *event) to (*batch, N); it may depend on the parameters.  It is
                not asked about particles of weight zero.

        Raises:
            EvaluationError: what f returns has another shape, or is no finite number.
        """
        dead, states = replaced(self.log_weights.detach(), self.states)
        values = f(states)
        if not isinstance(values, Tensor) or values.shape != self.log_weights.shape:
            found = tuple(values.shape) if isinstance(values, Tensor) else type(values).__name__
            raise EvaluationError(
                f"f of the particles is {found}", instead=f"a tensor of shape {tuple(self.log_weights.shape)}"
            )
        if not bool(torch.isfinite(values.detach()).all()):
            raise EvaluationError(
                "f is not a finite number at a particle that has weight",
                instead="a function that is finite wherever the posterior has mass",
            )
        if dead is not None:
            values = torch.where(dead, 0.0, values)
        return self._with_dice((torch.exp(self.log_weights) * values).sum(-1))

    def _with_dice(self, value: Tensor) -> Tensor:
        return value if self.dice is None else self.dice * value


@dataclass(frozen=True)
class ParticleFilter:
    """A particle filter for log p(y[1:T]) and its derivatives.

    The particles start from p₀ with uniform weights, which nobody resamples; at each time they are resampled
    where ``when`` says so, moved by the proposal, and weighted.  Everything is batched over replicates and
    particles; weights are logarithms throughout.

    Attributes:
        particles: N.
        method: what derivatives make of resampling.
            ``sis``: there is none (sequential importance sampling).
            ``pf``: they ignore it, and are biased (Algorithm 1, left).
            ``pf-sf``: DiCE on the ancestors; unbiased with multinomial resampling.
            ``dpf``: stop-gradient resampling (Algorithm 1, right).
            ``dpf2``: the marginal filter (Algorithm 2, right), with N² work.
            ``soft``: ancestors from α w̄ + (1 - α)/N, weighted accordingly, and derivatives of these weights
            (Karkus et al. 2018).
            ``ot``: no ancestors but an entropy-regularised transport of the particles (Corenflos et al.
            2021).
        proposal: None for the bootstrap, the model's transition.
        gradient: how derivatives treat what the particles are drawn from.
            ``stopped``: weights p/⊥q of constant particles, an initial law p₀ being corrected by p₀/⊥p₀.
            ``live``: weights p/q of constant particles; the proposal's parameters should not be the model's.
            ``reparameterised``: weights p/q of particles that are functions of noise and parameters.
        scheme: multinomial, stratified, systematic or residual.
        when: "always"; "never"; or a fraction of N, below which the effective sample size must be, for each
            replicate by itself.
        alpha: of soft resampling.
        transport: of optimal-transport resampling.
        correct_initial: False leaves out the correction of a stopped initial law (to see what it is for).
    """

    particles: int
    method: Method = "dpf"
    proposal: Proposal[Any] | None = None
    gradient: Gradient = "stopped"
    scheme: Scheme = "systematic"
    when: When = "always"
    alpha: float = 0.5
    transport: Transport = Transport()  # noqa: RUF009
    correct_initial: bool = True

    def __post_init__(self) -> None:
        for name, value, known in (
            ("method", self.method, METHODS),
            ("gradient", self.gradient, GRADIENTS),
            ("scheme", self.scheme, SCHEMES),
        ):
            if value not in known:
                raise EvaluationError(f"no {name} is called {value!r}", instead=", ".join(known))
        n = self.particles
        if not isinstance(n, int) or isinstance(n, bool) or not 1 <= n < 1 << 31:
            raise EvaluationError(f"there cannot be {n!r:.40} particles", instead="1, 2, 3, …")
        if isinstance(self.when, str) and self.when not in ("always", "never"):
            raise EvaluationError(
                f"resampling cannot happen {self.when!r:.40}",
                instead='"always", "never", or a fraction such as 0.5',
            )
        if not isinstance(self.when, str) and not fraction(self.when):
            raise EvaluationError(f"{self.when!r:.40} is no fraction of N", instead="a number such as 0.5")
        if not fraction(self.alpha):
            raise EvaluationError(f"α of soft resampling is {self.alpha!r:.40}", instead="a number in (0, 1]")
        if not isinstance(self.transport, Transport):
            raise EvaluationError(f"{self.transport!r:.40} is no transport", instead="Transport(epsilon=0.5)")
        if self.method == "dpf2" and (self.gradient == "reparameterised" or self.when != "always"):
            raise EvaluationError(
                "the marginal filter draws from the mixture at each step, which is not reparameterised",
                instead='gradient="stopped" and when="always"',
            )
        if self.method == "ot" and self.gradient != "reparameterised":
            raise EvaluationError(
                "particles that a transport moves are no constants", instead='gradient="reparameterised"'
            )

    def run(
        self,
        model: StateSpaceModel[Any],
        observations: Any,
        parameters: Mapping[str, Any] | None = None,
        *,
        seed: int | None = None,
        generator: torch.Generator | None = None,
        batch: Sequence[int] | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> FilterRun:
        """Run the filter.

        Args:
            model: the state-space model.
            observations: y of shape (T, *observed), or (T, *batch, *observed) for replicates with data of
                their own.  A row of NaN is missing: its weights are those of the transition alone.
            parameters: numbers or tensors on the unconstrained scales of the model and the proposal, of shape
                (*shape), or (*batch, *shape); those not given are the model's own.
            seed: of a new generator.
            generator: the source of randomness, instead of a seed; torch's own without either.
            batch: the shape of independent replicates; by default what parameters and observations have.
            dtype: of the run; by default that of the parameters.
            device: of the run; by default that of the parameters.

        Raises:
            EvaluationError: a value of the wrong shape; at some time every particle of a replicate has weight
                zero, or one has a weight that is not a number.
        """
        bound = bound_to(self, model, observations, parameters, batch=batch, dtype=dtype, device=device)
        generator = generator_of(seed, generator, bound.like.device)
        if self.method == "ot":
            record, outputs = transported(bound, self.transport, self.particles, self.when, generator)
            return finished(self, bound, record, outputs, bound.batch, seed)
        blocks = simulate(bound, self.recipe(), generator)
        record = next(blocks)
        for block in blocks:
            record.extend(block)
        if self.gradient == "reparameterised":
            outputs = replay(bound, record, checked(bound.flat), self.method, self.alpha)
        else:
            outputs = Outputs(*attach(Task(bound, record, self.method, self.alpha)), record.states)
        return finished(self, bound, record, outputs, bound.batch, seed)

    def recipe(self) -> Recipe:
        """What the forward pass needs."""
        return Recipe(
            self.particles,
            self.scheme,
            "never" if self.method == "sis" else self.when,
            self.alpha if self.method == "soft" and self.alpha < 1 else None,
            self.method == "dpf2",
            self.gradient == "reparameterised",
        )


def bound_to(
    how: ParticleFilter,
    model: StateSpaceModel[Any],
    observations: Any,
    parameters: Mapping[str, Any] | None,
    *,
    batch: Sequence[int] | None,
    dtype: torch.dtype | None,
    device: torch.device | str | None,
) -> Bound:
    """A filter's model, data and parameters put together.

    Raises:
        EvaluationError: as for :meth:`ParticleFilter.run`.
    """
    if how.gradient == "reparameterised" and model.discrete:
        raise EvaluationError(
            "the model's states are whole numbers, which no noise moves smoothly",
            instead='gradient="stopped"',
        )
    return Bound(
        model,
        how.proposal,
        observations,
        parameters,
        how.gradient,
        batch=batch,
        correct_initial=how.correct_initial,
        dtype=dtype,
        device=device,
    )


def finished(
    how: ParticleFilter,
    bound: Bound,
    record: Record,
    outputs: Outputs,
    batch: tuple[int, ...],
    seed: int | None,
) -> FilterRun:
    """A run's outputs in the shape of its batch.

    Values are those of the forward pass, to the last bit, whatever is differentiated.

    Raises:
        EvaluationError: log Ẑ is infinite in the dtype of the run.
    """
    n, event = how.particles, tuple(bound.model.event)
    value = record.log_sum().to(bound.like.dtype)
    if not bool(torch.isfinite(value).all()):
        raise EvaluationError(
            f"log Ẑ is beyond the range of {value.dtype}",
            instead="dtype=torch.float64, or data that the model can have produced",
        )
    total = value + (outputs.log_likelihood - outputs.log_likelihood.detach())
    dice = torch.exp(outputs.log_dice).reshape(batch) if how.method == "pf-sf" else None
    parameters = {name: v.detach() for name, v in bound.given.items()}
    trace = FilterTrace(
        record, batch, bound.observations, parameters, seed, event, tuple(bound.model.observed)
    )
    return FilterRun(
        total.reshape(batch),
        outputs.log_weights.reshape((*batch, n)),
        outputs.states[-1].reshape((*batch, n, *event)),
        dice,
        trace,
    )
