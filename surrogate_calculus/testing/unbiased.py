"""``assert_unbiased``: the mean of a loss's derivatives is the derivative of what it estimates."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..errors import EvaluationError, SurrogateError
from .arguments import fraction, orders_of, seed_of, whole_number
from .reports import Agreement, BiasFound, rows

if TYPE_CHECKING:
    import torch

    from ..numeric.losses.expectation import Deviation, Parameters, Target
    from ..numeric.losses.laws import FiniteLaw, SampledLaw
    from ..numeric.losses.statistics import Design, Sampled

__all__ = ["assert_unbiased"]

#: Laws with more outcomes are not shown outcome by outcome.
_SHOWN = 8


def assert_unbiased(
    surrogate_fn: Callable[[Any, Any], torch.Tensor],
    target_fn: Callable[[Any], torch.Tensor] | Mapping[int, Any],
    *,
    law: FiniteLaw | SampledLaw | tuple[Any, Any] | Callable[[Any, int, Any], Any],
    at: Any,
    orders: Sequence[int] = (1, 2),
    dtype: torch.dtype | None = None,
    tolerance: float | None = None,
    nearby: int = 2,
    samples: int = 256,
    replicates: int | None = None,
    effect: float | Mapping[int, float] = 0.1,
    false_alarm: float = 1e-4,
    power: float = 0.9,
    seed: int = 0,
) -> Agreement:
    """Assert 𝔼[∂ᵏ surrogate(x, θ)] = ∂ᵏ target(θ), x being drawn from the law at θ.

    The law is that of the program: it draws, and is not differentiated, so that what a derivative of it
    would bring must come from the surrogate.

    A *finite* law is enumerated: the surrogate is called with one outcome at a time, the mean is a sum, and
    the tolerance is 1e-10 (1.2e-4 in float32) of the sum of magnitudes.  ``law.repeated(n)`` is the law of
    n independent draws, for a loss of a group.

    A *sampler*, a function of (θ, n, generator), is drawn from: the surrogate is called with a batch of
    samples, and returns a loss for each, or one for the batch.  The means of independent replicates are
    compared by Student's t.  A loss that is right fails with probability ``false_alarm``; a deviation of size
    ``effect`` is missed with probability 1 - ``power`` at most, or the test says that it cannot tell.

    Args:
        surrogate_fn: of a sample and θ; what it returns is differentiated by autograd.
        target_fn: of θ, exact and differentiable; or its derivatives themselves, by order.
        law: a finite law, a pair of a support and its probabilities (a function of θ), or a sampler.
        at: θ: a number, a tensor of any shape, or a mapping from names to such, which the functions are then
            given; a list is several points.
        orders: of the derivatives; 0 is the value.
        dtype: of numbers in ``at``, torch.float64.
        tolerance: for a finite law, the largest difference that agrees, as a multiple of the magnitudes.
        nearby: for a finite law and a target that is a function, how many further values of θ are looked at
            around each point.
        samples: in each replicate.
        replicates: how many; None for as many as the power needs, by a pilot run.
        effect: the smallest deviation that must be seen: a fraction of the largest component of the
            target of each order, or absolute numbers by order.
        false_alarm: the probability of an unfounded failure, all components and points together.
        power: the least probability with which an effect is seen.
        seed: of samples, and of values nearby.

    Returns:
        What was compared, and how close it was.

    Raises:
        BiasFound: a mean differs; its text shows both values, the smallest input found that shows it,
            and, where one fits, what the mean is instead.
        EvaluationError: bad input; a law whose probabilities are none; a loss that is random, raises, or
            returns what is no loss; or a test that cannot tell.
    """
    __tracebackhide__ = True
    from ..numeric.losses.comparison import default_tolerance
    from ..numeric.losses.expectation import Target, parameters_of
    from ..numeric.losses.laws import FiniteLaw, law_of
    from ..numeric.losses.statistics import Design
    from ..numeric.losses.values import working_dtype

    try:
        orders = orders_of(orders)
        law = law_of(law)
        dtype = working_dtype(dtype)
        given = list(at) if isinstance(at, (list, tuple)) else [at]
        if not given:
            raise EvaluationError("no point is given", instead="at=0.3, or at=torch.tensor([0.3, -1.0])")
        points = [parameters_of(point, dtype) for point in given]
        target = Target(target_fn)
        if not target.is_function and len(points) > 1:
            raise EvaluationError(
                "derivatives are stated for one value of θ, and there are several", instead="a function of θ"
            )
        allowed = default_tolerance(dtype) if tolerance is None else fraction(tolerance, "tolerance", "1e-8")
        nearby, seed = whole_number(nearby, "nearby", 0), seed_of(seed)
        if isinstance(law, FiniteLaw):
            return _exact(surrogate_fn, target, law, points, orders, allowed, nearby, seed)
        design = Design(
            whole_number(samples, "samples", 1),
            None if replicates is None else whole_number(replicates, "replicates", 20),
            _effect(effect),
            fraction(false_alarm, "false_alarm", "1e-4") / len(points),
            fraction(power, "power", "0.9"),
            seed,
        )
        return _statistical(surrogate_fn, target, law, points, orders, design)
    except SurrogateError as error:
        # The message says it all; where a function raised, its own traceback is the cause.
        raise error.with_traceback(None) from error.__cause__


def _effect(effect: Any) -> float | dict[int, float]:
    numbers = list(effect.values()) if isinstance(effect, Mapping) else [effect]
    for number in numbers:
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 < number < math.inf:
            raise EvaluationError(
                f"an effect is a positive number, not {number!r:.40}",
                instead="effect=0.1, a tenth of the target; or effect={1: 0.05, 2: 0.2}, absolute",
            )
    return dict(effect) if isinstance(effect, Mapping) else float(effect)


def _exact(
    loss: Callable[[Any, Any], torch.Tensor],
    target: Target,
    law: FiniteLaw,
    points: Sequence[Parameters],
    orders: tuple[int, ...],
    tolerance: float,
    nearby: int,
    seed: int,
) -> Agreement:
    """By enumeration."""
    __tracebackhide__ = True
    from ..numeric.losses.expectation import differs_when_repeated, exact_means

    for point in points:
        law.weights(point.fixed(), point.dtype)
    law.see_determinism(points[0].fixed(), points[0].dtype)
    target.see_determinism(points[0], orders)
    if differs_when_repeated(loss, law.outcomes()[0], points[0], max(orders)):
        raise _not_the_same()
    rng = random.Random(seed)
    all_points = list(points)
    if target.is_function:
        all_points += [_around(law, p, rng) for p in points for _ in range(nearby)]
    worst = 0.0
    failing: list[tuple[Deviation, Parameters]] = []
    for point in all_points:
        for deviation in exact_means(loss, law, target, point, orders, tolerance):
            worst = max(worst, deviation.relative)
            if not deviation.agrees:
                failing.append((deviation, point))
    if not failing:
        basis = "of 𝔼|∂ᵏ surrogate|, by enumeration"
        return Agreement(orders, len(all_points), worst, tolerance, basis, {})
    deviation, point = min(failing, key=lambda pair: (pair[0].order, -pair[0].relative))
    order = deviation.order
    alive = _alive(law, point)
    for simple in point.simpler() if target.is_function else ():
        try:
            if _alive(law, simple) != alive:  # no smaller case, but another one
                continue
            found = exact_means(loss, law, target, simple, [order], tolerance)
        except EvaluationError:
            continue
        clear = [d for d in found if d.relative > max(tolerance, 1e-3 * min(1.0, deviation.relative))]
        if clear:
            deviation, point = max(clear, key=lambda d: d.relative), simple
            break
    agreeing = [k for k in orders if all(d.order != k for d, _ in failing)]
    raise _bias(
        deviation,
        point,
        [
            ("law", f"finite, {len(law.support)} outcomes"),
            ("tolerance", f"{deviation.allowed:.2g} = {tolerance:.2g} · 𝔼|∂ᵏ surrogate|"),
            ("it seems that", _guess(loss, target, law, point, order, deviation, tolerance)),
            ("agrees", ", ".join(f"order {k}" for k in agreeing)),
            ("outcomes", _outcomes(loss, law, point, deviation)),
        ],
    )


def _alive(law: FiniteLaw, point: Parameters) -> int:
    """How many outcomes have a positive probability."""
    return int((law.weights(point.fixed(), point.dtype) > 0).sum())


def _around(law: FiniteLaw, point: Parameters, rng: random.Random) -> Parameters:
    """Another value of θ at which the law is one."""
    __tracebackhide__ = True
    for radius in (0.1, 0.03, 0.01, 1e-3, 1e-4):
        moved = point.moved(rng, radius)
        try:
            law.weights(moved.fixed(), moved.dtype)
        except EvaluationError:
            continue
        return moved
    raise EvaluationError(
        f"the law has probabilities at {point}, and nowhere nearby, where it is looked at too",
        instead="probabilities that add up to 1 for every θ: softmax(θ, -1), say; or nearby=0",
    )


def _guess(
    loss: Callable[[Any, Any], torch.Tensor],
    target: Target,
    law: FiniteLaw,
    point: Parameters,
    order: int,
    deviation: Deviation,
    tolerance: float,
) -> str:
    """What the mean is instead, where it is something that has a name."""
    from ..numeric.losses.expectation import exact_means, with_score_terms

    guesses = []
    found = exact_means(loss, law, target, point, [order], tolerance)
    if all(abs(d.found) <= tolerance * d.scale * 100 for d in found) and order:
        guesses.append(f"the mean of the derivative of order {order} is 0")
    elif order:
        # A group of n samples with its own mean as baseline gives (n - 1)/n of the gradient.
        ratios = {Fraction(d.found / d.expected).limit_denominator(64) for d in found if d.expected}
        ratio = ratios.pop() if len(ratios) == 1 else Fraction(0)
        if ratio and all(
            abs(d.found - float(ratio) * d.expected) <= tolerance * d.scale * 100 for d in found
        ):
            guesses.append(f"the mean is {ratio} times the target's derivative")
    try:
        whole = with_score_terms(loss, law, point, order) if order else None
    except EvaluationError:
        whole = None
    if whole is not None and all(
        abs(float(whole[d.place]) - d.expected) <= tolerance * d.scale * 100 for d in found
    ):
        guesses.append(
            "differentiating the law as well gives the target: the score-function terms (∇ log p of the "
            "sample) are missing"
        )
    return "; ".join(guesses)


def _outcomes(
    loss: Callable[[Any, Any], torch.Tensor], law: FiniteLaw, point: Parameters, deviation: Deviation
) -> str:
    """Probability and derivative of every outcome, where they are few."""
    from ..numeric.losses.expectation import derivative_at

    outcomes = law.outcomes()
    if len(outcomes) > _SHOWN:
        return ""
    shown = []
    for outcome, weight in zip(outcomes, law.weights(point.fixed(), point.dtype).tolist(), strict=True):
        if weight:
            value = float(derivative_at(loss, outcome, point, deviation.order)[deviation.place])
            shown.append(f"{weight:.4g} · {value:.6g}")
    return "the mean is " + " + ".join(shown)


def _statistical(
    loss: Callable[[Any, Any], torch.Tensor],
    target: Target,
    law: SampledLaw,
    points: Sequence[Parameters],
    orders: tuple[int, ...],
    design: Design,
) -> Agreement:
    """By samples."""
    __tracebackhide__ = True
    from ..numeric.losses.expectation import differs_when_repeated
    from ..numeric.losses.statistics import check_batch, first_batch, sampled_means

    check_batch(loss, law, points[0], design)
    target.see_determinism(points[0], orders)
    if differs_when_repeated(loss, first_batch(law, points[0], design), points[0], max(orders)):
        raise _not_the_same()
    results: list[Sampled] = []
    for point in points:
        found = sampled_means(loss, law, target, point, orders, design)
        failing = [d for d in found.deviations if not d.agrees]
        if failing:
            deviation = min(failing, key=lambda d: (d.order, -d.relative))
            agreeing = [k for k in orders if all(d.order != k for d in failing)]
            raise _bias(
                deviation,
                point,
                [
                    (
                        "law",
                        f"sampled: {found.replicates} replicates of {design.samples}, seed {design.seed}",
                    ),
                    ("standard error", f"{deviation.scale:.3g}, the difference is {deviation.relative:.1f}"),
                    (
                        "tolerance",
                        f"{found.critical:.2f} standard errors, false-alarm rate {design.false_alarm:g} "
                        "for all components",
                    ),
                    ("agrees", ", ".join(f"order {k}" for k in agreeing)),
                ],
            )
        results.append(found)
    return Agreement(
        orders,
        len(points),
        max(d.relative for r in results for d in r.deviations),
        max(r.critical for r in results),
        f"standard errors, false-alarm rate {design.false_alarm * len(points):g}",
        {},
        sum(r.replicates for r in results),
        min(r.power for r in results),
    )


def _not_the_same() -> EvaluationError:
    return EvaluationError(
        "the surrogate is not the same when it is run again with the same sample",
        instead="a surrogate that draws nothing itself; its noise is part of the sample x",
    )


def _bias(deviation: Deviation, point: Parameters, lines: Sequence[tuple[str, str]]) -> BiasFound:
    text = rows(
        f"the mean of the surrogate's derivative is not the target's at order {deviation.order}: "
        f"{deviation.component}",
        [
            ("smallest input", str(point)),
            ("of the target", f"{deviation.expected:.12g}"),
            ("in the mean", f"{deviation.found:.12g}"),
            ("difference", f"{deviation.found - deviation.expected:.6g}"),
            *lines,
        ],
    )
    return BiasFound(
        text,
        order=deviation.order,
        quantity=deviation.component,
        expected=deviation.expected,
        found=deviation.found,
        tolerance=deviation.allowed,
        inputs=point.shown(),
    )
