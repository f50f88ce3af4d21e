"""Other people's filters, run here: held to the formulas of a document, and to the likelihood of a model.

The formulas are about the particles and ancestors that a run drew, whatever their law: who resamples by
other weights, or moves particles by another law than the one that is divided by, has derivatives that are the
formula still.  So where the likelihood is known, that 𝔼[Ẑ] is the likelihood is tested too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, cast

from ...errors import EvaluationError
from ..exact import exact_derivatives
from ..values import kind
from .finding import Check, Finding
from .importance import SAMPLERS, ImportanceRun
from .pathwise import RUNNERS, plan
from .programs import GUIDED
from .runs import Case, Maker
from .scenes import scene_of
from .session import carry_out
from .statistical import found_of_value

__all__ = ["verify_filter"]

#: Of the test of 𝔼[Ẑ]: N, replicates, and the deviation that is to be seen, as a share of the likelihood.
_PARTICLES, _REPLICATES, _EFFECT = 32, 2000, 0.1
#: T, and where nothing is resampled, so that Ẑ varies more.
_STEPS, _STEPS_WITHOUT = 3, 2


def verify_filter(maker: Maker, estimator: str, scene: str, *, name: str = "", **sizes: Any) -> list[Finding]:
    """Hold a filter of one's own to an estimator of the catalogue, on a model here.

    The derivatives that autograd takes of it are compared with the derived formulas on the particles and
    ancestors that it drew; where the model's likelihood is known, the mean of Ẑ with that.  A check that
    cannot be carried out, since the filter raises or returns what is no run, is *undecided*, and its note
    says why.

    Args:
        maker: N to a filter, whose ``run`` is that of :class:`~.runs.FilterUnderTest`.  With a document about
            a proposal (``dpf_proposal``, ``dpf_reparam``, ``dpf_shared``) particles come from
            ``programs.guide_of(estimator, scene_of(scene))``, whose parameters come with the model's.
        estimator: the name of the document.
        scene: the name of the model.
        name: of the filter, for the findings.
        sizes: as for :func:`~.pathwise.plan`; ``full`` has more runs.

    Raises:
        EvaluationError: as for :func:`~.pathwise.plan`; what is no maker; an estimator that claims nothing of
            the model, or that no filter runs.
    """
    if not callable(maker):
        raise EvaluationError(
            f"a filter is made by a function of N, not by {kind(maker)}", instead="lambda n: MyFilter(n)"
        )
    if not isinstance(estimator, str):
        raise EvaluationError(f"an estimator has a name, not {kind(estimator)}", instead="'dpf'")
    estimator = estimator.removeprefix("@")
    if estimator in SAMPLERS:
        raise EvaluationError(
            f"@{estimator} is about importance sampling, and no filter runs it",
            instead="'sis', 'dpf', …; or compare_pathwise, with what was drawn",
        )
    checks = [(check, _runner(check)) for check in plan(estimator, scene, **sizes) if _is_of(check)]
    if not checks:
        raise EvaluationError(f"@{estimator} claims nothing of {scene}", instead="another model")
    checks += [(check, _value) for check in _of_value(estimator, scene, sizes.get("seed", 1))]
    return [
        carry_out(partial(runner, maker=maker), replace(check, filter=name or estimator))
        for check, runner in checks
    ]


def _is_of(check: Check) -> bool:
    """Whether a check is about any filter of the document: those of schemes and proposals are about ours."""
    s = check.settings
    return check.runner == "formula" and not s["scheme"] and (not s["guided"] or check.filter in GUIDED)


def _runner(check: Check) -> Callable[..., Finding]:
    """What carries out a check of a formula, under whatever name the filter has."""

    def run(named: Check, maker: Maker) -> Finding:
        return replace(RUNNERS[check.runner](check, maker), check=named)

    return run


def _of_value(estimator: str, scene: str, seed: Any) -> Iterator[Check]:
    """The claim about 𝔼[Ẑ], where p(y) is known."""
    if scene_of(scene).log_likelihood is not None:
        steps = _STEPS_WITHOUT if estimator == "sis" else _STEPS
        sizes = {"particles": _PARTICLES, "steps": steps, "replicates": _REPLICATES, "effect": _EFFECT}
        yield Check(
            f"𝔼[Ẑ] = p(y); N = {_PARTICLES}, T = {steps}",
            "statistical",
            "value",
            estimator,
            scene,
            {**sizes, "estimator": estimator, "guided": estimator in GUIDED, "seed": seed},
        )


def _value(check: Check, maker: Maker) -> Finding:
    """The mean of Ẑ/p(y) is 1."""
    s = cast("dict[str, Any]", check.settings)
    case = Case(s["estimator"], check.model, s["particles"], s["steps"], "", s["guided"], maker)
    likelihood = scene_of(check.model).log_likelihood
    assert likelihood is not None
    y, shape = case.observations, (s["replicates"],)
    exact = exact_derivatives(lambda p: likelihood(y, p), case.model.defaults(), order=0)
    run = case.run(case.base.expand(*shape, -1), s["seed"], shape)
    assert not isinstance(run, ImportanceRun)
    return found_of_value(check, run.log_sum.detach() - exact.value, s["effect"])
