"""The exact two-copy model: the judge of every rule, independent of all of them."""

from __future__ import annotations

from .instances import Function, Polynomial, random_function
from .model import Copy, Model
from .series import UndefinedAt

__all__ = ["Copy", "Function", "Model", "Polynomial", "UndefinedAt", "random_function"]
