"""The rate and the power of all tests of the verifier, and fits of growth."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["POWER", "RATE", "Fit", "fitted", "share"]

#: The false-alarm rate of a check, all its components together.
RATE = 1e-4
#: A test that would see the stated effect less often than this decides nothing.
POWER = 0.9


class Fit(NamedTuple):
    """Coefficients and their standard errors, (terms,)."""

    coefficients: Tensor
    standard_errors: Tensor


def fitted(terms: Tensor, values: Tensor, standard_errors: Tensor) -> Fit:
    """Weighted least squares: values ≈ terms @ coefficients.

    Args:
        terms: (points, terms).
        values: (points,).
        standard_errors: of the values, known and independent, (points,).

    Returns:
        the fit; of NaN, where one of the numbers is none.
    """
    if not bool(torch.isfinite(torch.stack([values, standard_errors])).all()):
        none = torch.full(terms.shape[1:], math.nan, dtype=terms.dtype)
        return Fit(none, none)
    weighted = terms / standard_errors.unsqueeze(1)
    inverse = torch.linalg.pinv(weighted)
    return Fit(inverse @ (values / standard_errors), (inverse * inverse).sum(1).sqrt())


def share(power: float) -> str:
    """A power as a reader wants it."""
    return "> 99.9 %" if power > 0.999 else f"{100 * power:.1f} %"
