"""Which checks there are for filters on models, and how one is carried out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal

from ...errors import EvaluationError
from . import exact, pathwise, statistical
from .finding import KINDS, Check, Finding, Kind
from .programs import PROGRAMS, program_names
from .scenes import SCENES, scene_of

__all__ = ["Size", "carry_out", "fingerprint", "plan"]

#: ``quick`` is for every day and CI, ``full`` for what the README tells.
Size = Literal["quick", "full"]

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
        EvaluationError: a name that there is not; a number that is not positive.
    """
    for name in filters:
        if name not in program_names():
            raise EvaluationError(f"no filter is called {name!r:.40}", instead=_near(name, program_names()))
    for model in models or ():
        scene_of(model)
    for kind in kinds:
        if kind not in KINDS:
            raise EvaluationError(f"no kind of check is called {kind!r:.40}", instead=", ".join(KINDS))
    for what, number in (("particles", particles), ("steps", steps)):
        if number is not None and number < 1:
            raise EvaluationError(f"there cannot be {number} {what}", instead="1, 2, 3, …")
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


def fingerprint() -> str:
    """Changes when the code that decides findings does: results of other code are not resumed."""
    package = Path(__file__).resolve().parents[2]
    digest = sha256()
    for path in sorted([*package.rglob("*.py"), *package.rglob("*.sc"), *package.rglob("*.csv")]):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _longest(scene: str) -> int | None:
    """How many observations a model has; None where they are drawn."""
    data = scene_of(scene).data
    return None if data is None else len(data)


def _near(name: str, known: Sequence[str]) -> str:
    from difflib import get_close_matches

    return " or ".join(get_close_matches(name, known, n=2, cutoff=0.4) or known)
