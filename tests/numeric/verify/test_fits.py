"""Fits, against simulation."""

from __future__ import annotations

import torch

from surrogate_calculus.numeric.verify.inference import fitted


def test_weighted_least_squares() -> None:
    """Unbiased, with the standard errors that repetition shows."""
    x = torch.tensor([1.0, 2.0, 4.0, 8.0], dtype=torch.float64)
    terms, errors = torch.stack([torch.ones_like(x), x], 1), 0.1 * x
    line = 3 - 0.5 * x
    generator = torch.Generator().manual_seed(9)
    draws = torch.randn((400, 4), generator=generator, dtype=torch.float64)
    fits = [fitted(terms, line + errors * e, errors) for e in draws]
    coefficients = torch.stack([f.coefficients for f in fits])
    torch.testing.assert_close(coefficients.mean(0), torch.tensor([3.0, -0.5]).double(), rtol=0, atol=0.04)
    torch.testing.assert_close(coefficients.std(0), fits[0].standard_errors, rtol=0.15, atol=0)
