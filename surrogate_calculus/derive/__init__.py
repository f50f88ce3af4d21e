"""Strategies that find derivations (untrusted: the kernel concludes every step)."""

from .derivation import Derivation
from .engine import derive
from .steps import Step

__all__ = ["Derivation", "Step", "derive"]
