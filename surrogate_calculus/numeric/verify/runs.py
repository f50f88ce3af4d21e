"""Runs of a program under test, their derivatives by autograd, and the same runs as a document's values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..filters import FilterRun
from ..values import Event, kind
from .densities import Laws, path_function, timed
from .importance import SAMPLERS, ImportanceRun, ImportanceSampler, PathLaws
from .lines import Numbers
from .programs import REPARAMETERISED, filter_of, guide_of
from .scenes import scene_of

__all__ = ["Case", "FilterUnderTest", "Replicates", "derivatives", "labels", "points", "replicates"]

#: What is needed of a run, and of its trace.
_OF_RUN = ("log_sum", "log_likelihood", "log_weights", "dice", "trace")
_OF_TRACE = ("states", "ancestors", "paths", "batch", "event")
#: Between the parameters of the first replicate of a batch and of the last.
_SPREAD = 0.1


class FilterUnderTest(Protocol):
    """What is verified: :class:`~..filters.ParticleFilter`, or anything that runs as it does."""

    def run(
        self,
        model: Any,
        observations: Any,
        parameters: Mapping[str, Any] | None = None,
        *,
        seed: int | None = None,
        batch: Sequence[int] | None = None,
    ) -> FilterRun:
        """Run it; what comes back is differentiable in the parameters, by its own means.

        It need not be a :class:`~..filters.FilterRun`, but have its ``log_sum``, ``log_likelihood``,
        ``log_weights`` and ``dice``, and a ``trace`` with ``states``, ``ancestors``, ``paths``, ``batch`` and
        ``event``, as :class:`~..filters.FilterTrace` has them.
        """
        ...


#: N to a filter of N particles.
Maker = Callable[[int], FilterUnderTest]


@dataclass(frozen=True)
class Case:
    """A program on a model.

    Attributes:
        name: of the document.
        scene: of the model.
        particles, steps: N, T.
        scheme: of resampling; "" for the document's own.
        guided: whether particles come from a proposal other than the transition.
        maker: makes the filter under test, instead of that of the document's name.
    """

    name: str
    scene: str
    particles: int
    steps: int
    scheme: str = ""
    guided: bool = False
    maker: Maker | None = None

    @property
    def model(self) -> Any:
        """The state-space model."""
        return scene_of(self.scene).model

    @property
    def guide(self) -> Any:
        """The proposal, or None for the transition."""
        return guide_of(self.name, scene_of(self.scene)) if self.guided else None

    @property
    def observations(self) -> Tensor:
        """(T, *observed)."""
        return scene_of(self.scene).observations(self.steps)

    @property
    def numbers(self) -> Numbers:
        """The parameters of the model and of the proposal."""
        return Numbers.of(self.model, self.guide)

    @property
    def base(self) -> Tensor:
        """Their own values, (P,)."""
        own = self.model.defaults() | ({} if self.guide is None else self.guide.defaults())
        return self.numbers.joined(own)

    def places(self, wrt: str) -> list[int]:
        """The numbers that a document's parameter stands for."""
        if self.name != "dpf_reparam":  # the document's θ is all of them, also where it does not occur
            return list(range(len(self.numbers.names)))
        return self.numbers.places(*(self.guide if wrt == "φ" else self.model).parameters)

    def filter(self) -> FilterUnderTest:
        """The filter under test."""
        if self.maker is not None:
            return self.maker(self.particles)
        changes: dict[str, Any] = {"scheme": self.scheme} if self.scheme else {}
        return filter_of(self.name, self.particles, **changes, proposal=self.guide)

    def run(self, flat: Tensor, seed: int, batch: tuple[int, ...]) -> FilterRun | ImportanceRun:
        """Run the program at rows of parameters (*batch, P).

        Raises:
            EvaluationError: the filter under test returned what is no run.
        """
        parameters = self.numbers.split(flat)
        if self.name in SAMPLERS:
            sampler = ImportanceSampler(self.particles, self.name)
            return sampler.run(self.model, self.observations, parameters, seed=seed, batch=batch)
        run = self.filter().run(self.model, self.observations, parameters, seed=seed, batch=batch)
        if self.maker is not None:
            self._see(run, batch)
        return run

    def _see(self, run: Any, batch: tuple[int, ...]) -> None:
        """See that what a filter returned is a run of the size that was asked for."""
        trace: Any = getattr(run, "trace", None)
        for of, name, holder in [("", n, run) for n in _OF_RUN] + [("trace.", n, trace) for n in _OF_TRACE]:
            if not hasattr(holder, name):
                raise EvaluationError(
                    f"the filter returned {kind(run)}, which has no {of}{name}",
                    instead="what ParticleFilter.run returns, or what has the same names",
                )
        t, n, event = self.steps, self.particles, tuple(self.model.event)
        shapes = {
            "log_sum": (run.log_sum, batch),
            "log_weights": (run.log_weights, (*batch, n)),
            "trace.states": (trace.states, (t + 1, *batch, n, *event)),
            "trace.ancestors": (trace.ancestors, (t, *batch, n)),
            "trace.paths": (trace.paths, (t + 1, *batch, n, *event)),
        }
        for name, (found, wanted) in shapes.items():
            if not isinstance(found, Tensor) or tuple(found.shape) != wanted:
                shown = f"of shape {tuple(found.shape)}" if isinstance(found, Tensor) else kind(found)
                raise EvaluationError(
                    f"{name} of a run of batch shape {batch} is {shown}",
                    instead=f"a tensor of shape {wanted}, for N = {n} and T = {t}",
                )
        a = trace.ancestors
        if a.is_floating_point() or a.dtype == torch.bool or bool(((a < 0) | (a >= n)).any()):
            raise EvaluationError(
                "trace.ancestors are no ancestors", instead=f"whole numbers from 0 to {n - 1}"
            )

    def quantity(self, goal: str, run: Any, flat: Tensor) -> Tensor:
        """What a document calls ``goal``, by torch: (*batch), with a graph to ``flat``.

        Raises:
            EvaluationError: no program computes it.
        """
        if goal not in _QUANTITIES:
            raise EvaluationError(f"no program computes {goal}", instead=", ".join(_QUANTITIES))
        return _QUANTITIES[goal](self, run, flat)

    def values(self, runs: Replicates, rows: slice, along: Tensor | None) -> dict[str, Any]:
        """Values of the document's names: batches are (replicates, directions).

        Args:
            runs: what was run.
            rows: which replicates.
            along: directions (D, P), for a document whose parameter is a number; None where it is a vector.
        """
        base = runs.base[rows]

        def line(θ: Tensor) -> Tensor:
            return θ if along is None else base.unsqueeze(1) + θ.unsqueeze(-1) * along

        if along is None:
            θ: Any = base.mT.unsqueeze(-1)  # (P, replicates, 1)
        else:
            θ = torch.zeros(1, len(along), dtype=torch.float64)
        found: dict[str, Any] = {"θ": θ, "N": self.particles}
        if self.name in SAMPLERS:
            return found | self._of_paths(runs.states[:, :, rows], line, θ)
        found |= {"T": self.steps, "φ": torch.zeros(1, 1 if along is None else len(along)).to(base)}
        laws = Laws(self.model, self.guide, self.observations, self.numbers, line)
        times = torch.arange(self.steps + 1)
        event, observed = tuple(self.model.event), tuple(self.model.observed)
        states = runs.states[:, :, rows].unsqueeze(3)
        found["y"] = Event(timed(self.observations, times[1:], observed), 1)
        found["a"] = runs.ancestors[:, :, rows].unsqueeze(3) + 1
        found |= {"log p": laws.log_p, "f": laws.f}
        if self.name in REPARAMETERISED:
            assert runs.noise is not None
            found |= {"x0": states[0], "ε": runs.noise[1:, :, rows].unsqueeze(3), "h": laws.move}
            return found | {"log p": laws.log_p_of_numbers, "log q": laws.log_q_of_numbers}
        found["x"] = Event(timed(states, times.reshape(-1, 1, 1, 1), event), 1)
        if self.name == "dpf2":
            return found | {"log q": laws.log_q_of_observed}
        if self.name == "dpf_adaptive":
            found["r"] = found["a"]
        if self.name == "dpf_initial":
            found["log p0"] = laws.log_p0
        if self.name == "dpf_vector":
            # What is stopped has no vector to depend on.
            fixed = Laws(self.model, self.guide, self.observations, self.numbers, lambda _: base.unsqueeze(1))
            return found | {"log q": fixed.log_q}
        return found | {"log q": laws.log_q}

    def _of_paths(self, states: Tensor, line: Callable[[Tensor], Tensor], θ: Tensor) -> dict[str, Any]:
        """Values of a document whose particles are trajectories; states (T + 1, N, replicates, *event)."""
        laws, event = PathLaws(self.model, self.observations, self.numbers), tuple(self.model.event)
        x = states.movedim(0, 2).unsqueeze(2).to(torch.float64)
        x = x if event else x.unsqueeze(-1)  # (N, replicates, 1, T + 1, d)

        def whole(path: Tensor) -> Tensor:
            found = path if event else path.squeeze(-1)
            return found.long() if self.model.discrete else found

        found: dict[str, Any] = {"f": lambda x, θ: path_function(x, line(θ))}
        if self.name == "dice":
            found |= {"x": Event(x[0], 2), "log p": lambda x, θ: laws.prior(line(θ), whole(x))}
            return found
        found |= {
            "x": Event(x, 2),
            "y": Event(self.observations),
            "log p": lambda x, y, θ: laws.joint(line(θ), whole(x)),
            "log q": lambda x, θ: laws.proposal(line(θ), whole(x)),
        }
        return found | ({"φ": θ} if self.name == "iwae" else {})


