"""State-space models for the particle filters; those with an exact likelihood and score say so."""

from __future__ import annotations

from .drawing import draw_observations
from .growth import Growth
from .hidden_markov import HiddenMarkov
from .linear_gaussian import LinearGaussian, ScalarLinearGaussian
from .local_level import LocalLevel
from .proposals import FiniteGuide, LinearGuide, OptimalGuide
from .protocol import Proposal, StateSpaceModel
from .stochastic_volatility import StochasticVolatility

__all__ = [
    "FiniteGuide",
    "Growth",
    "HiddenMarkov",
    "LinearGaussian",
    "LinearGuide",
    "LocalLevel",
    "OptimalGuide",
    "Proposal",
    "ScalarLinearGaussian",
    "StateSpaceModel",
    "StochasticVolatility",
    "draw_observations",
]
