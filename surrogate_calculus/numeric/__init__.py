"""Numbers: evaluation and automatic differentiation in torch, and the checks that compare them.

Importing this package does not import torch; its names do, at first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Agreement": "compare",
    "Event": "values",
    "autodiff": "autodiff",
    "check_derivation": "compare",
    "evaluate": "evaluate",
}

__all__ = ["Agreement", "Event", "autodiff", "check_derivation", "evaluate"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