def _mean(case: Case, run: FilterRun, flat: Tensor) -> Tensor:
    """Σᵢ w̄[T,i] f(x̃[1:T,i]; θ), of the lineages of the particles."""
    if isinstance(run, ImportanceRun):
        return run.expectation()
    paths = run.trace.paths[1:]
    paths = paths if case.model.event else paths.unsqueeze(-1)
    b = len(run.trace.batch)
    paths = paths.movedim(0, b + 1).to(flat.dtype)
    return (torch.exp(run.log_weights) * path_function(paths, flat.unsqueeze(-2))).sum(-1)


def _proposed(case: Case, run: FilterRun, flat: Tensor) -> Tensor:
    """log ∏ q(x[t,i] | x[t-1, a[t,i]]; θ) of all particles, (*batch)."""
    trace, b = run.trace, len(run.trace.batch)
    times = torch.arange(1, case.steps + 1).reshape(-1, *(1,) * (b + 1))
    index = trace.ancestors.reshape(*trace.ancestors.shape, *(1,) * len(trace.event))
    before = trace.states[:-1].gather(b + 1, index.expand_as(trace.states[:-1]))
    laws = Laws(case.model, case.guide, case.observations, case.numbers, lambda _: flat.unsqueeze(-2))
    x, z = (timed(s, t, trace.event) for s, t in ((trace.states[1:], times), (before, times - 1)))
    return laws.log_q(x, z, flat).sum((0, -1))


