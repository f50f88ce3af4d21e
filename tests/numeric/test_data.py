"""The data that come with the package: what they are, to the last digit, and that they say where from."""

from __future__ import annotations

import math
from hashlib import sha256
from importlib.resources import files
from itertools import pairwise
from statistics import fmean, stdev

import pytest
import torch

from surrogate_calculus.errors import EvaluationError
from surrogate_calculus.numeric.data import nile, pound_dollar, pound_dollar_returns
from surrogate_calculus.numeric.filters import ParticleFilter
from surrogate_calculus.numeric.verify.scenes import SCENES, scene_of


@pytest.mark.parametrize("name", ["nile.csv", "pound_dollar.csv"])
def test_a_file_says_where_it_is_from(name: str) -> None:
    text = files("surrogate_calculus.numeric.data").joinpath(name).read_text(encoding="utf-8")
    head = [line for line in text.splitlines() if line.startswith("#")]
    assert any("Source:" in line for line in head)


def test_the_rates_of_the_pound() -> None:
    rows = pound_dollar()
    assert [day for day, _ in rows] == list(range(1, 947))
    rates = [rate for _, rate in rows]
    assert rates[:3] == [1.8315, 1.8250, 1.8512] and rates[-1] == 1.3120
    assert min(rates) == 1.0420 and max(rates) == 1.96
    digest = sha256("".join(f"{rate:.4f}\n" for rate in rates).encode()).hexdigest()
    assert digest.startswith("417e52f5cbba6759")


def test_the_returns_are_those_of_the_literature() -> None:
    returns = pound_dollar_returns()
    assert len(returns) == 945
    assert abs(fmean(returns)) < 1e-15
    assert stdev(returns) == pytest.approx(0.7111, abs=5e-5)
    # Durbin and Koopman's numbers, with their mean of -0.0353 taken off.
    assert [r - 0.0352997 for r in returns[:3]] == pytest.approx(
        [-0.3555316, 1.4254090, -0.4439399], abs=1e-6
    )
    assert returns[-1] - 0.0352997 == pytest.approx(2.1884060, abs=1e-6)


def test_the_nile() -> None:
    flows = [flow for _, flow in nile()]
    assert len(flows) == 100 and fmean(flows) == pytest.approx(919.35)


def test_the_scene_has_all_the_returns_and_fitting_parameters() -> None:
    scene = scene_of("exchange")
    y = scene.observations()
    assert y.shape == (945,) and y.dtype == torch.float64
    assert y.tolist() == pound_dollar_returns()
    assert "exchange" in SCENES
    with pytest.raises(EvaluationError, match="945 observations"):
        scene.observations(946)

    def value(**parameters: float) -> float:
        run = ParticleFilter(500).run(
            scene.model, y, {k: torch.tensor(v) for k, v in parameters.items()}, seed=1
        )
        return float(run.log_sum)

    own = value()
    # As a Gaussian of constant variance the data are far less likely; so are they where one parameter is off.
    variance = fmean(float(v) ** 2 for v in y)
    assert own > -945 / 2 * (math.log(2 * math.pi * variance) + 1) + 30
    assert own > max(value(mu=0.5), value(log_sigma=0.0), value(z_phi=0.5)) + 10


def test_the_rates_move_by_less_than_five_per_cent_a_day() -> None:
    assert all(abs(b / a - 1) < 0.05 for (_, a), (_, b) in pairwise(pound_dollar()))
