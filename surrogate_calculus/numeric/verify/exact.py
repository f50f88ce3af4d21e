"""The exact checks: on a finite model an expectation over the filter is a finite sum.

Every run of the filter is enumerated, and automatic differentiation takes the derivatives of what each run
returns.  Their mean is an expectation exact to rounding, so that unbiasedness is an equality and a bias a
number.  A derivative ∂ᵏ is along a line θ ↦ θ + s d of all parameters: d is each parameter by itself, so that
a fault has a name, and a generic direction, in which every mixed derivative counts (a polynomial in d that
vanishes at a generic point is zero).

Deviations are in units of 𝔼|∂ᵏ| of the same quantity, the sum of the absolute terms.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..exact import Enumeration, enumerate_runs, forward_log_likelihood
from ..exact.enumeration import Law, ancestor_law
from ..filters import FilterRun, ParticleFilter
from ..models import FiniteGuide, HiddenMarkov
from .finding import Check, Finding, Outcome, Setting, Size, check_sizes
from .programs import PROGRAMS, filter_of
from .scenes import scene_of

__all__ = ["BIAS", "RUNNERS", "TOLERANCE", "plan"]

#: Of an expectation, in units of 𝔼|∂ᵏ|.
TOLERANCE = 1e-12
#: What a bias must exceed, in the same unit: far above rounding, far below the biases of wrong filters.
BIAS = 1e-6

#: (N, T) and the highest order of derivatives.
SIZES: tuple[tuple[int, int, int], ...] = ((2, 2, 3), (2, 3, 3), (3, 2, 3), (3, 3, 2))
#: Replicates of one graph: runs times directions.
_CHUNK = 1 << 14
#: From so many runs on only the generic direction is taken.
_MANY = 100_000
#: More runs than these are not enumerated for a size that is asked for.
_MOST = 400_000

#: Adaptive resampling: the fraction of these at which runs are mixed most, some resampling and some carrying
#: weights that are not equal.  Which one it is depends on the observations.
_MIXED = "mixed"
_FRACTIONS = (0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
#: Of the proposal that looks at the observation.
_POWER = 0.5

_SCHEMES = ("multinomial", "stratified", "systematic", "residual")


class Case(NamedTuple):
    """A variant of a filter, and from which order on it is biased (None: at no order).

    Attributes:
        words: what the variant is, for the claim.
        changes: settings of the filter.
        biased: the least order with a bias.
    """

    words: str
    changes: Mapping[str, Setting]
    biased: int | None = None


# -- the plan --


def plan(
    filter: str,  # noqa: A002
    scene: str,
    *,
    particles: int | None,
    steps: int | None,
    seed: int,
    size: Size = "quick",
) -> list[Check]:
    """The exact checks of one filter on one model; none where the model is not finite.

    Args:
        filter: a name of :data:`~.programs.PROGRAMS`.
        scene: a name of :data:`~.scenes.SCENES`.
        particles: N, or None for a few small ones; as many runs as belong to a larger N and T cannot be
            enumerated, and then it is the small ones too.
        steps: T, or None.
        seed: of the observations.
        size: ``quick`` has N = T = 2 for everything, ``full`` up to N = T = 3.

    Raises:
        EvaluationError: a name is unknown, or a number makes no sense.
    """
    model = scene_of(scene).model
    filter_of(filter, 1)  # refuses what is no filter
    check_sizes(particles, steps, seed, size)
    if not isinstance(model, HiddenMarkov):
        return []
    checks: list[Check] = []
    for number, case in enumerate(_cases(filter, model)):
        mixed = case.changes.get("when") == _MIXED
        for n, t, order in _sizes(particles, steps, size, model, first=number == 0, mixed=mixed):
            if case.biased is not None and (min(n, t) < 2 or n == t == 3):
                continue  # resampling does nothing; or there are hundreds of thousands of runs
            if n == t == 3 and (model.hidden_start or not set(case.changes) <= {"scheme", "when"}):
                continue  # millions of runs, or a variant that the smaller sizes show as well
            if mixed and t < 3 and "guide" in case.changes:
                continue  # weights that differ are all of one kind: there is no mixture at one step
            settings = {"particles": n, "steps": t, "seed": seed, **case.changes}
            checks += _of_case(filter, scene, case, settings, order)
    return checks


def _cases(name: str, model: HiddenMarkov) -> Iterator[Case]:
    """What is claimed of a filter.  The first is the filter itself."""
    method = PROGRAMS[name].get("method", "dpf")
    if not set(PROGRAMS[name]) <= {"method", "scheme", "when", "correct_initial", "alpha"} or method == "ot":
        return  # a proposal or a gradient that is no part of these claims
    corrected = bool(PROGRAMS[name].get("correct_initial", True))
    if corrected and not model.hidden_start:
        return  # there is nothing to correct: it is the filter without a correction
    adaptive = not isinstance(PROGRAMS[name].get("when", "always"), str)
    own: dict[str, Setting] = {"when": _MIXED} if adaptive else {}
    if model.hidden_start and not corrected:
        # Every one of these filters stops the law of x₀, which depends on θ here.
        yield Case("with a stopped initial law that is left uncorrected", own, biased=1)
        if method not in ("pf", "soft"):
            yield Case("with its initial law corrected", {**own, "correct_initial": True})
        return
    if method in ("sis", "dpf2"):
        yield Case("", own)
    if method in ("pf", "soft"):
        for scheme in _SCHEMES:
            yield Case(f"{scheme} resampling", {**own, "scheme": scheme}, biased=1)
        if method == "pf":
            yield Case("soft resampling instead, α = 1/2", {**own, "method": "soft"}, biased=1)
        return
    if method == "pf-sf":
        yield Case("multinomial resampling", {**own, "scheme": "multinomial"})
        yield Case(
            "multinomial resampling below an effective sample size",
            {"scheme": "multinomial", "when": _MIXED},
        )
        for scheme in _SCHEMES[1:]:
            words = f"{scheme} resampling, whose ancestors do not have the law that DiCE's factor is made of"
            yield Case(words, {**own, "scheme": scheme}, biased=1)
    if method == "dpf":
        sometimes = " below an effective sample size" if adaptive else ""
        for scheme in _SCHEMES:
            yield Case(f"{scheme} resampling{sometimes}", {**own, "scheme": scheme})
        yield Case("a biased law of the ancestors", {**own, "scheme": "multinomial", "law": "tilted"}, 0)
    if method not in ("sis", "dpf2"):
        own = {**own, "scheme": "multinomial"}
    guided = {**own, "guide": _POWER}
    yield Case("a proposal that depends on θ, stopped", guided)
    yield Case("a proposal that depends on θ, not stopped", {**guided, "gradient": "live"}, biased=1)
    yield Case("the transition as a proposal that is not stopped", {**own, "gradient": "live"}, biased=1)


def _sizes(
    particles: int | None, steps: int | None, size: str, model: HiddenMarkov, *, first: bool, mixed: bool
) -> list[tuple[int, int, int]]:
    """N, T and the highest order; ``mixed`` for adaptive resampling, which N = T = 2 shows nothing of."""
    sizes = SIZES[1:] if mixed else SIZES
    standard = sizes if size == "full" else sizes[:-1] if first else sizes[:1]
    if particles is None and steps is None:
        return list(standard)
    asked = [s for s in sizes if particles in (None, s[0]) and steps in (None, s[1])]
    if not asked and particles is not None and steps is not None:
        log_runs = particles * (steps * math.log(model.states * particles) - math.log(particles))
        useful = not mixed or (min(particles, steps) > 1 and particles * steps > 4)
        if useful and log_runs <= math.log(_MOST):
            asked = [(particles, steps, 3 if log_runs < math.log(_MANY) else 2)]
    if size == "quick":
        asked = asked[:1]
    return asked or list(standard)


def _of_case(
    name: str, scene: str, case: Case, settings: Mapping[str, Setting], order: int
) -> Iterator[Check]:
    """The claims about one variant at one size."""
    where = f"N = {settings['particles']}, T = {settings['steps']}"
    words = f"{case.words}, {where}" if case.words else where
    below = order if case.biased is None else case.biased - 1
    sums = "Ẑ Σᵢ w̄[T,i] f(x̃[i]; θ)"

    def check(claim: str, runner: str, quantity: str, lowest: int, highest: int) -> Check:
        orders: dict[str, Setting] = {"quantity": quantity, "lowest": lowest, "highest": highest}
        return Check(f"{claim}; {words}", "exact", runner, name, scene, {**settings, **orders})

    if below >= 0:
        yield check(
            f"𝔼[∂ᵏẐ] = ∂ᵏp(y) for k = {_range(0, below)}" if below else "𝔼[Ẑ] = p(y)",
            "unbiased",
            "likelihood",
            0,
            below,
        )
    if case.biased is None:
        claim = f"𝔼[∂ᵏ({sums})] = ∂ᵏ Σₓ p(x, y) f(x; θ) for k = {_range(0, below)}"
        yield check(claim, "unbiased", "posterior", 0, below)
    else:
        low, high = case.biased, min(2, order)
        claim = f"Ẑ is biased: 𝔼[∂ᵏẐ] ≠ ∂ᵏp(y) for k = {_range(low, high)}"
        yield check(claim, "biased", "likelihood", low, high)


def _range(low: int, high: int) -> str:
    return ", ".join(map(str, range(low, high + 1)))


# -- the sums --


class Line:
    """θ + s d, for directions d as a batch.

    Args:
        model: whose own parameters are θ.
        every: whether d is each parameter by itself too, besides the generic one.
    """

    def __init__(self, model: HiddenMarkov, every: bool) -> None:
        self.base = model.defaults()
        names = [
            (name, tuple(index))
            for name, v in self.base.items()
            for index in itertools.product(*map(range, v.shape))
        ]
        generator = torch.Generator().manual_seed(3)
        generic = torch.randn(1, len(names), generator=generator, dtype=torch.float64)
        flat = torch.cat([torch.eye(len(names), dtype=torch.float64), generic]) if every else generic
        sizes = [v.numel() for v in self.base.values()]
        self.slopes = {
            name: piece.reshape(-1, *v.shape)
            for (name, v), piece in zip(self.base.items(), flat.split(sizes, 1), strict=True)
        }
        single = [f"{name}[{', '.join(map(str, index))}]" for name, index in names] if every else []
        self.names = (*single, "s, a generic direction")

    def __len__(self) -> int:
        return len(self.names)

    def at(self, s: Tensor, direction: Tensor) -> dict[str, Tensor]:
        """The parameters, (runs, 1, *shape), for s and positions of directions, both (runs,)."""
        return {
            name: (v + s.reshape(-1, *(1,) * v.dim()) * self.slopes[name][direction]).unsqueeze(1)
            for name, v in self.base.items()
        }


def _derivatives(function: Callable[[Tensor], Tensor], s: Tensor, order: int) -> Tensor:
    """∂ᵏ of numbers, each a function of its own s, for k = 0..order: (order + 1, len(s))."""
    s = s.requires_grad_(order > 0)
    value = function(s)
    rows = [value.detach()]
    for k in range(order):
        (value,) = torch.autograd.grad(value.sum(), s, create_graph=k + 1 < order)
        rows.append(value.detach())
    return torch.stack(rows)


def _expectations(
    every: Enumeration, line: Line, quantity: Callable[[FilterRun, Mapping[str, Tensor]], Tensor], order: int
) -> tuple[Tensor, Tensor]:
    """𝔼[∂ᵏ] and 𝔼|∂ᵏ| over all runs, each (order + 1, directions)."""
    mean = torch.zeros(order + 1, len(line), dtype=torch.float64)
    size = torch.zeros_like(mean)
    for rows in torch.arange(len(every)).split(max(1, _CHUNK // len(line))):
        directions = torch.arange(len(line)).repeat_interleave(len(rows))
        part = every.some(rows.repeat(len(line)))

        def value(s: Tensor, part: Enumeration = part, directions: Tensor = directions) -> Tensor:
            parameters = line.at(s, directions)
            return quantity(part.runs(parameters), parameters)

        found = _derivatives(value, torch.zeros(len(part), dtype=torch.float64), order)
        terms = (part.probability * found).reshape(order + 1, len(line), len(rows))
        mean += terms.sum(-1)
        size += terms.abs().sum(-1)
    return mean, size


def _likelihood(run: FilterRun, parameters: Mapping[str, Tensor]) -> Tensor:
    return run.likelihood


def _posterior(
    model: HiddenMarkov, marginal: bool, run: FilterRun, parameters: Mapping[str, Tensor]
) -> Tensor:
    """Ẑ Σᵢ w̄[T,i] f(x̃[i]; θ), (runs,), f being that of :func:`_of_path`."""
    states = run.trace.states if marginal else run.trace.paths
    f = _of_path(model, states, parameters, marginal)
    return torch.exp(run.log_sum) * run.expectation(lambda _: f)


def _of_path(model: HiddenMarkov, states: Tensor, parameters: Mapping[str, Tensor], marginal: bool) -> Tensor:
    """f(x; θ) = Σₜ (-1)ᵗ t B(x[t], 0; θ) of paths (T + 1, …), of either sign; its last term if marginal.

    The marginal filter has no lineages.
    """
    c = model.natural(parameters)
    last = len(states) - 1
    zero = torch.zeros((), dtype=torch.float64)
    terms = [
        (-1) ** t * t * torch.exp(model.log_observation(c, t, zero, states[t]))
        for t in range(last if marginal else 1, last + 1)
    ]
    return torch.stack(terms).sum(0)


def _exact(model: HiddenMarkov, y: Tensor, line: Line, quantity: str, marginal: bool, order: int) -> Tensor:
    """∂ᵏp(y), by the forward algorithm, or ∂ᵏ Σₓ p(x, y) f(x; θ), path by path: (order + 1, directions)."""

    def likelihood(s: Tensor) -> Tensor:
        parameters = {name: v.squeeze(1) for name, v in line.at(s, torch.arange(len(line))).items()}
        return torch.exp(forward_log_likelihood(model, y, parameters))

    def posterior(s: Tensor) -> Tensor:
        parameters = line.at(s, torch.arange(len(line)))
        steps = len(y) + model.hidden_start
        paths = torch.tensor(list(itertools.product(range(model.states), repeat=steps))).T
        if not model.hidden_start:
            paths = torch.cat([torch.zeros_like(paths[:1]), paths])
        x = paths.unsqueeze(1).expand(-1, len(line), -1)  # (T + 1, directions, paths)
        c = model.natural(parameters)
        log_p = model.log_initial(c, x[0])
        total = torch.zeros(x.shape[1:], dtype=torch.float64) if log_p is None else log_p
        for t, symbol in enumerate(y, 1):
            total = total + model.log_transition(c, t, x[t], x[t - 1])
            total = total + model.log_observation(c, t, symbol, x[t])
        return (torch.exp(total) * _of_path(model, x, parameters, marginal)).sum(-1)

    function = likelihood if quantity == "likelihood" else posterior
    return _derivatives(function, torch.zeros(len(line), dtype=torch.float64), order)


# -- the checks --


def _tilted(weights: Tensor, tuples: Tensor) -> Tensor:
    """A wrong law of the ancestors: each is the first particle with twice its share."""
    tilted = weights * (1 + 1.0 * (torch.arange(weights.shape[1], device=weights.device) == 0))
    return ancestor_law("multinomial")(tilted / tilted.sum(1, keepdim=True), tuples)


_LAWS: Mapping[str, Law] = {"tilted": _tilted}


def _filter(check: Check, model: HiddenMarkov, y: Tensor) -> ParticleFilter:
    """The filter of a check on its observations."""
    changes: dict[str, Any] = {
        key: check.settings[key]
        for key in ("method", "scheme", "when", "gradient", "correct_initial")
        if key in check.settings
    }
    if "guide" in check.settings:
        changes["proposal"] = FiniteGuide(model, cast(float, check.settings["guide"]))
    when = changes.pop("when") if changes.get("when") == _MIXED else None
    how = filter_of(check.filter, cast(int, check.settings["particles"]), **changes)
    if when is None:
        return how
    # The systematic scheme has the fewest runs, and the same weights as the others.
    tried = [replace(how, when=fraction, scheme="systematic") for fraction in _FRACTIONS]
    mixture = [min(_shares(enumerate_runs(each, model, y))) for each in tried]
    return replace(how, when=_FRACTIONS[mixture.index(max(mixture))])


class _Sums(NamedTuple):
    """What a check compares, each (orders, directions)."""

    mean: Tensor
    exact: Tensor
    size: Tensor
    names: tuple[str, ...]
    runs: int
    fraction: float | None
    shares: tuple[float, float]

    @property
    def deviation(self) -> Tensor:
        """|𝔼[∂ᵏ] - exact| in units of 𝔼|∂ᵏ|; 0 where all of these are 0."""
        error = (self.mean - self.exact).abs()
        return torch.where(error == 0, 0.0, error / torch.maximum(self.size, self.exact.abs()))


def _sums(check: Check) -> _Sums:
    s = check.settings
    scene = scene_of(check.model)
    model: HiddenMarkov = scene.model
    if not isinstance(model, HiddenMarkov):
        raise EvaluationError(f"{check.model} is not finite", instead="hmm or hmm-hidden")
    y = scene.observations(cast(int, s["steps"]), seed=cast(int, s["seed"]))
    how = _filter(check, model, y)
    law = _LAWS[cast(str, s["law"])] if "law" in s else None
    every = enumerate_runs(how, model, y, law=law)
    line = Line(model, every=len(every) < _MANY)
    order, marginal = cast(int, s["highest"]), how.method == "dpf2"
    value = _likelihood if s["quantity"] == "likelihood" else partial(_posterior, model, marginal)
    mean, size = _expectations(every, line, value, order)
    exact = _exact(model, y, line, cast(str, s["quantity"]), marginal, order)
    low = cast(int, s["lowest"])
    fraction = None if isinstance(how.when, str) else how.when
    shares = (1.0, 1.0) if fraction is None else _shares(every)
    return _Sums(mean[low:], exact[low:], size[low:], line.names, len(every), fraction, shares)


def _shares(every: Enumeration) -> tuple[float, float]:
    """Of the steps but the first, the mean shares that resample, and that carry on weights which differ."""
    trace = every.runs().trace
    resampled = trace.resampled[1:]  # (T - 1, runs)
    differ = trace.effective_sizes[1:-1] < (1 - 1e-9) * trace.particles
    if not len(resampled):
        return 0.0, 0.0
    found = [
        float((which.to(torch.float64).mean(0) * every.probability).sum())
        for which in (resampled, differ & ~resampled)
    ]
    return found[0], found[1]


def _unbiased(check: Check) -> Finding:
    """Expectations are the exact derivatives, at each order and in each direction."""
    sums = _sums(check)
    found = sums.deviation
    worst = float(found.max()) if bool(torch.isfinite(found).all()) else float("nan")
    return _finding(check, sums, found, worst, TOLERANCE, worst <= TOLERANCE)


def _biased(check: Check) -> Finding:
    """At each order the expectation in some direction is something else."""
    sums = _sums(check)
    found = sums.deviation.amax(1)
    least = float(found.min()) if bool(torch.isfinite(found).all()) else float("nan")
    shown = torch.where((found == found.min()).unsqueeze(1), sums.deviation, -1.0)
    return _finding(check, sums, shown, least, BIAS, least > BIAS)


def _finding(check: Check, sums: _Sums, shown: Tensor, deviation: float, bound: float, ok: bool) -> Finding:
    """The finding, named after the largest deviation that is shown."""
    low = cast(int, check.settings["lowest"])
    row, column = divmod(int(torch.nan_to_num(shown, nan=torch.inf).argmax()), len(sums.names))
    what = "Ẑ" if check.settings["quantity"] == "likelihood" else "Ẑ Σᵢ w̄[T,i] f(x̃[i]; θ)"
    numbers = {}
    for k in range(len(sums.mean)):
        numbers[f"order {low + k}, mean over the filter"] = tuple(sums.mean[k].tolist())
        numbers[f"order {low + k}, exact"] = tuple(sums.exact[k].tolist())
    outcome: Outcome = "agrees" if ok else "disagrees"
    unit = "𝔼|∂ᵏ|, the sum of the absolute terms"
    note = f"{sums.runs:,} runs, {len(sums.names)} direction{'s' * (len(sums.names) > 1)}"
    if sums.fraction is not None:
        note += "; below {:g} N {:.0%} of later steps resample, {:.0%} carry on weights that differ".format(
            sums.fraction, *sums.shares
        )
        if ok and check.runner == "unbiased" and min(sums.shares) == 0:  # nothing is seen of a mixture
            outcome = "undecided"
    return Finding(
        check,
        deviation,
        bound,
        f"{bound:g} of {unit}" if check.runner == "unbiased" else f"a bias: more than {bound:g} of {unit}",
        outcome,
        f"{_order(low + row, sums.names[column])} of {what}",
        note,
        numbers,
        sums.names,
    )


def _order(k: int, name: str) -> str:
    """∂²/∂name²; the value at order 0."""
    if k == 0:
        return "the value"
    power = "" if k == 1 else "⁰¹²³⁴⁵⁶⁷⁸⁹"[k]
    return f"∂{power}/∂({name}){power}"


RUNNERS: Mapping[str, Callable[[Check], Finding]] = {"unbiased": _unbiased, "biased": _biased}