def _diced(log_probability: Tensor) -> Tensor:
    return torch.exp(log_probability - log_probability.detach())


def _dice(case: Case, run: Any, flat: Tensor) -> Tensor:
    """The factor of DiCE: on the particles where they come from a live proposal, else on the ancestors."""
    if case.name == "dpf_proposal":
        return _diced(_proposed(case, run, flat))
    found = run.dice
    assert isinstance(found, Tensor)
    return found


def _log_z(case: Case, run: Any, flat: Tensor) -> Tensor:
    if isinstance(run, ImportanceRun):
        return run.log_estimate
    found = run.log_likelihood if run.dice is None else run.log_sum
    assert isinstance(found, Tensor)
    return found


def _diced_log_z(case: Case, run: Any, flat: Tensor) -> Tensor:
    if case.name == "pf_dice":
        found: Tensor = run.log_likelihood
        return found
    return _dice(case, run, flat) * _log_z(case, run, flat)


def _single(case: Case, run: Any, flat: Tensor) -> Tensor:
    assert run.single is not None
    found: Tensor = run.single
    return found


#: What is differentiated, as the catalogue's documents write it.
_QUANTITIES: Mapping[str, Callable[[Case, Any, Tensor], Tensor]] = {
    "log Z": _log_z,
    "log V": _log_z,
    "D": _single,
    "D * log Z": _diced_log_z,
    "f̄": _mean,
    "D * f̄": lambda case, run, flat: _dice(case, run, flat) * _mean(case, run, flat),
    "Z * f̄": lambda case, run, flat: torch.exp(_log_z(case, run, flat)) * _mean(case, run, flat),
    "D * Z * f̄": lambda case, run, flat: (
        _dice(case, run, flat) * torch.exp(_log_z(case, run, flat)) * _mean(case, run, flat)
    ),
    "Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ))": _mean,
    "Σ[i=1..N](v̄[i] * f(x[i]; θ))": _mean,
    "Z * Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ))": lambda case, run, flat: (
        torch.exp(_log_z(case, run, flat)) * _mean(case, run, flat)
    ),
}


# -- runs --


@dataclass(frozen=True, eq=False)
class Replicates:
    """Some runs of a case side by side.

    Attributes:
        labels: of each: ``seed 3``, or ``seed 8, replicate 2``.
        base: the parameters of each, (replicates, P).
        states: (T + 1, N, replicates, *event).
        ancestors: (T, N, replicates), from 0; empty for an importance sampler.
        noise: like the states, where the particles are functions of it.
        witnesses: derivatives by autograd, see :func:`derivatives`, each (replicates, …).
    """

    labels: list[str]
    base: Tensor
    states: Tensor
    ancestors: Tensor
    noise: Tensor | None
    witnesses: dict[str, Tensor]


