"""The filters that are verified, by the names of the catalogue's documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import EvaluationError
from ..filters import ParticleFilter

__all__ = ["PROGRAMS", "filter_of"]

#: What makes a particle filter the algorithm of a document: arguments of :class:`ParticleFilter`.
PROGRAMS: Mapping[str, Mapping[str, Any]] = {
    "sis": {"method": "sis", "correct_initial": False},
    "pf": {"method": "pf", "correct_initial": False},
    "pf_dice": {"method": "pf-sf", "scheme": "multinomial", "correct_initial": False},
    "dpf": {"method": "dpf", "correct_initial": False},
    "dpf_adaptive": {"method": "dpf", "when": 0.5, "correct_initial": False},
    "dpf_initial": {"method": "dpf"},
    "dpf2": {"method": "dpf2", "correct_initial": False},
}


def filter_of(name: str, particles: int, **changes: Any) -> ParticleFilter:
    """The filter that runs a document's algorithm.

    Args:
        name: of the document.
        particles: N.
        changes: arguments of :class:`ParticleFilter` to set otherwise: ``scheme="systematic"``.

    Raises:
        EvaluationError: no filter runs a document of that name.
    """
    if name not in PROGRAMS:
        from difflib import get_close_matches

        near = get_close_matches(name, PROGRAMS, n=2, cutoff=0.4) or list(PROGRAMS)
        raise EvaluationError(f"no filter runs {name!r:.40}", instead=" or ".join(near))
    return ParticleFilter(particles, **{**PROGRAMS[name], **changes})
