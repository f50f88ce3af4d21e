"""Exact answers to hold filters against: Kalman, the forward algorithm, every path of a small filter."""

from __future__ import annotations

from .derivatives import Derivatives, exact_derivatives
from .enumeration import Enumeration, enumerate_runs
from .forward import forward_log_likelihood
from .kalman import kalman_log_likelihood

__all__ = [
    "Derivatives",
    "Enumeration",
    "enumerate_runs",
    "exact_derivatives",
    "forward_log_likelihood",
    "kalman_log_likelihood",
]
