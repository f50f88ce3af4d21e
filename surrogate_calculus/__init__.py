"""surrogate-calculus: the symbolic stop-gradient calculus, and the verifier that holds estimators to it.

A *surrogate expression* contains a stop-gradient ⊥ (``detach``): its value is one thing, what automatic
differentiation makes of it another.  This package derives the estimator, step by step, has a small
kernel replay the derivation, and checks it against torch.

>>> import surrogate_calculus as sc
>>> d = sc.derive("p(x;θ) / ⊥(p(x;θ)) * f(x;θ)", wrt="θ")
>>> print(d)
f(x; θ) * ∇θ log p(x; θ) + ∇θ f(x; θ)

Everything is imported on first use, so that ``import surrogate_calculus`` costs nothing.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .derive import Derivation, Step, derive
    from .derive.prove import prove
    from .derive.theorems import TheoremVerdict, check_document
    from .errors import SurrogateError
    from .kernel import Verdict, check
    from .language.document import load, parse_document
    from .language.latex import parse_latex
    from .language.parser import parse
    from .numeric.autodiff import autodiff
    from .numeric.compare import check_derivation
    from .numeric.compile import compile_document
    from .numeric.evaluate import evaluate

__version__ = "0.1.0"

_WHERE = {
    "Derivation": "derive",
    "Step": "derive",
    "SurrogateError": "errors",
    "TheoremVerdict": "derive.theorems",
    "Verdict": "kernel",
    "autodiff": "numeric.autodiff",
    "check": "kernel",
    "check_derivation": "numeric.compare",
    "check_document": "derive.theorems",
    "compile_document": "numeric.compile",
    "derive": "derive",
    "evaluate": "numeric.evaluate",
    "load": "language.document",
    "parse": "language.parser",
    "parse_document": "language.document",
    "parse_latex": "language.latex",
    "prove": "derive.prove",
}

__all__ = [
    "Derivation",
    "Step",
    "SurrogateError",
    "TheoremVerdict",
    "Verdict",
    "autodiff",
    "check",
    "check_derivation",
    "check_document",
    "compile_document",
    "derive",
    "evaluate",
    "load",
    "parse",
    "parse_document",
    "parse_latex",
    "prove",
]


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    try:
        module = _WHERE[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    return getattr(import_module(f".{module}", __name__), name)


class _Package(ModuleType):
    """This package: importing the submodule ``derive`` does not hide the function of that name."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _WHERE and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
