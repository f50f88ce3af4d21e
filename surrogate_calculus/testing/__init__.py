"""For other people's test suites: a loss is held to the formula of its gradient, or to what it estimates.

:func:`assert_estimator` compares what ``torch.autograd`` makes of a loss with the estimator that is derived
from a surrogate, or with formulas that are given.  :func:`assert_unbiased` compares the mean of a loss's
derivatives under a law with those of a target.  Both return a report where the numbers agree, raise a
:class:`Disagreement`, an ``AssertionError``, where they do not, and an ``EvaluationError`` where nothing can
be told.  That numbers agree is no proof.

Importing this package does not import torch; its functions do.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..numeric.losses.laws import FiniteLaw, SampledLaw
    from .estimator import assert_estimator
    from .reports import Agreement, BiasFound, Disagreement, EstimatorDisagrees
    from .unbiased import assert_unbiased

_HOMES = {
    "Agreement": ".reports",
    "BiasFound": ".reports",
    "Disagreement": ".reports",
    "EstimatorDisagrees": ".reports",
    "FiniteLaw": "..numeric.losses.laws",
    "SampledLaw": "..numeric.losses.laws",
    "assert_estimator": ".estimator",
    "assert_unbiased": ".unbiased",
}

__all__ = [
    "Agreement",
    "BiasFound",
    "Disagreement",
    "EstimatorDisagrees",
    "FiniteLaw",
    "SampledLaw",
    "assert_estimator",
    "assert_unbiased",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(home, __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
