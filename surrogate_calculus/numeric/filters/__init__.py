"""Particle filters in torch, batched over replicates, particles and state dimensions, in log space."""

from __future__ import annotations

from .filter import METHODS, FilterRun, Method, ParticleFilter
from .online import OnlineScore, online_score
from .resampling import SCHEMES, Scheme, resample
from .trace import FilterTrace
from .transport import Transport

__all__ = [
    "METHODS",
    "SCHEMES",
    "FilterRun",
    "FilterTrace",
    "Method",
    "OnlineScore",
    "ParticleFilter",
    "Scheme",
    "Transport",
    "online_score",
    "resample",
]
