"""Numbers: evaluation and automatic differentiation in torch, and the checks that compare them.

Importing this package does not import torch; its names do, at first use.  ``evaluate`` and ``autodiff`` are
functions of the modules of these names, and of ``surrogate_calculus`` itself.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Agreement": "compare",
    "Compiled": "compile",
    "Event": "values",
    "Family": "values",
    "check_derivation": "compare",
    "compile_document": "compile",
}

__all__ = ["Agreement", "Compiled", "Event", "Family", "check_derivation", "compile_document"]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{home}", __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
