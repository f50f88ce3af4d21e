"""The likelihood of linear Gaussian models, by the Kalman filter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..models.inputs import as_observations, missing_rows
from ..models.linear_gaussian import System
from ..models.protocol import filled_in

__all__ = ["LinearModel", "kalman_log_likelihood"]


class LinearModel(Protocol):
    """A state-space model that is a linear Gaussian system.

    Attributes:
        observed: the shape of one observation, () or (k,).
        first_observed: whether the system's initial law is that of x₁, observed as y₁, instead of x₀.
    """

    @property
    def observed(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def first_observed(self) -> bool: ...  # noqa: D102

    def system(self, parameters: Mapping[str, Tensor]) -> System:
        """The system, for parameters on the unconstrained scales."""
        ...


def kalman_log_likelihood(model: LinearModel, observations: Any, parameters: Mapping[str, Any]) -> Tensor:
    """log p(y[1:T]), differentiable in the parameters to any order.

    The covariance is updated in Joseph's form, which keeps it positive definite, and innovations are weighed
    by the Cholesky factor of theirs.  A row of NaN is missing.

    Args:
        model: a linear Gaussian model.
        observations: (T, *observed).
        parameters: tensors of shape (*shape), or (*batch, *shape).

    Returns:
        (*batch).

    Raises:
        EvaluationError: a row is missing in part, or infinite.
    """
    given = filled_in(model, parameters)
    s = model.system(given)
    like = s.step
    y = as_observations(model, observations, like)
    if y.dim() != 1 + len(model.observed):
        raise EvaluationError(
            f"the observations have shape {tuple(y.shape)}", instead="one series, times first"
        )
    missing = missing_rows(y, tuple(model.observed)).tolist()
    y = y.reshape(len(y), -1)
    eye = torch.eye(s.a.shape[-1], dtype=like.dtype, device=like.device)
    q, r = s.step @ s.step.mT, s.error @ s.error.mT
    mean, spread = s.mean.unsqueeze(-1), s.variance
    total = like.new_zeros(())
    for t, row in enumerate(y):
        if t > 0 or not model.first_observed:
            mean, spread = s.a @ mean, s.a @ spread @ s.a.mT + q
        if missing[t]:
            continue
        factor = torch.linalg.cholesky(s.c @ spread @ s.c.mT + r)
        error = row.unsqueeze(-1) - s.c @ mean
        z = torch.linalg.solve_triangular(factor, error, upper=False)
        logs = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        total = total - logs - 0.5 * (z * z).sum((-2, -1)) - 0.5 * len(row) * math.log(2 * math.pi)
        gain = torch.cholesky_solve(s.c @ spread, factor).mT
        rest = eye - gain @ s.c
        mean = mean + gain @ error
        spread = rest @ spread @ rest.mT + gain @ r @ gain.mT
    return total
