"""The mean of a loss's derivatives over samples, tested against a target with stated power.

Replicates are independent batches; the mean over them is compared by Student's t, at a false-alarm rate that
is divided among all components, and in spite of the replicates' skewness (:mod:`~..means`).  A test that
would miss an effect of the stated size too often says that it cannot tell, instead of passing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..means import distortion_of, power_of, test_of_mean
from .derivatives import derivatives
from .expectation import Deviation, Parameters, Target, called, components, handed
from .laws import SampledLaw
from .program import LossError

__all__ = ["Design", "Sampled", "check_batch", "first_batch", "sampled_means"]

#: Replicates that variances are guessed from, the fewest of a test, and the most that are chosen.
_PILOT, _FEWEST, _MOST = 50, 100, 20_000
#: The variance and the skewness of the pilot are guesses: they are taken for so much larger.
_MARGIN = 1.3


@dataclass(frozen=True)
class Design:
    """How a statistical test is made.

    Attributes:
        samples: in each replicate.
        replicates: how many; None for as many as the power needs.
        effect: the smallest deviation that must be seen: a fraction of the largest component of the target of
            each order, or absolute numbers by order.
        false_alarm: the probability that any component of an unbiased loss is said to differ.
        power: the probability with which an effect is seen, at least.
        seed: of the samples.
    """

    samples: int = 256
    replicates: int | None = None
    effect: float | Mapping[int, float] = 0.1
    false_alarm: float = 1e-4
    power: float = 0.9
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Sampled:
    """What a statistical test found.

    Attributes:
        deviations: for each component; ``scale`` is the standard error.
        replicates: how many were run.
        power: the least over all components.
        critical: how many standard errors are allowed.
    """

    deviations: list[Deviation]
    replicates: int
    power: float
    critical: float


def sampled_means(
    loss: Callable[[Any, Any], Tensor],
    law: SampledLaw,
    target: Target,
    at: Parameters,
    orders: Sequence[int],
    design: Design,
) -> Sampled:
    """Every component of the mean of ∂ᵏ loss(samples, θ) against that of the target.

    Args:
        loss: of a batch of samples and θ: a number for each sample, or one for the batch.
        law: what samples are drawn from.
        target: what is estimated.
        at: θ.
        orders: of the derivatives.
        design: see :class:`Design`.

    Raises:
        EvaluationError: the loss, the law or the target has no value; the test lacks the power that is asked
            for, and would tell nothing.
    """
    wanted = target.orders(at, orders)
    parts = components(at.names, orders)
    aims = torch.tensor([float(wanted[order][place]) for order, place, _ in parts], dtype=torch.float64)
    effects = _effects(wanted, parts, design)
    _see_that_seeds_decide(law, at)
    replicates = design.replicates
    if replicates is None:
        replicates = _enough(loss, law, at, parts, effects, design)
    generator = _generator(at, 2 * design.seed)
    drawn = _replicates(loss, law, at, parts, replicates, design.samples, generator)
    test = test_of_mean(drawn, aims, design.false_alarm)
    # Beyond what skewness can be allowed for, only what is far off is off.
    critical = test.widened if test.reliable else 2 * test.widened
    # A component that does not vary is compared to rounding.
    rounding = 1e-10 * torch.maximum(drawn.abs().mean(0), aims.abs())
    allowed = critical * test.standard_error + rounding
    deviations = [
        Deviation(order, name, place, float(aim), float(m), float(a), float(e))
        for (order, place, name), aim, m, a, e in zip(
            parts, aims, test.mean, allowed, test.standard_error, strict=True
        )
    ]
    power = _least_power(effects, test.standard_error, critical)
    if all(d.agrees for d in deviations) and not (test.reliable and power >= design.power):
        needed = _needed(effects, test.standard_error * math.sqrt(replicates), test.skewness, design)
        raise _cannot_tell(replicates, power, needed, design, None if test.reliable else test.skewness)
    return Sampled(deviations, replicates, power, critical)


def first_batch(law: SampledLaw, at: Parameters, design: Design) -> Any:
    """Samples of one replicate."""
    return law.draw(at.fixed(), design.samples, _generator(at, 2 * design.seed))


def check_batch(loss: Callable[[Any, Any], Tensor], law: SampledLaw, at: Parameters, design: Design) -> None:
    """See that the loss takes a batch.

    Raises:
        LossError: it raises, or returns what is no loss of a batch.
    """
    batch_mean(called(loss, "the loss", first_batch(law, at, design), at.fixed()), design.samples)


def _effects(wanted: Mapping[int, Tensor], parts: Sequence[Any], design: Design) -> Tensor:
    by_order: dict[int, float] = {}
    for order, tensor in wanted.items():
        if isinstance(design.effect, Mapping):
            if order not in design.effect:
                raise EvaluationError(
                    f"no effect is stated for order {order}", instead=f"effect={{{order}: 0.05, …}}"
                )
            found = design.effect[order]
        else:
            found = design.effect * float(tensor.abs().max())
            if not found:
                raise EvaluationError(
                    f"the target's derivative of order {order} is 0, and no effect is a fraction of that",
                    instead=f"effect={{{order}: 0.05, …}}, the deviations that must be seen",
                )
        by_order[order] = float(found)
    return torch.tensor([by_order[order] for order, _, _ in parts], dtype=torch.float64)


def _replicates(
    loss: Callable[[Any, Any], Tensor],
    law: SampledLaw,
    at: Parameters,
    parts: Sequence[tuple[int, tuple[int, ...], str]],
    count: int,
    samples: int,
    generator: torch.Generator,
) -> Tensor:
    """The components of each replicate, of shape (replicates, components)."""
    top = max(order for order, _, _ in parts)
    rows = []
    for _ in range(count):
        drawn = law.draw(at.fixed(), samples, generator)
        leaves = at.leaves()
        with torch.inference_mode(False), torch.enable_grad():
            value = called(loss, "the loss", drawn, handed(leaves))
            value = batch_mean(value, samples)
            found = derivatives(value, list(leaves.values()), top)
        rows.append([float(found[order][place]) for order, place, _ in parts])
    table = torch.tensor(rows, dtype=torch.float64)
    if not bool(torch.isfinite(table).all()):
        raise LossError(
            f"the loss or a derivative of it is not finite for samples drawn at {at}",
            instead="a loss that is finite for every sample",
        )
    return table


def batch_mean(value: Any, samples: int) -> Tensor:
    """The mean of a loss by samples, or the loss of the batch.

    Raises:
        LossError: it is neither.
    """
    shape = tuple(value.shape) if isinstance(value, Tensor) else None
    if isinstance(value, Tensor) and not bool(torch.isfinite(value.detach()).all()):
        bad = value.detach()[~torch.isfinite(value.detach())]
        raise LossError(
            f"the loss is {complex(bad[0]) if value.is_complex() else float(bad[0])} for some sample",
            instead="a loss that is finite for every sample",
        )
    if shape is None or (shape != (samples,) and value.numel() != 1) or value.is_complex():
        what = f"a tensor of shape {shape}" if shape is not None else f"a {type(value).__name__}"
        raise LossError(
            f"the loss returns {what} for a batch of {samples} samples",
            instead=f"shape ({samples},), a loss for each sample; or one number for the batch",
        )
    return value.mean()


def _enough(
    loss: Callable[[Any, Any], Tensor],
    law: SampledLaw,
    at: Parameters,
    parts: Sequence[tuple[int, tuple[int, ...], str]],
    effects: Tensor,
    design: Design,
) -> int:
    """How many replicates the power needs, from the variance of a pilot with samples of its own."""
    generator = _generator(at, 2 * design.seed + 1)
    pilot = _replicates(loss, law, at, parts, _PILOT, design.samples, generator)
    test = test_of_mean(pilot, pilot.mean(0), design.false_alarm)
    deviations = test.standard_error * math.sqrt(_PILOT)
    needed = _needed(effects, deviations * math.sqrt(_MARGIN), _MARGIN * test.skewness, design)
    if needed > _MOST:
        critical = -NormalDist().inv_cdf(design.false_alarm / len(parts) / 2)
        power = _least_power(effects, deviations / math.sqrt(_MOST), critical)
        raise _cannot_tell(_MOST, power, needed, design, test.skewness if power >= design.power else None)
    return max(_FEWEST, needed)


def _needed(effects: Tensor, deviations: Tensor, skewness: float, design: Design) -> int:
    """Replicates after which every effect is seen with the power that is asked for, skew as they are."""
    normal = NormalDist()
    critical = -normal.inv_cdf(design.false_alarm / len(effects) / 2)
    most = max(float(s) / float(d) for d, s in zip(effects, deviations, strict=True))

    def count(wider: float) -> float:
        return min((normal.inv_cdf(design.power) + critical + wider) * most, 1e9) ** 2

    # The fewest for which skewness can be allowed for; then what it adds to the critical value.
    fewest = max(distortion_of(skewness, critical, 1) / critical, 1.0) ** 2
    found = max(count(0.0), fewest)
    found = max(count(distortion_of(skewness, critical, found) / critical), fewest)
    return math.ceil(found) + 5


def _least_power(effects: Tensor, errors: Tensor, critical: float) -> float:
    """That of the component that it is hardest to see an effect in."""
    pairs = zip(effects.tolist(), errors.tolist(), strict=True)
    return min((power_of(d / e, critical) for d, e in pairs if e), default=1.0)


def _cannot_tell(
    replicates: int, power: float, needed: int, design: Design, skewness: float | None = None
) -> EvaluationError:
    # Far out, where the normal law guesses too few, Student's t is wider.
    needed = needed if needed > replicates else 2 * replicates
    who = f"{replicates} replicates of {design.samples} sample{'s' * (design.samples > 1)} cannot tell"
    why = f"an effect of the stated size would be seen with probability {power:.2g} only"
    if skewness is not None:
        why = f"their skewness is {skewness:.1f}, too much for Student's t"
    return EvaluationError(
        f"{who}: {why}" + ("" if skewness is not None else f", and {design.power:g} is asked for"),
        instead=f"replicates={needed} or more, larger samples"
        + ("" if skewness is not None else ", or a larger effect"),
    )


def _generator(at: Parameters, seed: int) -> torch.Generator:
    device = next(iter(at.tensors.values())).device
    return torch.Generator(device=device).manual_seed(seed)


def _see_that_seeds_decide(law: SampledLaw, at: Parameters) -> None:
    """The sampler draws with the generator that it is given, and with nothing else."""
    first, again, other = (law.draw(at.fixed(), 8, _generator(at, seed)) for seed in (1, 1, 2))
    if isinstance(first, Tensor):
        if not torch.equal(first, again):
            raise EvaluationError(
                "the sampler draws other samples from a generator with the same seed",
                instead="every draw with generator=generator",
            )
        if torch.is_floating_point(first) and torch.equal(first, other):
            raise EvaluationError(
                "the sampler draws the same samples whatever the generator", instead="generator=generator"
            )
