"""The models that filters are verified on, each with its data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError, nearest
from ..data import nile, pound_dollar_returns
from ..exact import forward_log_likelihood, kalman_log_likelihood
from ..models import (
    Growth,
    HiddenMarkov,
    LinearGaussian,
    LocalLevel,
    ScalarLinearGaussian,
    StochasticVolatility,
    draw_observations,
)

__all__ = ["SCENES", "Scene", "scene_of"]


@dataclass(frozen=True, eq=False)
class Scene:
    """A model and where its data come from.

    Attributes:
        name: as the command takes it.
        title: for a reader.
        model: the state-space model, with its own values of the parameters.
        data: real observations, (T, *observed); None where they are drawn from the model.
        log_likelihood: log p(y) of (observations, parameters), differentiable; None where it has no formula.
    """

    name: str
    title: str
    model: Any
    data: Tensor | None = None
    log_likelihood: Callable[[Tensor, Mapping[str, Tensor]], Tensor] | None = None

    @property
    def parametric_start(self) -> bool:
        """Whether the law of x₀ depends on parameters, so that a filter must correct for it."""
        law = self.model.natural(self.model.defaults())
        noise = self.model.noise((1, 1), None, torch.empty(0, dtype=torch.float64))
        return self.model.log_initial(law, self.model.initial(law, noise)) is not None

    def observations(self, steps: int | None = None, seed: int = 1) -> Tensor:
        """The first rows of the data, or as many drawn from the model, in float64.

        Args:
            steps: how many; None for all of the data, and 50 where they are drawn.
            seed: of what is drawn.

        Raises:
            EvaluationError: there are fewer.
        """
        if self.data is not None:
            if steps is not None and not 1 <= steps <= len(self.data):
                raise EvaluationError(
                    f"{self.name} has {len(self.data)} observations, not {steps}",
                    instead=f"--steps from 1 to {len(self.data)}, or another model",
                )
            return self.data if steps is None else self.data[:steps]
        generator = torch.Generator().manual_seed(seed)
        return draw_observations(self.model, 50 if steps is None else steps, 1, generator)[:, 0].double()


def _plane() -> LinearGaussian:
    eye = torch.eye(2, dtype=torch.float64)
    return LinearGaussian(
        torch.tensor([[0.8, 0.1], [-0.2, 0.7]], dtype=torch.float64),
        eye + 0.3,
        torch.tensor([[1.0, 0.5]], dtype=torch.float64),
        0.4 * eye[:1, :1],
        torch.zeros(2, dtype=torch.float64),
        eye,
    )


def _kalman(model: Any) -> Callable[[Tensor, Mapping[str, Tensor]], Tensor]:
    return lambda y, parameters: kalman_log_likelihood(model, y, parameters)


def _forward(model: HiddenMarkov) -> Callable[[Tensor, Mapping[str, Tensor]], Tensor]:
    return lambda y, parameters: forward_log_likelihood(model, y, parameters)


def _made(name: str) -> Scene:
    if name == "lgssm":
        line = ScalarLinearGaussian()
        return Scene(name, "linear Gaussian, one dimension", line, None, _kalman(line))
    if name == "lgssm2":
        plane = _plane()
        return Scene(name, "linear Gaussian, two dimensions", plane, None, _kalman(plane))
    if name == "nile":
        flows = torch.tensor([flow for _, flow in nile()], dtype=torch.float64)
        level = LocalLevel(mean=1000.0, variance=200.0**2)
        return Scene(name, "local level, flows of the Nile 1871–1970", level, flows, _kalman(level))
    if name == "volatility":
        return Scene(name, "stochastic volatility", StochasticVolatility())
    if name == "exchange":
        returns = torch.tensor(pound_dollar_returns(), dtype=torch.float64)
        # Close to the posterior means that Kim, Shephard & Chib (1998) report for these data.
        calm = StochasticVolatility(mu=-0.87, phi=0.978, sigma=0.16)
        return Scene(name, "stochastic volatility, pound/dollar returns 1981–1985", calm, returns)
    if name == "growth":
        return Scene(name, "nonlinear growth", Growth())
    # A law of the hidden start that depends on the parameters: every derivative has something to correct.
    markov = HiddenMarkov(
        (0.4, 0.6), ((0.7, 0.3), (0.2, 0.8)), ((0.9, 0.1), (0.3, 0.7)), hidden_start=name == "hmm-hidden"
    )
    title = "hidden Markov, two states" + (", hidden start" if name == "hmm-hidden" else "")
    return Scene(name, title, markov, None, _forward(markov))


#: The names, in the order of tables.
SCENES: tuple[str, ...] = ("lgssm", "lgssm2", "nile", "volatility", "exchange", "growth", "hmm", "hmm-hidden")


@cache
def scene_of(name: str) -> Scene:
    """A model by its name.

    Raises:
        EvaluationError: there is none of that name.
    """
    if name not in SCENES:
        raise EvaluationError(f"no model is called {name!r:.40}", instead=nearest(name, SCENES))
    return _made(name)
