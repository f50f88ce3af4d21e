"""The statistical checks: against a known likelihood and score, by tests with a stated rate and power.

With L = p(y[1:T]), s = ∇ log L and a filter's Ẑ (times D, of value 1, with DiCE on the ancestors):

* 𝔼[Ẑ] = L is tested by Ẑ/L, whose mean is 1.
* 𝔼[∇Ẑ] = ∇L is tested by (Ẑ/L)(∇ log Ẑ - s), whose mean is 0: it is ∇Ẑ/L with s Ẑ/L, of known mean s, as
  its control variate, and a hundred times less variable where Ẑ is.
* That the bias of ∇ log Ẑ falls like 1/N, or stays, is seen on a ladder of N.
* That the ancestors have the law of their scheme, over which exact expectations are taken, by frequencies.
* How its variance grows with N and with T likewise.  At a fixed N and long T the variance of DPF's score is
  that of a few lineages, and linear: it is quadratic where T is beyond the mixing time and below N, and there
  it is measured (Poyiadjis, Doucet & Singh 2011, §3, on both regimes).

An exponent is claimed by the nearest half: "like T²" is "significantly above 3/2".  Sizes are those at which
the tests are decisive; a test that lacks the power to see what is asked is undecided.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple, cast

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..exact import exact_derivatives
from ..exact.enumeration import ancestor_law
from ..filters.resampling import SCHEMES, Scheme, resample
from .finding import Check, Finding, Outcome, Setting
from .inference import MeanTest, critical_value, fitted, power_of, test_of_mean
from .programs import PROGRAMS, filter_of
from .scenes import Scene, scene_of

__all__ = ["POWER", "RATE", "RUNNERS", "plan"]

#: The false-alarm rate of a check, all its components together.
RATE = 1e-4
#: A test that would see the stated effect less often than this decides nothing.
POWER = 0.9
#: Numbers (replicates times particles, or times pairs and steps for the marginal filter) of one batch.
_BATCH, _PAIRS = 1 << 15, 1 << 19
#: N T of what a caller may ask for; more replicates of that would take too long.
_MOST = 2_000
#: Seed of the data where they are drawn, so that the sizes fit them; ``seed`` is that of the filters.
_DATA = 1


class Design(NamedTuple):
    """Sizes at which a test is decisive: found by trying, on the data of seed 1.

    Attributes:
        particles: N.
        steps: T.
        replicates: of the filter.
        effect: a deviation to be seen, as a share of ‖s‖; below the bias of the plain filter there.
    """

    particles: int
    steps: int
    replicates: int
    effect: float = 0.1


_DESIGNS: Mapping[tuple[str, str], Design] = {
    ("dpf", "lgssm"): Design(64, 10, 8000),
    ("dpf", "lgssm2"): Design(64, 5, 4000),
    ("dpf", "nile"): Design(32, 10, 4000),
    ("dpf", "hmm"): Design(32, 10, 2000),
    ("pf", "lgssm"): Design(64, 10, 8000),
    ("pf", "lgssm2"): Design(64, 5, 4000),
    ("pf", "nile"): Design(32, 10, 4000),
    ("pf", "hmm"): Design(32, 10, 2000),
    ("dpf2", "lgssm"): Design(32, 5, 4000),
    ("dpf2", "lgssm2"): Design(32, 5, 5000),
    ("dpf2", "nile"): Design(16, 10, 2000),
    ("dpf2", "hmm"): Design(16, 5, 1000),
    ("sis", "lgssm"): Design(64, 2, 10000),
    ("sis", "lgssm2"): Design(32, 2, 4000),
    ("sis", "nile"): Design(32, 5, 4000),
    ("sis", "hmm"): Design(32, 5, 6000),
    ("pf-sf", "lgssm"): Design(16, 10, 80_000, 0.2),
    ("pf-sf", "nile"): Design(8, 10, 60_000),
    ("pf-sf", "hmm"): Design(8, 10, 20_000),
}


# -- the plan --


def plan(
    filter: str,  # noqa: A002
    scene: str,
    *,
    particles: int | None,
    steps: int | None,
    seed: int,
    size: Literal["quick", "full"] = "quick",
) -> list[Check]:
    """The statistical checks of one filter on one model; none where the model's score is not known.

    Args:
        filter: a name of :data:`~.programs.PROGRAMS`.
        scene: a name of :data:`~.scenes.SCENES`.
        particles: N of the tests of means; replicates of a large filter would take too long, so that where
            N T is above 2,000 these have sizes of their own, as they have by default.
        steps: T, likewise.
        seed: of the filters' randomness.
        size: ``full`` takes four times the replicates, and fits growth on more models.

    Raises:
        EvaluationError: a name is unknown, or a number makes no sense.
    """
    known = scene_of(scene)
    filter_of(filter, 1 if particles is None else particles)  # refuses what is no filter
    if steps is not None and (not isinstance(steps, int) or steps < 1):
        raise EvaluationError(f"there cannot be {steps!r} steps", instead="1, 2, 3, …")
    if size not in ("quick", "full"):
        raise EvaluationError(f"no size is called {size!r:.40}", instead="quick or full")
    method = _method(filter, known)
    design = _DESIGNS.get((method or "", scene))
    if method is None or design is None:
        return []
    n = design.particles if particles is None else particles
    t = design.steps if steps is None else steps
    if n * t > _MOST or (known.data is not None and t > len(known.data)):
        n, t = design.particles, design.steps
    more = 1 if size == "quick" else 4
    claims = [
        *_of_means(method, design._replace(particles=n, steps=t, replicates=design.replicates * more)),
        *_of_growth(method, scene, size),
        *_of_ancestors(method, scene),
    ]
    return [
        Check(claim, "statistical", runner, filter, scene, {**settings, "seed": seed})
        for claim, runner, settings in claims
    ]


def _method(name: str, scene: Scene) -> str | None:
    """Which claims are those of a filter on a model: None for those that are not made here."""
    settings = PROGRAMS[name]
    if not set(settings) <= {"method", "scheme", "when", "correct_initial"} or scene.log_likelihood is None:
        return None
    model = scene.model
    start = model.natural(model.defaults())
    like = torch.zeros(1, dtype=torch.float64)
    if model.log_initial(start, model.initial(start, model.noise((1, 1), None, like))) is not None:
        return None  # exact checks tell what a stopped initial law needs
    # Without such a law a filter that corrects for it is the one that does not.
    return None if settings.get("correct_initial", True) else str(settings.get("method", "dpf"))


Claim = tuple[str, str, dict[str, Setting]]


def _of_means(method: str, design: Design) -> Iterator[Claim]:
    """What is claimed of 𝔼[Ẑ] and 𝔼[∇Ẑ]."""
    settings: dict[str, Setting] = design._asdict()
    where = f"N = {design.particles}, T = {design.steps}"
    yield f"𝔼[Ẑ] = p(y); {where}", "value", settings
    if method == "pf":
        yield f"𝔼[∇Ẑ] ≠ ∇p(y): the gradient of the plain filter is biased; {where}", "score biased", settings
    else:
        yield f"𝔼[∇Ẑ] = ∇p(y); {where}", "score", settings


#: Of the fits over N: steps, ladder, replicates of each.  PF's limit and DiCE's growth need fewer of them.
_FALLS: Mapping[str, tuple[int, str, int]] = {
    "hmm": (5, "8 16 32 64", 3000),
    "nile": (10, "16 32 64 128", 12_000),
    "lgssm": (5, "16 32 64 128", 40_000),
}
_STAYS = "16 32 64 128 256"
_GROWS = "8 16 32 64"
#: Of the fits over T: particles, ladder, data sets, replicates of each.
_LONGER: Mapping[str, tuple[int, str, int, int]] = {
    "dpf": (128, "10 20 40 80", 32, 16),
    "dpf2": (8, "10 20 40 80", 32, 16),
}


def _of_growth(method: str, scene: str, size: str) -> Iterator[Claim]:
    """What is claimed of how bias and variance change with N and T."""
    if scene in _FALLS and (scene == "hmm" or size == "full"):
        steps, ladder, replicates = _FALLS[scene]
        common: dict[str, Setting] = {"steps": steps, "ladder": ladder}
        if method == "dpf":
            yield (
                f"the bias of ∇ log Ẑ falls like 1/N; N = {_listed(ladder)}, T = {steps}",
                "bias falls",
                {**common, "replicates": replicates},
            )
        if method == "pf":
            yield (
                f"the bias of ∇ log Ẑ stays as N grows; N = {_listed(_STAYS)}, T = 10",
                "bias stays",
                {"steps": 10, "ladder": _STAYS, "replicates": 500, "effect": 0.1},
            )
        if method == "pf-sf":
            yield (
                f"the variance of ∇(D log Ẑ) grows with N; N = {_listed(_GROWS)}, T = 10",
                "variance grows in N",
                {"steps": 10, "ladder": _GROWS, "replicates": 1000},
            )
    if scene == "hmm" and method in _LONGER:
        particles, ladder, sets, replicates = _LONGER[method]
        power = "T²" if method == "dpf" else "T"
        yield (
            f"the variance of ∇ log Ẑ grows like {power}; N = {particles}, T = {_listed(ladder)}",
            "variance like T²" if method == "dpf" else "variance like T",
            {
                "particles": particles,
                "ladder": ladder,
                "sets": sets,
                "replicates": replicates * (1 if size == "quick" else 4),
            },
        )


#: Of the ancestors: the law of the enumeration is that of what the filter draws.
_SCHEMES: Mapping[str, tuple[Scheme, ...]] = {"dpf": SCHEMES, "pf-sf": ("multinomial",)}
_WEIGHTS = (0.5, 0.2, 0.3)


def _of_ancestors(method: str, scene: str) -> Iterator[Claim]:
    """What is claimed of the ancestors that are drawn; once, whatever the model."""
    for scheme in _SCHEMES.get(method, ()) if scene == "hmm" else ():
        yield (
            f"the ancestors of {scheme} resampling have its law, over which exact expectations are; N = 3",
            "ancestors",
            {"scheme": scheme, "replicates": 100_000, "effect": 0.02},
        )


def _listed(ladder: str) -> str:
    return ", ".join(ladder.split())


# -- replicates --


class Sample(NamedTuple):
    """Replicates of a filter.

    Attributes:
        log_ratio: log Ẑ - log L, (*batch).
        of_likelihood: ∇ log (D Ẑ) = ∇ log Ẑ + ∇ log D, (*batch, P).
        of_log: ∇(D log Ẑ), what the surrogate for the score yields, (*batch, P).
        score: s, (P,).
        names: of the P numbers.
    """

    log_ratio: Tensor
    of_likelihood: Tensor
    of_log: Tensor
    score: Tensor
    names: tuple[str, ...]


@lru_cache(maxsize=2)
def _sample(name: str, scene_name: str, particles: int, steps: int, replicates: int, seed: int) -> Sample:
    """Replicates on one series of observations; the claims about value and score share them."""
    scene = scene_of(scene_name)
    y = scene.observations(steps, seed=_DATA)
    exact = exact_derivatives(lambda p: _log_likelihood(scene, y, p), scene.model.defaults(), order=1)
    values, firsts, seconds = _gradients(name, scene, y, particles, (replicates,), seed)
    return Sample(values - exact.value, firsts, seconds, exact.score, exact.names)


def _log_likelihood(scene: Scene, y: Tensor, parameters: Mapping[str, Tensor]) -> Tensor:
    assert scene.log_likelihood is not None
    return scene.log_likelihood(y, parameters)


def _gradients(
    name: str, scene: Scene, y: Tensor, particles: int, shape: tuple[int, ...], seed: int
) -> tuple[Tensor, Tensor, Tensor]:
    """log Ẑ, ∇ log (D Ẑ) and ∇(D log Ẑ) of each replicate, by autograd through the filter."""
    how = filter_of(name, particles)
    generator = torch.Generator().manual_seed(seed)
    own = shape[-1]
    others = math.prod(shape[:-1])
    at_once = _PAIRS // (particles**2 * len(y)) if how.method == "dpf2" else _BATCH // particles
    pieces = []
    for rows in torch.arange(own).split(max(1, at_once // others)):
        batch = (*shape[:-1], len(rows))
        leaves = {
            key: v.expand(*batch, *v.shape).clone().requires_grad_()
            for key, v in scene.model.defaults().items()
        }
        run = how.run(scene.model, y, leaves, generator=generator, batch=batch)
        value = run.log_sum.detach()
        gradient = _by_replicate(run.log_sum, leaves, batch)
        first = second = gradient
        if run.dice is not None:
            of_dice = _by_replicate(run.dice, leaves, batch)
            first, second = gradient + of_dice, gradient + value.unsqueeze(-1) * of_dice
        pieces.append((value, first, second))
    values, firsts, seconds = zip(*pieces, strict=True)
    axis = len(shape) - 1
    return torch.cat(values, axis), torch.cat(firsts, axis), torch.cat(seconds, axis)


def _by_replicate(value: Tensor, leaves: Mapping[str, Tensor], batch: tuple[int, ...]) -> Tensor:
    """The gradient of each replicate in its own leaves, (*batch, P)."""
    found = torch.autograd.grad(value.sum(), list(leaves.values()), retain_graph=True, materialize_grads=True)
    return torch.cat([g.reshape(*batch, -1) for g in found], -1)


# -- tests of means --

#: Of "the mean is the exact one", and of "it is not".
_OUTCOMES: Mapping[bool | None, Outcome] = {True: "agrees", False: "disagrees", None: "undecided"}
_OUTCOMES_OF_BIAS: Mapping[bool | None, Outcome] = {True: "disagrees", False: "agrees", None: "undecided"}


def _of(check: Check) -> tuple[Sample, float]:
    """The replicates of a check, and the effect to be seen."""
    s = cast("Mapping[str, Any]", check.settings)
    sample = _sample(check.filter, check.model, s["particles"], s["steps"], s["replicates"], s["seed"])
    return sample, s["effect"]


def _value(check: Check) -> Finding:
    """The mean of Ẑ/L is 1."""
    sample, effect = _of(check)
    ratio = torch.exp(sample.log_ratio).unsqueeze(1)
    test = test_of_mean(ratio, torch.ones(1, dtype=torch.float64), RATE)
    numbers = {
        "mean of Ẑ/p(y)": tuple(test.mean.tolist()),
        "standard error": tuple(test.standard_error.tolist()),
    }
    return _is(check, test, effect, f"an error of {effect:.0%} of p(y)", ("Ẑ/p(y)",), numbers)


def _controlled(sample: Sample) -> MeanTest:
    """Of (Ẑ/L)(∇ log (D Ẑ) - s), whose mean is that of (∇Ẑ - s Ẑ)/L."""
    values = torch.exp(sample.log_ratio).unsqueeze(-1) * (sample.of_likelihood - sample.score)
    return test_of_mean(values, torch.zeros_like(sample.score), RATE)


def _score_numbers(test: MeanTest, sample: Sample) -> dict[str, tuple[float, ...]]:
    return {
        "mean of ∇Ẑ/p(y)": tuple((sample.score + test.mean).tolist()),
        "standard error": tuple(test.standard_error.tolist()),
        "exact score": tuple(sample.score.tolist()),
    }


def _score(check: Check) -> Finding:
    """The mean of ∇Ẑ/L is the exact score."""
    sample, effect = _of(check)
    test = _controlled(sample)
    columns = tuple(f"∂/∂{name} of Ẑ" for name in sample.names)
    of = f"an error of {effect:.0%} of ‖∇ log p(y)‖"
    size = effect * float(sample.score.norm())
    return _is(check, test, size, of, columns, _score_numbers(test, sample))


def _score_biased(check: Check) -> Finding:
    """The mean of ∇Ẑ/L is not the exact score."""
    sample, effect = _of(check)
    test = _controlled(sample)
    at, worst = test.worst
    size = effect * float(sample.score.norm())
    power = test.power(size)
    outcome = _OUTCOMES_OF_BIAS[test.equal(size, POWER)]
    if math.isnan(worst):
        outcome = "disagrees"
    bias = float(test.mean.norm() / sample.score.norm())
    return Finding(
        check,
        worst,
        test.critical,
        f"a bias: more than z at a false-alarm rate of {RATE:g}, two-sided, {len(sample.names)} components",
        outcome,
        f"∂/∂{sample.names[at]} of Ẑ",
        f"{test.replicates:,} replicates; bias {bias:.1%} of ‖∇ log p(y)‖; "
        f"power {_share(power)} against {effect:.0%} of it",
        _score_numbers(test, sample),
        tuple(sample.names),
    )


def _is(
    check: Check,
    test: MeanTest,
    effect: float,
    against: str,
    columns: tuple[str, ...],
    numbers: Mapping[str, tuple[float, ...]],
) -> Finding:
    """A finding on a mean that is claimed to be the exact one."""
    at, worst = test.worst
    note = f"{test.replicates:,} replicates; power {_share(test.power(effect))} against {against}"
    outcome = _OUTCOMES[test.equal(effect, POWER)]
    if outcome == "undecided" and test.distortion > 0.5:
        note += f"; their skewness, {test.skewness:.1f}, asks for |z| up to {test.widened:.1f}"
    return Finding(
        check,
        worst,
        test.critical,
        f"z at a false-alarm rate of {RATE:g}, two-sided, components: {len(test.z)}",
        outcome,
        columns[at],
        note,
        numbers,
        tuple(name.removeprefix("∂/∂").removesuffix(" of Ẑ") for name in columns),
    )


def _share(power: float) -> str:
    return "> 99.9 %" if power > 0.999 else f"{100 * power:.1f} %"


def _ancestors(check: Check) -> Finding:
    """The frequency of each tuple of ancestors is its probability, whichever way many or few are drawn."""
    s = cast("Mapping[str, Any]", check.settings)
    n = len(_WEIGHTS)
    tuples = torch.tensor(list(itertools.product(range(n), repeat=n)))
    weights = torch.tensor([_WEIGHTS], dtype=torch.float64)
    law = ancestor_law(s["scheme"])(weights, tuples)[0]
    generator = torch.Generator().manual_seed(s["seed"])
    half = s["replicates"] // 2
    drawn = [
        resample(torch.log(weights).expand(rows, n), s["scheme"], generator)
        for rows in [half, *[len(r) for r in torch.arange(s["replicates"] - half).split(500)]]
    ]
    found = (torch.cat(drawn).unsqueeze(1) == tuples).all(-1).to(torch.float64)
    test = test_of_mean(found, law, RATE)
    columns = tuple("".join(str(a + 1) for a in row) for row in tuples.tolist())
    numbers = {"frequency": tuple(test.mean.tolist()), "probability": tuple(law.tolist())}
    return _is(check, test, s["effect"], f"an error of {s['effect']:g} of a probability", columns, numbers)


# -- fits over N --


class Ladder(NamedTuple):
    """Replicates of ∇(D log Ẑ) at each N of a ladder.

    Attributes:
        sizes: N, (rungs,).
        bias: mean less exact score, (rungs, P).
        standard_error: of the bias, (rungs, P).
        variance: the trace of the covariance, (rungs,).
        log_error: standard error of its logarithm, (rungs,).
        score: s, (P,).
        names: of the P numbers.
    """

    sizes: Tensor
    bias: Tensor
    standard_error: Tensor
    variance: Tensor
    log_error: Tensor
    score: Tensor
    names: tuple[str, ...]

    def columns(self) -> tuple[str, ...]:
        """N=8, …."""
        return tuple(f"N={int(n)}" for n in self.sizes)


def _ladder(check: Check) -> Ladder:
    s = cast("Mapping[str, Any]", check.settings)
    sizes = [int(n) for n in s["ladder"].split()]
    rows = []
    for k, n in enumerate(sizes):
        sample = _sample(check.filter, check.model, n, s["steps"], s["replicates"], s["seed"] + 7919 * k)
        g = sample.of_log
        root = math.sqrt(len(g))
        distance = ((g - g.mean(0)) ** 2).sum(-1)
        variance = distance.mean()
        rows.append((g.mean(0) - sample.score, g.std(0) / root, variance, distance.std() / root / variance))
    bias, error, variances, log_errors = (torch.stack(column) for column in zip(*rows, strict=True))
    n_of = torch.tensor(sizes, dtype=torch.float64)
    return Ladder(n_of, bias, error, variances, log_errors, sample.score, sample.names)


def _exponent(sizes: Tensor, log_values: Tensor, log_errors: Tensor) -> tuple[float, float]:
    """The slope of logarithms against log sizes, and its standard error."""
    terms = torch.stack([torch.ones_like(sizes), torch.log(sizes)], 1)
    fit = fitted(terms, log_values, log_errors)
    return float(fit.coefficients[1]), float(fit.standard_errors[1])


def _bias_falls(check: Check) -> Finding:
    """|bias| ∝ N^p with p nearer to -1 than to -1/2 or -3/2."""
    ladder = _ladder(check)
    direction = ladder.bias[0] / ladder.bias[0].norm()
    along = ladder.bias @ direction
    error = ((ladder.standard_error * direction) ** 2).sum(1).sqrt()
    if not bool(torch.isfinite(along).all()):
        exponent = spread = math.nan
    else:
        exponent, spread = _exponent(ladder.sizes, torch.log(along.abs()), error / along.abs())
    critical = critical_value(RATE, 5000)
    deviation, tolerance = abs(exponent + 1), 0.5 - critical * spread
    z = along / error
    outcome: Outcome = "undecided"
    if not math.isfinite(exponent) or deviation > 0.5 + critical * spread:
        outcome = "disagrees"
    elif bool((z < -critical).any()):
        outcome = "disagrees"  # a bias that changes its sign
    elif deviation <= tolerance and bool((z > 3).all()):
        outcome = "agrees"
    return Finding(
        check,
        deviation,
        tolerance,
        f"an exponent above -3/2 and below -1/2, each at a false-alarm rate of {RATE / 2:g}",
        outcome,
        f"the exponent of N, {exponent:.2f} ± {spread:.2f}",
        f"{check.settings['replicates']:,} replicates of each N; along the bias at the least N",
        {"bias of the score": tuple(along.tolist()), "standard error": tuple(error.tolist())},
        ladder.columns(),
    )


def _bias_stays(check: Check) -> Finding:
    """bias = b₀ + b₁/N + b₂/N² with b₀ ≠ 0."""
    ladder = _ladder(check)
    effect = cast(float, check.settings["effect"])
    terms = torch.stack([ladder.sizes**-k for k in range(3)], 1)
    limits, errors = [], []
    for bias, error in zip(ladder.bias.T, ladder.standard_error.T, strict=True):
        fit = fitted(terms, bias, error) if bool((error > 0).all()) else None
        limits.append(0.0 if fit is None else float(fit.coefficients[0]))
        errors.append(math.inf if fit is None else float(fit.standard_errors[0]))
    z = [abs(limit) / error for limit, error in zip(limits, errors, strict=True)]
    critical = critical_value(RATE / len(z), 5000)
    at = max(range(len(z)), key=lambda k: math.inf if math.isnan(z[k]) else z[k])
    size = float(ladder.score.norm())
    finite = [e for e in errors if math.isfinite(e)]
    power = min((power_of(effect * size / e, critical) for e in finite), default=0.0)
    outcome: Outcome = "disagrees" if power >= POWER else "undecided"
    if z[at] > critical:
        outcome = "agrees"
    along = ladder.bias.norm(dim=1)
    return Finding(
        check,
        z[at],
        critical,
        f"a limit: more than z at a false-alarm rate of {RATE:g}, components: {len(z)}",
        outcome,
        f"the limit of the bias of ∂/∂{ladder.names[at]} log Ẑ",
        f"{check.settings['replicates']:,} replicates of each N; fit of b₀ + b₁/N + b₂/N²; ‖b₀‖ is "
        f"{math.hypot(*limits) / size:.1%} of ‖∇ log p(y)‖; power {_share(power)} against {effect:.0%} of it",
        {
            "norm of the bias of the score": tuple(along.tolist()),
            "standard error": tuple(ladder.standard_error.norm(dim=1).tolist()),
        },
        ladder.columns(),
    )


def _variance_grows(check: Check) -> Finding:
    """The variance grows with N."""
    ladder = _ladder(check)
    exponent, spread = _exponent(ladder.sizes, torch.log(ladder.variance), ladder.log_error)
    critical = critical_value(RATE, 5000)
    least = critical * spread
    outcome: Outcome = "undecided"
    if not math.isfinite(exponent) or exponent < -least:
        outcome = "disagrees"
    elif exponent > least:
        outcome = "agrees"
    elif power_of(0.5 / spread, critical) >= POWER:
        outcome = "disagrees"
    return Finding(
        check,
        exponent,
        least,
        f"growth: an exponent of more than z at a false-alarm rate of {RATE:g}",
        outcome,
        f"the exponent of N, {exponent:.2f} ± {spread:.2f}",
        f"{check.settings['replicates']:,} replicates of each N",
        {
            "variance of the score": tuple(ladder.variance.tolist()),
            "standard error": tuple((ladder.variance * ladder.log_error).tolist()),
        },
        ladder.columns(),
    )


# -- fits over T --


@lru_cache(maxsize=1)
def _variances(
    name: str, scene_name: str, particles: int, ladder: str, sets: int, replicates: int, seed: int
) -> Tensor:
    """The trace of the covariance of ∇ log Ẑ given the data, (lengths, sets)."""
    lengths = [int(t) for t in ladder.split()]
    scene = scene_of(scene_name)
    if scene.data is not None:
        raise EvaluationError(f"{scene.name} has but one series of data", instead="a model to draw from")
    series = [scene.observations(max(lengths), seed=_DATA + 1 + k) for k in range(sets)]
    y = torch.stack(series, 1).unsqueeze(2)  # (T, sets, 1, *observed)
    rows = []
    for k, t in enumerate(lengths):
        _, _, g = _gradients(name, scene, y[:t], particles, (sets, replicates), seed + 7919 * k)
        rows.append(g.var(1).sum(-1))
    return torch.stack(rows)


def _variance_in_steps(check: Check, quadratic: bool) -> Finding:
    """The mean over data sets of the exponent of T is nearer to 2 than to 1, or the reverse."""
    s = cast("Mapping[str, Any]", check.settings)
    variances = _variances(
        check.filter, check.model, s["particles"], s["ladder"], s["sets"], s["replicates"], s["seed"]
    )
    lengths = [int(t) for t in s["ladder"].split()]
    log_t = torch.log(torch.tensor(lengths, dtype=torch.float64))
    log_t = log_t - log_t.mean()
    slopes = (log_t.unsqueeze(1) * torch.log(variances)).sum(0) / (log_t**2).sum()
    test = test_of_mean(slopes.unsqueeze(1), torch.tensor([1.5], dtype=torch.float64), 2 * RATE)
    z = float(test.z) if quadratic else -float(test.z)
    outcome: Outcome = "undecided"
    if math.isnan(z) or z < -test.critical:
        outcome = "disagrees"
    elif z > test.critical:
        outcome = "agrees"
    exponent, spread = float(test.mean), float(test.standard_error)
    side = "above" if quadratic else "below"
    sets = test.replicates
    return Finding(
        check,
        z,
        test.critical,
        f"an exponent {side} 3/2: more than t at a false-alarm rate of {RATE:g}, {sets - 1} degrees of "
        "freedom",
        outcome,
        f"the exponent of T, {exponent:.2f} ± {spread:.2f}",
        f"{sets} data sets with {check.settings['replicates']} replicates each",
        {"variance of the score": tuple(variances.mean(1).tolist())},
        tuple(f"T={t}" for t in lengths),
    )


def _variance_quadratic(check: Check) -> Finding:
    return _variance_in_steps(check, quadratic=True)


def _variance_linear(check: Check) -> Finding:
    return _variance_in_steps(check, quadratic=False)


RUNNERS: Mapping[str, Callable[[Check], Finding]] = {
    "value": _value,
    "score": _score,
    "score biased": _score_biased,
    "bias falls": _bias_falls,
    "bias stays": _bias_stays,
    "variance grows in N": _variance_grows,
    "variance like T²": _variance_quadratic,
    "variance like T": _variance_linear,
    "ancestors": _ancestors,
}
