"""The verifier: whether autodiff of a particle filter, as it runs, is what theory says.

A :class:`Check` is one claim about one filter on one model, as plain data; carrying it out gives a
:class:`Finding`.  There are three kinds (design: pathwise, exact, statistical):

``pathwise``    on the particles and ancestors of one run, autograd is the derived formula: an identity.
``exact``       on a finite model every run is enumerated: an expectation is a finite sum.
``statistical`` against a known score, by a test whose false-alarm rate and power are stated.

``surrogate verify`` is the command; :func:`plan`, :func:`carry_out` and :func:`run_checks` are what it is
made of.  Somebody else's filter is held to a formula by :func:`compare_pathwise`, which needs what one run
drew and what autograd made of it, or by :func:`verify_filter`, which runs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .finding import Check, Finding, Kind, Outcome

if TYPE_CHECKING:
    from .foreign import verify_filter
    from .pathwise import compare_pathwise
    from .planning import carry_out, plan
    from .report import write_report
    from .session import run_checks

_HOMES = {
    "carry_out": "planning",
    "compare_pathwise": "pathwise",
    "plan": "planning",
    "run_checks": "session",
    "verify_filter": "foreign",
    "write_report": "report",
}

__all__ = [
    "Check",
    "Finding",
    "Kind",
    "Outcome",
    "carry_out",
    "compare_pathwise",
    "plan",
    "run_checks",
    "verify_filter",
    "write_report",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{home}", __name__), name)