def points(base: Tensor, seed: int, alone: int, batch: int) -> list[tuple[Tensor, int, tuple[int, ...]]]:
    """What :func:`replicates` runs: parameters (*batch, P), a seed, and the shape of the batch."""
    found: list[tuple[Tensor, int, tuple[int, ...]]] = [(base, seed + k, ()) for k in range(alone)]
    if batch:
        spread = torch.linspace(-_SPREAD, _SPREAD, batch, dtype=base.dtype).unsqueeze(-1)
        found.append((base + spread, seed + alone, (batch,)))
    return found


def labels(seed: int, alone: int, batch: int) -> list[str]:
    """The names of the replicates of :func:`replicates`."""
    singles = [f"seed {seed + k}" for k in range(alone)]
    return singles + [f"seed {seed + alone}, replicate {k}" for k in range(batch)]


def replicates(
    case: Case, goal: str, order: int, along: Tensor, *, seed: int, alone: int, batch: int
) -> Replicates:
    """Run a case with several seeds, and differentiate.

    Runs by themselves share one set of parameters among their particles; those of a batch have parameters of
    their own, spread about the model's: the filters differentiate the two in different ways.

    Args:
        case: the program.
        goal: what is differentiated.
        order: how often.
        along: for the third order: the directions, (D, P).
        seed: the first.
        alone: how many runs by themselves.
        batch: how many replicates of one more run.

    Raises:
        EvaluationError: a run has another shape than its batch.
    """
    found: list[tuple[Tensor, Any, dict[str, Tensor]]] = []
    each = points(case.base, seed, alone, batch)
    for at, own, shape in each:
        flat = at.clone().requires_grad_()
        run = case.run(flat, own, shape)
        value = case.quantity(goal, run, flat)
        if tuple(value.shape) != shape:
            raise EvaluationError(
                f"a run of batch shape {shape} returned one of {tuple(value.shape)}",
                instead="a value for each replicate, of the shape that `batch` has",
            )
        found.append((at, run, derivatives(value, flat, order, along)))
    many = [len(shape) for _, _, shape in each]

    def joined(parts: list[Tensor], axis: int = 0) -> Tensor:
        whole = [p if b else p.unsqueeze(axis) for p, b in zip(parts, many, strict=True)]
        return torch.cat(whole, axis).detach()

    runs = [run for _, run, _ in found]
    ancestors, noise = torch.empty(0), None
    if isinstance(runs[0], ImportanceRun):
        # (*batch, N, T + 1, *event) to (T + 1, N, *batch, *event)
        moved = [r.states.movedim((b, b + 1), (1, 0)) for r, b in zip(runs, many, strict=True)]
        states = joined(moved, 2)
    else:
        states = joined([r.trace.states.movedim(1 + b, 1) for r, b in zip(runs, many, strict=True)], 2)
        ancestors = joined([r.trace.ancestors.movedim(1 + b, 1) for r, b in zip(runs, many, strict=True)], 2)
        if case.name in REPARAMETERISED:
            noise = joined([r.trace.noise.movedim(1 + b, 1) for r, b in zip(runs, many, strict=True)], 2)
    witnesses = {key: joined([w[key] for _, _, w in found]) for key in found[0][2]}
    rows = joined([at for at, _, _ in found])
    return Replicates(labels(seed, alone, batch), rows, states, ancestors, noise, witnesses)


def derivatives(value: Tensor, flat: Tensor, order: int, along: Tensor) -> dict[str, Tensor]:
    """What autograd makes of a quantity (*batch) of parameters (*batch, P).

    Args:
        value: with a graph to ``flat``.
        flat: a leaf.
        order: 1, 2 or 3.
        along: for the third order: the directions, (D, P).

    Returns:
        ``value``, and ``backward``: for order 1 (*batch, P) by a backward pass that keeps no graph, ``graph``
        (*batch, P) being by one that does; for order 2 the Hessian (*batch, P, P); for order 3 the third
        derivatives along the directions, (*batch, D).
    """

    def gradient(of: Tensor, graph: bool) -> Tensor:
        if not of.requires_grad:
            return torch.zeros_like(flat)
        (g,) = torch.autograd.grad(of.sum(), flat, create_graph=graph, retain_graph=True, allow_unused=True)
        return torch.zeros_like(flat) if g is None else g

    found = {"value": value.detach()}
    if order == 1:
        found["backward"] = gradient(value, False)
    first = gradient(value, True)
    if order == 1:
        found["graph"] = first.detach()
    elif order == 2:
        found["backward"] = torch.stack([gradient(g, False) for g in first.unbind(-1)], -2)
    else:
        rows = []
        for d in along:
            second = gradient(first @ d, True)
            rows.append(gradient(second @ d, False) @ d)
        found["backward"] = torch.stack(rows, -1)
    return found
