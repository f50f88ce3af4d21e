"""The exact two-copy model: the judge of every rule, independent of all of them."""

from __future__ import annotations

from .draws import Draw, draws_of
from .instances import FiniteDensity, Function, Polynomial, random_density, random_function
from .model import Copy, Model
from .series import UndefinedAt

__all__ = [
    "Copy",
    "Draw",
    "FiniteDensity",
    "Function",
    "Model",
    "Polynomial",
    "UndefinedAt",
    "draws_of",
    "random_density",
    "random_function",
]
