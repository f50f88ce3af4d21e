"""The linear Gaussian model of any dimension, and the two numbers of it that experiments fit.

    x₀ ~ N(m, P),    x_t = A x_{t-1} + N(0, Q),    y_t = C x_t + N(0, R)

Covariances are positive definite and live on the scale of their Cholesky factors: the logarithms of the
diagonal, and the entries below it, row by row.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor

from ...errors import EvaluationError
from .inputs import positive
from .protocol import GaussianNoise, Time, filled_in, log_normal

__all__ = ["LinearGaussian", "ScalarLinearGaussian", "System", "packed", "unpacked"]


class System(NamedTuple):
    """A linear Gaussian system: matrices of shape (lead …, rows, columns), m of shape (lead …, d).

    ``step`` and ``error`` are the Cholesky factors of Q and R.
    """

    a: Tensor
    step: Tensor
    c: Tensor
    error: Tensor
    mean: Tensor
    variance: Tensor


def packed(covariance: Tensor) -> Tensor:
    """The unconstrained numbers of a positive definite matrix: shape (d, d) to (d (d + 1)/2,)."""
    factor = torch.linalg.cholesky(covariance)
    d = factor.shape[-1]
    rows, columns = torch.tril_indices(d, d, -1, device=factor.device)
    return torch.cat([factor.diagonal(dim1=-2, dim2=-1).log(), factor[..., rows, columns]], -1)


def unpacked(numbers: Tensor, d: int) -> Tensor:
    """The Cholesky factor of shape (…, d, d) that :func:`packed` came from."""
    factor = torch.diag_embed(torch.exp(numbers[..., :d]))
    if d == 1:
        return factor
    rows, columns = torch.tril_indices(d, d, -1, device=numbers.device)
    below = torch.zeros(numbers.shape[-1] - d, d, d, dtype=numbers.dtype, device=numbers.device)
    below[torch.arange(len(rows), device=numbers.device), rows, columns] = 1
    return factor + torch.tensordot(numbers[..., d:], below, 1)


@dataclass(frozen=True, eq=False)
class LinearGaussian(GaussianNoise):
    """The model of dimension d, with observations of dimension k.

    Parameters: ``a`` (d, d), ``c`` (k, d), ``q`` and ``r`` (see :func:`packed`).  States are vectors:
    ``event`` is (d,), also for d = 1 (:class:`ScalarLinearGaussian` is faster there).

    Attributes:
        a, q, c, r: the model's own values, in float64; q and r are covariances.
        mean, variance: of x₀; no parameters.
    """

    a: Tensor
    q: Tensor
    c: Tensor
    r: Tensor
    mean: Tensor
    variance: Tensor
    first_observed = False
    _own: dict[str, Tensor] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        d, k = self.a.shape[0], self.c.shape[0]
        shapes = {"a": (d, d), "q": (d, d), "c": (k, d), "r": (k, k), "mean": (d,), "variance": (d, d)}
        for name, shape in shapes.items():
            found = tuple(getattr(self, name).shape)
            if found != shape:
                raise EvaluationError(
                    f"{name} of the linear Gaussian model has shape {found}", instead=f"{shape}"
                )
        try:
            q, r, _ = packed(self.q), packed(self.r), packed(self.variance)
        except RuntimeError:
            raise EvaluationError(
                "a covariance of the linear Gaussian model is not positive definite"
            ) from None
        own = {"a": self.a, "q": q, "c": self.c, "r": r}
        object.__setattr__(self, "_own", {name: value.double() for name, value in own.items()})

    @property
    def event(self) -> tuple[int, ...]:
        """(d,)."""
        return (self.a.shape[0],)

    @property
    def observed(self) -> tuple[int, ...]:
        """(k,)."""
        return (self.c.shape[0],)

    @property
    def parameters(self) -> Mapping[str, tuple[int, ...]]:
        """The shapes of A, C, and of the packed covariances."""
        return {name: tuple(value.shape) for name, value in self._own.items()}

    def defaults(self) -> dict[str, Tensor]:
        """The model's own values on the unconstrained scales."""
        return dict(self._own)

    def natural(self, parameters: Mapping[str, Tensor]) -> System:
        """The system."""
        p = filled_in(self, parameters)
        like = p["a"]
        return System(
            like,
            unpacked(p["q"], self.event[0]),
            p["c"],
            unpacked(p["r"], self.observed[0]),
            self.mean.to(like),
            self.variance.to(like),
        )

    system = natural

    def initial(self, c: System, noise: Tensor) -> Tensor:
        """x₀."""
        return c.mean + _applied(torch.linalg.cholesky(c.variance), noise)

    def move(self, c: System, t: int, previous: Tensor, noise: Tensor) -> Tensor:
        """x_t."""
        return _applied(c.a, previous) + _applied(c.step, noise)

    def log_initial(self, c: System, x: Tensor) -> None:
        """The law of x₀ is free of every parameter."""
        return

    def log_transition(self, c: System, t: Time, x: Tensor, previous: Tensor) -> Tensor:
        """log N(x_t; A x_{t-1}, Q)."""
        return gaussian(x - _applied(c.a, previous), c.step)

    def log_observation(self, c: System, t: Time, y: Tensor, x: Tensor) -> Tensor:
        """log N(y_t; C x_t, R)."""
        return gaussian(y - _applied(c.c, x), c.error)

    def observe(self, c: System, t: int, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """y_t."""
        noise = torch.randn(
            (*x.shape[:-1], *self.observed), generator=generator, dtype=x.dtype, device=x.device
        )
        return _applied(c.c, x) + _applied(c.error, noise)


def _applied(matrix: Tensor, vector: Tensor) -> Tensor:
    """Matrix times vectors: one matrix of shape (k, d), or one for each of the leading dimensions."""
    if matrix.dim() == 2:
        return vector @ matrix.mT
    return (matrix @ vector.unsqueeze(-1)).squeeze(-1)


def gaussian(error: Tensor, factor: Tensor) -> Tensor:
    """log N(error; 0, L Lᵀ) of vectors of shape (lead …, k), with L of shape (k, k) or (lead …, k, k)."""
    k = factor.shape[-1]
    inverse = torch.linalg.solve_triangular(
        factor, torch.eye(k, dtype=factor.dtype, device=factor.device), upper=False
    )
    z = _applied(inverse, error)
    constant = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1) + k * math.log(2 * math.pi) / 2
    return -0.5 * (z * z).sum(-1) - constant


