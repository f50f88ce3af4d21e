"""How the bias of ∇ log Ẑ and its variance change with N and with T: claims, and fits that decide them.

* That the bias falls like 1/N, or stays, is seen on a ladder of N; so is that PF+DiCE's variance grows.
* At a fixed N and long T the variance of DPF's score is that of a few lineages, and linear: it is quadratic
  where T is beyond the mixing time and below N, and there it is measured (Poyiadjis, Doucet & Singh 2011, §3,
  on both regimes).

An exponent is claimed by the nearest half: "like T²" is "significantly above 3/2".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, cast

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..means import critical_value, power_of, test_of_mean
from .finding import Check, Finding, Outcome, Setting
from .inference import POWER, RATE, fitted, share
from .samples import DATA, gradients, sample_of
from .scenes import scene_of

__all__ = ["FITS", "Claim", "claims_of_growth"]

#: What is claimed, the name of who checks it, and the settings.
Claim = tuple[str, str, dict[str, Setting]]

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


def claims_of_growth(method: str, scene: str, size: str) -> Iterator[Claim]:
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


def _listed(ladder: str) -> str:
    return ", ".join(ladder.split())


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
        sample = sample_of(check.filter, check.model, n, s["steps"], s["replicates"], s["seed"] + 7919 * k)
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
    exponent, spread = _exponent(ladder.sizes, torch.log(along.abs()), error / along.abs())
    critical = critical_value(RATE, math.inf)
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
        fit = None if bool((error == 0).any()) else fitted(terms, bias, error)  # none to constants
        limits.append(0.0 if fit is None else float(fit.coefficients[0]))
        errors.append(math.inf if fit is None else float(fit.standard_errors[0]))
    z = [abs(limit) / error for limit, error in zip(limits, errors, strict=True)]
    critical = critical_value(RATE / len(z), math.inf)
    at = max(range(len(z)), key=lambda k: math.inf if math.isnan(z[k]) else z[k])
    size = float(ladder.score.norm())
    finite = [e for e in errors if math.isfinite(e)]
    power = min((power_of(effect * size / e, critical) for e in finite), default=0.0)
    outcome: Outcome = "disagrees" if power >= POWER else "undecided"
    if z[at] > critical:
        outcome = "agrees"
    elif math.isnan(z[at]):
        outcome = "disagrees"
    along = ladder.bias.norm(dim=1)
    return Finding(
        check,
        z[at],
        critical,
        f"a limit: more than z at a false-alarm rate of {RATE:g}, components: {len(z)}",
        outcome,
        f"the limit of the bias of ∂/∂{ladder.names[at]} log Ẑ",
        f"{check.settings['replicates']:,} replicates of each N; fit of b₀ + b₁/N + b₂/N²; ‖b₀‖ is "
        f"{math.hypot(*limits) / size:.1%} of ‖∇ log p(y)‖; power {share(power)} against {effect:.0%} of it",
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
    critical = critical_value(RATE, math.inf)
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
    series = [scene.observations(max(lengths), seed=DATA + 1 + k) for k in range(sets)]
    y = torch.stack(series, 1).unsqueeze(2)  # (T, sets, 1, *observed)
    rows = []
    for k, t in enumerate(lengths):
        _, _, g = gradients(name, scene, y[:t], particles, (sets, replicates), seed + 7919 * k)
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


#: Who checks a claim, by name.
FITS: Mapping[str, Callable[[Check], Finding]] = {
    "bias falls": _bias_falls,
    "bias stays": _bias_stays,
    "variance grows in N": _variance_grows,
    "variance like T²": _variance_quadratic,
    "variance like T": _variance_linear,
}
