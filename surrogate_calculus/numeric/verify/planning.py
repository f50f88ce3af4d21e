"""Which checks there are for filters on models, and how one is carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ...errors import EvaluationError, nearest
from . import exact, pathwise, statistical
from .finding import KINDS, Check, Finding, Kind, Size, check_sizes
from .programs import PROGRAMS, program_names
from .scenes import SCENES, scene_of

__all__ = ["carry_out", "plan"]

_MODULES = {"pathwise": pathwise, "exact": exact, "statistical": statistical}


def plan(
    filters: Sequence[str],
    models: Sequence[str] | None = None,
    *,
    kinds: Sequence[Kind] = KINDS,
    particles: int | None = None,
    steps: int | None = None,
    seed: int = 0,
    size: Size = "quick",
) -> list[Check]:
    """The checks of some filters on some models.

    Args:
        filters: their names.
        models: names of models; None for all.
        kinds: of checks.
        particles: N, for all checks that leave it open; None for sizes that suit each.
        steps: T, likewise.
        seed: of everything random.
        size: how much is done.

    Raises:
        EvaluationError: a name that there is not; a number that makes no sense; nothing is claimed of these.
    """
    for name in filters:
        if name not in program_names():
            raise EvaluationError(
                f"no filter is called {name!r:.40}", instead=nearest(name, program_names())
            )
    for model in models or ():
        scene_of(model)
    for kind in kinds:
        if kind not in KINDS:
            raise EvaluationError(f"no kind of check is called {kind!r:.40}", instead=", ".join(KINDS))
    check_sizes(particles, steps, seed, size)
    scenes = [name for name in SCENES if models is None or name in models]
    if steps is not None:
        if models is None:  # those whose data suffice; one that was named must
            scenes = [name for name in scenes if _longest(name) is None or steps <= (_longest(name) or 0)]
        for name in scenes:
            scene_of(name).observations(steps)
    found = [
        check
        for name in filters
        for scene in scenes
        for kind in KINDS
        if kind in kinds and (kind == "pathwise" or name in PROGRAMS)
        for check in _MODULES[kind].plan(name, scene, particles=particles, steps=steps, seed=seed, size=size)
    ]
    if not found:
        raise EvaluationError(
            f"nothing is claimed of {', '.join(filters)} on {', '.join(scenes)}"
            f" that is checked this way ({', '.join(kinds)})",
            instead="another --model or --kind, or neither",
        )
    return found


def carry_out(check: Check) -> Finding:
    """Do what a check says.

    Raises:
        EvaluationError: it names no runner, or its settings make no sense.
    """
    runners: dict[str, Callable[[Check], Finding]] = dict(_MODULES[check.kind].RUNNERS)
    if check.runner not in runners:
        raise EvaluationError(f"no {check.kind} check is called {check.runner!r:.40}")
    return runners[check.runner](check)


def _longest(scene: str) -> int | None:
    """How many observations a model has; None where they are drawn."""
    data = scene_of(scene).data
    return None if data is None else len(data)
