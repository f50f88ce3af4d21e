"""The filters that are verified, by the names of the catalogue's documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError, nearest
from ..filters import ParticleFilter
from ..models import LinearGuide, OptimalGuide
from ..models.proposals import Line
from ..models.protocol import filled_in
from .importance import SAMPLERS
from .scenes import Scene

__all__ = [
    "GUIDED",
    "PROGRAMS",
    "REPARAMETERISED",
    "VARIANTS",
    "BlindGuide",
    "filter_of",
    "guide_of",
    "program_names",
    "unfit",
]

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

#: Documents of the same algorithm that differentiate otherwise: in a vector, or through a proposal.
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    "dpf_vector": {"method": "dpf", "correct_initial": False},
    "dpf_proposal": {"method": "dpf", "gradient": "live"},
    "dpf_reparam": {"method": "dpf", "gradient": "reparameterised"},
    "dpf_shared": {"method": "dpf", "gradient": "reparameterised"},
}

#: Those of them that are about a proposal, and of them those whose particles are functions of noise.
GUIDED = ("dpf_proposal", "dpf_reparam", "dpf_shared")
REPARAMETERISED = ("dpf_reparam", "dpf_shared")

#: Intercept, slopes in x and y, and deviation of a proposal that is far from the transition, by scene.
_GUIDES: Mapping[str, tuple[float, float, float, float]] = {
    "lgssm": (0.1, 0.6, 0.3, 1.2),
    "nile": (0.0, 0.5, 0.5, 150.0),
    "volatility": (0.5, 0.7, 0.1, 1.3),
    "growth": (1.0, 0.5, 0.2, 6.0),
}


@dataclass(frozen=True)
class BlindGuide(LinearGuide):
    """q(x_t | x_{t-1}) = N(b + a x_{t-1}, s²): it does not look at the observation."""

    k: float = 0.0

    parameters = {"guide_b": (), "guide_a": (), "guide_log_s": ()}  # noqa: RUF012

    def defaults(self) -> dict[str, Tensor]:
        """Its own values."""
        return {name: value for name, value in super().defaults().items() if name != "guide_k"}

    def natural(self, parameters: Mapping[str, Tensor]) -> Line:
        """The line and the deviation."""
        p = filled_in(self, parameters)
        return Line(p["guide_b"], p["guide_a"], torch.zeros_like(p["guide_a"]), torch.exp(p["guide_log_s"]))


def program_names() -> tuple[str, ...]:
    """The catalogue's documents that a program here runs."""
    return (*PROGRAMS, *VARIANTS, *SAMPLERS)


def filter_of(name: str, particles: int, **changes: Any) -> ParticleFilter:
    """The filter that runs a document's algorithm.

    Args:
        name: of the document.
        particles: N.
        changes: arguments of :class:`ParticleFilter` to set otherwise: ``scheme="systematic"``.

    Raises:
        EvaluationError: no filter runs a document of that name.
    """
    known = {**PROGRAMS, **VARIANTS}
    if name not in known:
        raise EvaluationError(f"no filter runs {name!r:.40}", instead=nearest(name, known))
    return ParticleFilter(particles, **{**known[name], **changes})


def guide_of(name: str, scene: Scene) -> Any:
    """A proposal for the documents that are about one: None for the transition itself.

    Args:
        name: of the document; that of a reparameterised one has no observation in its proposal.
        scene: the model.
    """
    values = _GUIDES.get(scene.name)
    if values is None:
        return OptimalGuide(scene.model) if scene.name == "lgssm2" else None
    if name in REPARAMETERISED:
        b, a, k, s = values
        return BlindGuide(b, a + k, 0.0, s)
    return LinearGuide(*values)


def unfit(name: str, scene: Scene) -> str:
    """Why a document says nothing of a model, or "" where it does."""
    model = scene.model
    if name == "dpf_initial" and not scene.parametric_start:
        return "the law of the first state has no parameters"
    if name in REPARAMETERISED:
        if model.discrete:
            return "no gradient passes through whole numbers"
        if model.event:
            return "the document's particles are numbers"
        if scene.parametric_start:
            return "the document's first particles are constants"
    return ""