class Scalars(NamedTuple):
    """a, √q, c, √r."""

    a: Tensor
    step: Tensor
    c: Tensor
    error: Tensor


@dataclass(frozen=True)
class ScalarLinearGaussian(GaussianNoise):
    """x₀ ~ N(m, P), x_t = a x_{t-1} + N(0, q), y_t = c x_t + N(0, r), all of them numbers.

    Parameters: ``a``, ``c``, ``log_q``, ``log_r``.  The model's own values are those of the paper's section
    5.1 (Le et al. 2018), with q = 1 and r = 0.1.

    Attributes:
        mean, variance: of x₀; no parameters.  A variance of 0 is a start that is known.
    """

    a: float = 0.9
    c: float = 1.0
    q: float = 1.0
    r: float = 0.1
    mean: float = 0.0
    variance: float = 1.0

    event = ()
    observed = ()
    first_observed = False
    parameters = {"a": (), "c": (), "log_q": (), "log_r": ()}  # noqa: RUF012

    def __post_init__(self) -> None:
        positive("the linear Gaussian model", {"q": self.q, "r": self.r})
        positive("the linear Gaussian model", {"variance": self.variance}, or_zero=True)

    def defaults(self) -> dict[str, Tensor]:
        """The model's own values on the unconstrained scales."""
        found = {"a": self.a, "c": self.c, "log_q": math.log(self.q), "log_r": math.log(self.r)}
        return {name: torch.tensor(value, dtype=torch.float64) for name, value in found.items()}

    def natural(self, parameters: Mapping[str, Tensor]) -> Scalars:
        """Coefficients and deviations."""
        p = filled_in(self, parameters)
        return Scalars(p["a"], torch.exp(p["log_q"] / 2), p["c"], torch.exp(p["log_r"] / 2))

    def system(self, parameters: Mapping[str, Tensor]) -> System:
        """The same as matrices of one row and column."""
        c = self.natural(parameters)
        a, step, c_, error = (v[..., None, None] for v in c)
        mean, variance = (
            torch.as_tensor(v, dtype=a.dtype, device=a.device) for v in (self.mean, self.variance)
        )
        return System(a, step, c_, error, mean[None], variance[None, None])

    def initial(self, c: Scalars, noise: Tensor) -> Tensor:
        """x₀."""
        return self.mean + math.sqrt(self.variance) * noise

    def move(self, c: Scalars, t: int, previous: Tensor, noise: Tensor) -> Tensor:
        """x_t."""
        return torch.addcmul(c.a * previous, c.step, noise)

    def log_initial(self, c: Scalars, x: Tensor) -> None:
        """The law of x₀ is free of every parameter."""
        return

    def log_transition(self, c: Scalars, t: Time, x: Tensor, previous: Tensor) -> Tensor:
        """log N(x_t; a x_{t-1}, q)."""
        return log_normal(x, c.a * previous, c.step)

    def log_observation(self, c: Scalars, t: Time, y: Tensor, x: Tensor) -> Tensor:
        """log N(y_t; c x_t, r)."""
        return log_normal(y, c.c * x, c.error)

    def observe(self, c: Scalars, t: int, x: Tensor, generator: torch.Generator | None) -> Tensor:
        """y_t."""
        return c.c * x + c.error * self.noise(tuple(x.shape), generator, x)
