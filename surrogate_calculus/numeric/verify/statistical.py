"""The statistical checks: against a known likelihood and score, by tests with a stated rate and power.

With L = p(y[1:T]), s = ∇ log L and a filter's Ẑ (times D, of value 1, with DiCE on the ancestors):

* 𝔼[Ẑ] = L is tested by Ẑ/L, whose mean is 1.
* 𝔼[∇Ẑ] = ∇L is tested by (Ẑ/L)(∇ log Ẑ - s), whose mean is 0: it is ∇Ẑ/L with s Ẑ/L, of known mean s, as
  its control variate, and a hundred times less variable where Ẑ is.
* That the ancestors have the law of their scheme, over which exact expectations are taken, by frequencies.
* How bias and variance of ∇ log Ẑ change with N and T: see :mod:`~.growth`.

Sizes are those at which the tests are decisive; a test that lacks the power to see what is asked is
undecided.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, cast

import torch

from ..exact.enumeration import ancestor_law
from ..filters.resampling import SCHEMES, Scheme, resample
from ..means import MeanTest, test_of_mean
from .finding import Check, Finding, Outcome, Setting, Size, check_sizes
from .growth import FITS, Claim, claims_of_growth
from .inference import POWER, RATE, share
from .programs import PROGRAMS, filter_of
from .samples import Sample, sample_of
from .scenes import Scene, scene_of

__all__ = ["RUNNERS", "found_of_value", "plan"]

#: N T of what a caller may ask for; more replicates of that would take too long.
_MOST = 2_000


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
    ("pf-sf", "hmm"): Design(8, 10, 50_000),
}


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
    filter_of(filter, 1)  # refuses what is no filter
    check_sizes(particles, steps, seed, size)
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
        *claims_of_growth(method, scene, size),
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
    if scene.parametric_start:
        return None  # exact checks tell what a stopped initial law needs
    # Without such a law a filter that corrects for it is the one that does not.
    return None if settings.get("correct_initial", True) else str(settings.get("method", "dpf"))


def _of_means(method: str, design: Design) -> Iterator[Claim]:
    """What is claimed of 𝔼[Ẑ] and 𝔼[∇Ẑ]."""
    settings: dict[str, Setting] = design._asdict()
    where = f"N = {design.particles}, T = {design.steps}"
    yield f"𝔼[Ẑ] = p(y); {where}", "value", settings
    if method == "pf":
        yield f"𝔼[∇Ẑ] ≠ ∇p(y): the gradient of the plain filter is biased; {where}", "score biased", settings
    else:
        yield f"𝔼[∇Ẑ] = ∇p(y); {where}", "score", settings


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


# -- tests of means --

#: Of "the mean is the exact one", and of "it is not".
_OUTCOMES: Mapping[bool | None, Outcome] = {True: "agrees", False: "disagrees", None: "undecided"}
_OUTCOMES_OF_BIAS: Mapping[bool | None, Outcome] = {True: "disagrees", False: "agrees", None: "undecided"}


def _of(check: Check) -> tuple[Sample, float]:
    """The replicates of a check, and the effect to be seen."""
    s = cast("Mapping[str, Any]", check.settings)
    sample = sample_of(check.filter, check.model, s["particles"], s["steps"], s["replicates"], s["seed"])
    return sample, s["effect"]


def _value(check: Check) -> Finding:
    """The mean of Ẑ/L is 1."""
    sample, effect = _of(check)
    return found_of_value(check, sample.log_ratio, effect)


def found_of_value(check: Check, log_ratio: torch.Tensor, effect: float) -> Finding:
    """What is found of the claim that the mean of Ẑ/L is 1.

    Args:
        check: the claim.
        log_ratio: log Ẑ - log L of replicates, (replicates,).
        effect: what must be seen, as a share of L.
    """
    ratio = torch.exp(log_ratio).unsqueeze(1)
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
        f"power {share(power)} against {effect:.0%} of it",
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
    note = f"{test.replicates:,} replicates; power {share(test.power(effect))} against {against}"
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


#: Who checks a claim, by name.
RUNNERS: Mapping[str, Callable[[Check], Finding]] = {
    "value": _value,
    "score": _score,
    "score biased": _score_biased,
    "ancestors": _ancestors,
    **FITS,
}
