"""Losses as they are published, held to what they should estimate: a test file to copy into a repository.

``pytest examples/ci`` runs it.  Each loss is a function of torch tensors, as a training script has it; what
must fail is shown failing.

The KL estimators k1, k2, k3 are J. Schulman's, *Approximating KL Divergence* (2020): as values all three have
small bias or none, and as losses under autodiff they are three different things.
"""

from __future__ import annotations

import pytest
import torch

from surrogate_calculus.testing import (
    Agreement,
    BiasFound,
    EstimatorDisagrees,
    FiniteLaw,
    assert_estimator,
    assert_unbiased,
)

# A policy over three actions, a reference policy, and the reward of each action.
THETA = torch.tensor([0.3, -0.4, 0.9], dtype=torch.float64)
LOG_Q = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64).log()
REWARD = torch.tensor([1.0, -2.0, 0.7], dtype=torch.float64)


def log_policy(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    """log π(x; θ) of an action, or of each of several."""
    return torch.log_softmax(theta, -1)[x]


ACTIONS = FiniteLaw(torch.arange(3), lambda theta: torch.softmax(theta, -1))


# What is to be estimated, exactly.


def kl_of_policy(theta: torch.Tensor) -> torch.Tensor:
    """KL(π‖q)."""
    log_p = torch.log_softmax(theta, -1)
    return (log_p.exp() * (log_p - LOG_Q)).sum()


def kl_of_reference(theta: torch.Tensor) -> torch.Tensor:
    """KL(q‖π), the other one."""
    return (LOG_Q.exp() * (LOG_Q - torch.log_softmax(theta, -1))).sum()


def expected_reward(theta: torch.Tensor) -> torch.Tensor:
    """What policy gradients climb."""
    return (torch.softmax(theta, -1) * REWARD).sum()


# The KL penalty.  Samples are drawn from the policy and are constants.


def k1(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    """log π/q: unbiased as a value."""
    return log_policy(x, theta) - LOG_Q[x]


def k2(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    """(log q/π)²/2: biased as a value."""
    return 0.5 * (LOG_Q[x] - log_policy(x, theta)) ** 2


def k3(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    """r - 1 - log r with r = q/π: unbiased as a value, and never negative."""
    log_r = LOG_Q[x] - log_policy(x, theta)
    return log_r.exp() - 1 - log_r


@pytest.mark.parametrize("loss", [k1, k3])
def test_k1_and_k3_have_the_right_value(loss) -> None:
    assert_unbiased(loss, kl_of_policy, law=ACTIONS, at=THETA, orders=(0,))


def test_k2_has_a_biased_value() -> None:
    with pytest.raises(BiasFound):
        assert_unbiased(k2, kl_of_policy, law=ACTIONS, at=THETA, orders=(0,))


def test_k1_as_a_loss_does_nothing() -> None:
    """Its mean gradient is 𝔼[∇ log π] = 0: a penalty that does not penalise."""
    assert_unbiased(k1, lambda theta: 0 * theta.sum(), law=ACTIONS, at=THETA, orders=(1,))
    with pytest.raises(BiasFound, match="the mean of the derivative of order 1 is 0"):
        assert_unbiased(k1, kl_of_policy, law=ACTIONS, at=THETA, orders=(1,))


def test_k2_as_a_loss_has_the_gradient_of_the_kl() -> None:
    assert_unbiased(k2, kl_of_policy, law=ACTIONS, at=THETA, orders=(1,))


def test_k2_as_a_loss_has_not_the_hessian_of_the_kl() -> None:
    with pytest.raises(BiasFound) as failure:
        assert_unbiased(k2, kl_of_policy, law=ACTIONS, at=THETA, orders=(1, 2))
    assert failure.value.order == 2


def test_k3_as_a_loss_has_the_gradient_of_the_other_kl() -> None:
    assert_unbiased(k3, kl_of_reference, law=ACTIONS, at=THETA, orders=(1,))
    with pytest.raises(BiasFound):
        assert_unbiased(k3, kl_of_policy, law=ACTIONS, at=THETA, orders=(1,))


# Policy gradients.


def reinforce(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    """The score-function surrogate."""
    return log_policy(x, theta) * REWARD[x]


def dice(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    """Foerster et al. (2018): the magic box π/⊥π."""
    log_p = log_policy(x, theta)
    return (log_p - log_p.detach()).exp() * REWARD[x]


def test_reinforce_is_right_at_order_1_and_wrong_at_order_2() -> None:
    assert_unbiased(reinforce, expected_reward, law=ACTIONS, at=THETA, orders=(1,))
    with pytest.raises(BiasFound) as failure:
        assert_unbiased(reinforce, expected_reward, law=ACTIONS, at=THETA, orders=(1, 2))
    assert failure.value.order == 2


def test_dice_is_right_at_every_order() -> None:
    assert_unbiased(dice, expected_reward, law=ACTIONS, at=THETA, orders=(0, 1, 2, 3))


def test_a_baseline_may_not_depend_on_its_own_action() -> None:
    def constant(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        return log_policy(x, theta) * (REWARD[x] - 0.4)

    def of_the_action(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        return log_policy(x, theta) * (REWARD[x] - 0.5 * REWARD[x])

    assert_unbiased(constant, expected_reward, law=ACTIONS, at=THETA, orders=(1,))
    with pytest.raises(BiasFound, match="1/2 times"):
        assert_unbiased(of_the_action, expected_reward, law=ACTIONS, at=THETA, orders=(1,))


def test_the_mean_of_a_group_is_such_a_baseline() -> None:
    """Of a group of 3 samples, the mean over the others is right; that over all gives 2/3 of the gradient."""

    def of_the_others(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        reward = REWARD[x]
        return (log_policy(x, theta) * (reward - (reward.sum() - reward) / (len(x) - 1))).mean()

    def of_all(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        return (log_policy(x, theta) * (REWARD[x] - REWARD[x].mean())).mean()

    group = ACTIONS.repeated(3)
    assert_unbiased(of_the_others, expected_reward, law=group, at=THETA, orders=(1,))
    with pytest.raises(BiasFound, match="2/3 times"):
        assert_unbiased(of_all, expected_reward, law=group, at=THETA, orders=(1,))


# A loss against the formula that it is meant to be, derivative by derivative, for any density.


def log_p(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    """A normal density, its constant left away."""
    return -((x - theta) ** 2) / 2


def f(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
    """A cost that depends on the sample and on θ."""
    return theta * x**2 + torch.sin(theta)


POINT = {
    "θ": 0.3,
    "x": torch.tensor([1.7, -0.4, 0.2], dtype=torch.float64),
    "log p": log_p,
    "f": f,
}
DICE = "p(x;θ)/⊥(p(x;θ)) * f(x;θ)"


def magic_box(theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """DiCE as a loss of a batch."""
    log_density = log_p(x, theta)
    return ((log_density - log_density.detach()).exp() * f(x, theta)).mean()


def test_the_magic_box_is_dice() -> None:
    found = assert_estimator(magic_box, surrogate=DICE, wrt="θ", bindings=POINT, reduction="mean")
    assert isinstance(found, Agreement)


def test_a_forgotten_detach_is_found() -> None:
    def forgetful(theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return (f(x, theta) + f(x, theta) * log_p(x, theta)).mean()

    with pytest.raises(EstimatorDisagrees, match=r"behaves like f\(x; θ\) \+ f\(x; θ\) \* log p\(x; θ\)"):
        assert_estimator(
            forgetful, surrogate="f(x;θ) + ⊥(f(x;θ))*log p(x;θ)", wrt="θ", bindings=POINT, reduction="mean"
        )


def test_what_reinforce_lacks_at_order_2_is_named() -> None:
    def score_function(theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        return (f(x, theta) + f(x, theta).detach() * log_p(x, theta)).mean()

    with pytest.raises(EstimatorDisagrees, match=r"lacks .*2 \* ∇θ f\(x; θ\) \* ∇θ log p\(x; θ\)") as failure:
        assert_estimator(score_function, surrogate=DICE, wrt="θ", bindings=POINT, reduction="mean")
    assert failure.value.order == 2


def test_a_clipped_ratio_is_that_of_ppo() -> None:
    """The ratio π/⊥π times an advantage, clipped; the old policy is a number."""

    def loss(theta: torch.Tensor, old: torch.Tensor, A: torch.Tensor) -> torch.Tensor:
        ratio = (log_p(torch.tensor(0.8, dtype=torch.float64), theta) - old).exp()
        return torch.minimum(ratio * A, ratio.clamp(0.8, 1.2) * A)

    surrogate = "min(r(θ)*A, max(min(r(θ), 1.2), 0.8)*A)"
    for old, advantage in ((-0.1, 1.5), (-0.1, -1.5), (-0.9, 1.5), (-0.9, -1.5)):
        point = {
            "θ": 0.3,
            "old": old,
            "A": advantage,
            "r": lambda theta, old=old: (log_p(torch.tensor(0.8, dtype=theta.dtype), theta) - old).exp(),
        }
        assert_estimator(loss, surrogate=surrogate, wrt="θ", bindings=point)


def test_a_proposal_that_is_not_stopped_is_found() -> None:
    """The bound of IWAE, its samples constant: the weights must not pull at the proposal."""
    z = torch.tensor([0.2, -0.9, 1.4], dtype=torch.float64)

    def log_joint(z: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        return -((z - theta) ** 2) / 2 - z**2 / 3

    def log_proposal(z: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        return -((z - theta / 2) ** 2)

    point = {"θ": 0.7, "K": 3, "z": z, "log p": log_joint, "log q": log_proposal}
    bound = "log(1/K * Σ[k=1..K](p(z[k];θ) / ⊥(q(z[k];θ))))"

    def stopped(theta: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return torch.logsumexp(log_joint(z, theta) - log_proposal(z, theta).detach(), 0)

    def live(theta: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return torch.logsumexp(log_joint(z, theta) - log_proposal(z, theta), 0)

    assert_estimator(stopped, surrogate=bound, wrt="θ", bindings=point)
    with pytest.raises(EstimatorDisagrees, match="behaves like") as failure:
        assert_estimator(live, surrogate=bound, wrt="θ", bindings=point)
    assert "z" in failure.value.inputs


# Samples where nothing can be enumerated: a test with stated power.


def test_the_score_function_of_a_normal_is_unbiased() -> None:
    def draw(theta: torch.Tensor, n: int, generator: torch.Generator) -> torch.Tensor:
        return theta + torch.randn(n, generator=generator, dtype=torch.float64)

    def loss(x: torch.Tensor, theta: torch.Tensor) -> torch.Tensor:
        return log_p(x, theta) * x**2

    found = assert_unbiased(loss, lambda theta: theta**2 + 1, law=draw, at=0.7, orders=(1,))
    assert found.power is not None and found.power >= 0.9
    with pytest.raises(BiasFound):
        assert_unbiased(loss, lambda theta: theta**2 + theta, law=draw, at=0.7, orders=(1,))
