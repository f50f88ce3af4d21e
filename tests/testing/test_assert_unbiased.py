"""``assert_unbiased``: finite laws exactly, samplers with power, and input that is no use."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.testing import BiasFound, FiniteLaw, SampledLaw, assert_unbiased

D = torch.float64
ALIKE = FiniteLaw([0, 1], [0.5, 0.5])
TIPPED = torch.tensor([1e-3, -1e-3])
COIN = FiniteLaw([0, 1], lambda θ: torch.stack([1 - θ, θ]))
COST = torch.tensor([1.0, 4.0], dtype=D)


def log_coin(x: torch.Tensor, θ: torch.Tensor) -> torch.Tensor:
    return torch.where(x == 1, θ, 1 - θ).log()


def cost(θ: torch.Tensor) -> torch.Tensor:
    return (1 - θ) * 1.0 + θ * 4.0


def reinforce(x: torch.Tensor, θ: torch.Tensor) -> torch.Tensor:
    return log_coin(x, θ) * COST[x]


def dice(x: torch.Tensor, θ: torch.Tensor) -> torch.Tensor:
    return (log_coin(x, θ) - log_coin(x, θ).detach()).exp() * COST[x]


def hold(loss: Any = dice, target: Any = cost, **changes: Any) -> Any:
    return assert_unbiased(loss, target, **{"law": COIN, "at": 0.3, **changes})


def test_a_finite_law_is_enumerated() -> None:
    found = hold(orders=(0, 1, 2, 3))
    assert found.points == 3 and found.deviation < 1e-14 and "by enumeration" in str(found)
    with pytest.raises(BiasFound) as failure:
        hold(reinforce, orders=(1, 2))
    error = failure.value
    # 𝔼[c ∂² log p] = -c₀/(1-θ) - c₁/θ at the θ that is shown, where c is linear in θ
    θ = error.inputs["θ"]
    assert error.order == 2 and error.expected == pytest.approx(0.0, abs=1e-12)
    assert error.found == pytest.approx(-1.0 / (1 - θ) - 4.0 / θ, rel=1e-12)
    assert "agrees" in str(error) and "order 1" in str(error)


def test_the_law_is_not_differentiated() -> None:
    with pytest.raises(BiasFound, match="score-function terms"):
        hold(lambda x, θ: COST[x] + 0 * θ, orders=(1,))
    with pytest.raises(BiasFound, match="mean of the derivative of order 1 is 0"):
        hold(lambda x, θ: log_coin(x, θ), orders=(1,))
    with pytest.raises(BiasFound, match="1/2 times"):
        hold(lambda x, θ: reinforce(x, θ) / 2, orders=(1,))


def test_an_accident_at_one_point_is_seen_nearby() -> None:
    """At θ = 1/2 the slopes of θ² and θ are equal."""
    hold(lambda x, θ: θ + 0 * x, lambda θ: θ**2, at=0.5, orders=(1,), nearby=0)
    with pytest.raises(BiasFound):
        hold(lambda x, θ: θ + 0 * x, lambda θ: θ**2, at=0.5, orders=(1,))


def test_groups_vectors_names_and_several_points() -> None:
    soft = FiniteLaw(torch.arange(3), lambda θ: torch.softmax(θ, -1))
    at = torch.tensor([0.1, -0.3, 0.6], dtype=D)
    reward = torch.tensor([1.0, -2.0, 0.5], dtype=D)

    def mean_reward(θ: torch.Tensor) -> torch.Tensor:
        return torch.softmax(θ, -1) @ reward

    def group(x: torch.Tensor, θ: torch.Tensor) -> torch.Tensor:
        assert x.shape == (2,)
        return (torch.log_softmax(θ, -1)[x] * (reward[x] - reward[x.flip(0)])).mean()

    hold(group, mean_reward, law=soft.repeated(2), at=[at, -at], orders=(1,))
    with pytest.raises(BiasFound, match=r"∂/∂θ\[\d\]"):
        hold(lambda x, θ: group(x, θ) / 3, mean_reward, law=soft.repeated(2), at=at, orders=(1,))

    named = FiniteLaw([0, 1], lambda θ: torch.stack([1 - θ["p"], θ["p"]]))
    at_both = {"p": 0.3, "scale": 2.0}
    hold(
        lambda x, θ: dice(x, θ["p"]) * θ["scale"] ** 2,
        lambda θ: cost(θ["p"]) * θ["scale"] ** 2,
        law=named,
        at=at_both,
    )
    with pytest.raises(BiasFound, match="∂p∂scale"):
        hold(
            lambda x, θ: (dice(x, θ["p"]) + dice(x, θ["p"]).detach() * 0) * θ["scale"].detach() ** 2,
            {1: [12.0, 0.0], 2: [[0.0, 12.0], [12.0, 0.0]]},
            law=named,
            at=at_both,
        )


def test_a_dead_outcome_is_left_out() -> None:
    law = FiniteLaw([0, 1], torch.tensor([0.0, 1.0], dtype=D))
    hold(lambda x, θ: θ / x, lambda θ: θ, law=law)


def test_what_does_not_vary_is_compared_to_rounding() -> None:
    found = hold(lambda x, θ: θ**2 + 0 * x, lambda θ: θ**2, law=normal, at=0.3, orders=(1,))
    assert found.deviation == 0
    with pytest.raises(BiasFound):
        hold(lambda x, θ: 1.0000001 * θ**2 + 0 * x, lambda θ: θ**2, law=normal, at=0.3, orders=(1,))


def test_mixed_derivatives_are_symmetric_and_not_too_many() -> None:
    many = {"law": ALIKE, "at": torch.ones(100, dtype=D)}
    with pytest.raises(EvaluationError, match="order 2 is not symmetric"):
        hold(lambda x, θ: (θ**2).sum(), {2: torch.ones(100, 100).triu()}, orders=(2,), **many)
    with pytest.raises(EvaluationError, match="100,000,000 derivatives of order 4"):
        hold(lambda x, θ: (θ**5).sum(), lambda θ: (θ**5).sum(), orders=(4,), **many)


def test_a_stated_target_is_taken_in_full_precision() -> None:
    at = torch.tensor([0.1, 0.7], dtype=D)
    hold(lambda x, θ: (0.1 * θ).sum() + 0 * x, {1: [0.1, 0.1]}, orders=(1,), law=ALIKE, at=at)


def test_outcomes_of_any_shape_are_put_together_where_it_is_one() -> None:
    with pytest.raises(EvaluationError, match="different shapes"):
        FiniteLaw([torch.ones(1), torch.ones(2)], [0.5, 0.5]).repeated(2)


def test_outcomes_of_any_kind() -> None:
    law = (["heads", "tails"], torch.tensor([0.5, 0.5], dtype=D))
    hold(lambda x, θ: θ * len(x), lambda θ: 5 * θ, law=law)


def normal(θ: torch.Tensor, n: int, generator: torch.Generator) -> torch.Tensor:
    return θ + torch.randn(n, generator=generator, dtype=D)


def log_normal(x: torch.Tensor, θ: torch.Tensor) -> torch.Tensor:
    return -((x - θ) ** 2) / 2


def on_the_line(x: torch.Tensor, θ: torch.Tensor) -> torch.Tensor:
    return log_normal(x, θ) * x


def second_moment(θ: torch.Tensor) -> torch.Tensor:
    return θ**2 + 1


def test_a_sampler_is_tested_with_power() -> None:
    def loss(x: torch.Tensor, θ: torch.Tensor) -> torch.Tensor:
        return log_normal(x, θ) * x**2

    found = hold(loss, second_moment, law=SampledLaw(normal), at=0.7, orders=(1,))
    assert found.power >= 0.9 and found.replicates >= 100 and "false-alarm rate 0.0001" in str(found)
    with pytest.raises(BiasFound, match="standard error") as failure:
        hold(loss, second_moment, law=normal, at=0.7)
    assert failure.value.order == 2
    # an effect of the stated size, a tenth, is seen
    with pytest.raises(BiasFound):
        hold(lambda x, θ: 1.1 * loss(x, θ), second_moment, law=normal, at=0.7, orders=(1,))
    hold(lambda x, θ: loss(x, θ).mean(), {1: 1.4}, law=normal, at=0.7, orders=(1,))


def test_the_false_alarm_rate_is_the_stated_one() -> None:
    """At a rate of 1/2, half of 40 right losses fail, give or take four standard deviations."""
    alarms = 0
    for seed in range(40):
        try:
            hold(
                lambda x, θ: θ * x,
                {1: 0.0},
                law=lambda θ, n, generator: torch.randn(n, generator=generator, dtype=D),
                at=1.0,
                orders=(1,),
                samples=4,
                replicates=50,
                effect={1: 1.0},
                false_alarm=0.5,
                seed=seed,
            )
        except BiasFound:
            alarms += 1
    assert 8 <= alarms <= 32


def test_a_test_that_cannot_tell_does_not_pass() -> None:
    def loss(x: torch.Tensor, θ: torch.Tensor) -> torch.Tensor:
        return log_normal(x, θ) * x**2

    few: dict[str, Any] = {"law": normal, "at": 0.7, "orders": (1,), "samples": 4}
    with pytest.raises(EvaluationError, match="20 replicates of 4 samples cannot tell"):
        hold(loss, second_moment, replicates=20, **few)
    with pytest.raises(EvaluationError, match="20000 replicates of 4 samples cannot tell"):
        hold(loss, second_moment, effect=1e-4, **few)
    with pytest.raises(EvaluationError, match="no effect is a fraction of that"):
        hold(lambda x, θ: log_normal(x, θ), lambda θ: 0 * θ, **few)


def test_skewness_is_allowed_for() -> None:
    """Exponential numbers, of mean 1 and skewness 2: their mean is missed from below more often."""

    def waits(θ: torch.Tensor, n: int, generator: torch.Generator) -> torch.Tensor:
        return -torch.log1p(-torch.rand(n, generator=generator, dtype=D))

    def hold_times(factor: float, **how: Any) -> Any:
        return hold(lambda x, θ: factor * θ * x, {1: 1.0}, law=waits, at=1.0, orders=(1,), **how)

    found = [hold_times(1.0, samples=4, replicates=300, effect={1: 0.3}, seed=seed) for seed in range(20)]
    assert min(f.tolerance for f in found) > 4.1  # 3.94 without skewness
    with pytest.raises(EvaluationError, match="40 replicates of 1 sample cannot tell: their skewness is"):
        hold_times(1.0, samples=1, replicates=40, effect={1: 2.0})
    assert hold_times(1.0, samples=4, effect={1: 0.3}).replicates >= 100
    with pytest.raises(BiasFound):
        hold_times(1.3, samples=4, effect={1: 0.3})


@pytest.mark.parametrize(
    ("law", "says"),
    [
        (([0, 1], torch.tensor([0.5, 0.6])), "add up to 1.1"),
        (([0, 1], torch.tensor([1.5, -0.5])), "-0.5 is no probability"),
        (([0, 1], torch.tensor([float("nan"), 1.0])), "nan is no probability"),
        (([0, 1, 2], torch.tensor([0.5, 0.5])), r"shape \(2,\), and there are 3 outcomes"),
        (([], torch.tensor([])), "support of a law is empty"),
        ((torch.tensor(1.0), torch.tensor([1.0])), "is one number"),
        (([0, 1], lambda θ: θ.nothing), "raise AttributeError"),
        (([0, 1], "half"), "probabilities of the law are a str"),
        (([0, 1], torch.tensor([1j, 1 - 1j])), "a tensor of torch.complex64"),
        (
            ([0, 1], lambda θ: torch.rand(1).expand(2).softmax(-1) + torch.rand(1) * TIPPED),
            "not the same when",
        ),
        (3, "a law is a FiniteLaw"),
        (("ab", torch.tensor([0.5, 0.5])), "support of a law is a str"),
        (lambda θ, n, g: torch.randn(n, dtype=D), "generator with the same seed"),
        (lambda θ, n, g: torch.ones(n, dtype=D), "the same samples whatever the generator"),
        (lambda θ, n, g: torch.randn(3, generator=g), "for 256 samples|for 8 samples"),
        (lambda θ, n: torch.ones(n), "the sampler raises TypeError"),
    ],
)
def test_a_law_that_is_none_is_one_clear_error(law: Any, says: str) -> None:
    with pytest.raises(EvaluationError, match=says) as failure:
        hold(lambda x, θ: θ * x, lambda θ: θ, law=law, orders=(1,))
    assert failure.value.instead


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"orders": 0}, "orders are a sequence"),
        ({"orders": ()}, "no order is asked for"),
        ({"orders": ("1",)}, "no derivative has order '1'"),
        ({"at": []}, "no point is given"),
        ({"at": "0.3"}, "the value of the parameter θ is a str"),
        ({"at": float("inf")}, "not finite"),
        ({"at": {}}, "parameters are given by name"),
        ({"target": {1: 3.0}}, "no value of order 2"),
        ({"target": {1: [3.0, 1.0], 2: 0.0}}, r"order 1 has shape \(2,\)"),
        ({"target": {1: "3", 2: 0.0}}, "order 1 is a str"),
        ({"target": {1: 3.0, 2: 0.0}, "at": [0.3, 0.4]}, "there are several"),
        ({"target": {1: 3.0, 2: float("nan")}}, "order 2 is not finite"),
        ({"target": {1: 3.0 + 1j, 2: 0.0}}, "order 1 is a complex"),
        ({"target": lambda θ: cost(θ).detach()}, "the target has no graph to θ"),
        ({"target": lambda θ: cost(θ) * torch.rand(())}, "the target is not the same"),
        ({"target": lambda θ: θ.nothing}, "the target raises AttributeError"),
        ({"target": lambda θ: 3.0}, "the target returns a float"),
        ({"target": 3.0}, "the target is a float"),
        ({"loss": lambda x, θ: 3.0}, "the loss returns a float"),
        ({"loss": lambda x, θ: torch.stack([θ, θ])}, r"shape \(2,\)"),
        ({"loss": lambda x, θ: torch.log(θ - 1)}, "the loss is nan at the outcome"),
        (
            {"loss": lambda x, θ: θ + torch.sqrt(θ - θ.detach())},
            "order 1 of the loss is not finite at the outcome",
        ),
        ({"loss": lambda x, θ: θ + 0 * torch.sqrt(θ - θ.detach())}, "order 1 of the loss is not finite"),
        (
            {"loss": lambda x, θ: torch.where(x > 0, θ * x, torch.nan), "law": normal},
            "is nan for some sample",
        ),
        ({"law": normal, "loss": on_the_line, "effect": {1: 1e-300, 2: 1.0}}, "cannot tell"),
        (
            {
                "law": normal,
                "loss": on_the_line,
                "false_alarm": 1e-300,
                "replicates": 20,
                "orders": (1,),
                "target": lambda θ: θ,
            },
            "cannot tell",
        ),
        ({"seed": "0"}, "seed is a whole number"),
        ({"seed": 2**62}, "the seed .* is too large"),
        ({"loss": lambda x, θ: θ * torch.rand(())}, "not the same when it is run again"),
        ({"effect": 0}, "an effect is a positive number"),
        ({"law": normal, "effect": -1}, "an effect is a positive number"),
        ({"law": normal, "replicates": 1}, "replicates is a whole number from 20"),
        ({"law": normal, "false_alarm": 2}, "false_alarm is a number between"),
        ({"law": normal, "loss": lambda x, θ: θ * x[:3]}, "for a batch of 256 samples"),
        ({"law": normal, "effect": {1: 0.1}, "loss": lambda x, θ: θ * x}, "no effect is stated for order 2"),
    ],
)
def test_bad_input_is_one_clear_error(changes: dict[str, Any], says: str) -> None:
    if changes == {"effect": 0}:
        changes = {**changes, "law": normal}
    with pytest.raises(EvaluationError, match=says) as failure:
        hold(**changes)
    assert failure.value.instead


# Losses of the literature, with the fault that each is prone to.


def bernoulli(b: torch.Tensor, θ: torch.Tensor) -> torch.Tensor:
    """log p of 0 or 1, θ being the logit."""
    return b * θ - torch.nn.functional.softplus(θ)


LOGIT = FiniteLaw(
    torch.tensor([0.0, 1.0], dtype=D), lambda θ: torch.stack([torch.sigmoid(-θ), torch.sigmoid(θ)])
)


def loss_of_bit(b: torch.Tensor) -> torch.Tensor:
    return (b - 0.45) ** 2


def mean_loss(θ: torch.Tensor) -> torch.Tensor:
    return torch.sigmoid(θ) * 0.55**2 + torch.sigmoid(-θ) * 0.45**2


def test_straight_through_is_biased_unless_the_loss_is_linear() -> None:
    def through(b: torch.Tensor, θ: torch.Tensor) -> torch.Tensor:
        return b + torch.sigmoid(θ) - torch.sigmoid(θ).detach()

    chosen = {"law": LOGIT, "at": 0.4, "orders": (1,)}
    hold(lambda b, θ: 3 * through(b, θ), lambda θ: 3 * torch.sigmoid(θ), **chosen)
    with pytest.raises(BiasFound):
        hold(lambda b, θ: loss_of_bit(through(b, θ)), mean_loss, **chosen)


@pytest.mark.parametrize("corrected", [True, False])
def test_muprop_needs_its_correction(corrected: bool) -> None:
    """Gu et al. (2016): a Taylor expansion at the mean as control variate, and its mean added again."""

    def loss(b: torch.Tensor, θ: torch.Tensor) -> torch.Tensor:
        mean = torch.sigmoid(θ)
        at = mean.detach()
        slope = 2 * (at - 0.45)
        rest = loss_of_bit(b) - loss_of_bit(at) - slope * (b - at)
        return rest * bernoulli(b, θ) + (slope * mean if corrected else 0)

    chosen = {"law": LOGIT, "at": 0.4, "orders": (1,)}
    if corrected:
        hold(loss, mean_loss, **chosen)
    else:
        with pytest.raises(BiasFound):
            hold(loss, mean_loss, **chosen)


@pytest.mark.parametrize("others", [True, False])
def test_vimco_leaves_the_own_sample_out(others: bool) -> None:
    """Mnih and Rezende (2016): the signal of a sample is the bound less the bound without it."""
    joint = torch.tensor([-1.0, -0.3, -2.0], dtype=D)

    def log_q(h: torch.Tensor, θ: torch.Tensor) -> torch.Tensor:
        return torch.log_softmax(θ, -1)[h]

    def bound(θ: torch.Tensor) -> torch.Tensor:
        q = θ.softmax(-1)
        pairs = torch.cartesian_prod(torch.arange(3), torch.arange(3))
        return (q[pairs].prod(-1) * ((joint.exp() / q)[pairs].mean(-1)).log()).sum()

    def loss(h: torch.Tensor, θ: torch.Tensor) -> torch.Tensor:
        weights = joint[h] - log_q(h, θ)
        total = torch.logsumexp(weights, 0) - torch.log(torch.tensor(2.0, dtype=D))
        fixed = weights.detach()
        without = fixed.flip(0) if others else fixed.mean()  # of two, the bound of the other, twice
        return total + ((total.detach() - without) * log_q(h, θ)).sum()

    law = FiniteLaw(torch.arange(3), lambda θ: θ.softmax(-1)).repeated(2)
    chosen = {"law": law, "at": torch.tensor([0.3, -0.4, 0.9], dtype=D), "orders": (1,)}
    if others:
        hold(loss, bound, **chosen)
    else:
        with pytest.raises(BiasFound):
            hold(loss, bound, **chosen)
