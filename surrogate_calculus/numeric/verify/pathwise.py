"""Pathwise: on the particles and ancestors of one run, autograd of the program is the derived formula.

Both are functions of what was drawn, and the same number: |a - b| ≤ 1e-10 · Σ|summands| of the formula, in
float64, which leaves five digits for sums of some hundred terms and their cancellations.  It is an identity
and no statistic: few runs do, and one that fails is a counterexample.

Where the formula of one entry has small summands, or none, autograd may still sum larger ones that cancel:
those of particles without descendants.  So an entry's Σ|summands| counts as no less than 1e-4 of the largest
entry's of the run, and 1e-14 of that one are let pass.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import product
from typing import Any

import torch
from torch import Tensor

from ...derive import Derivation, derive
from ...errors import EvaluationError, nearest
from ...estimators import load_estimator
from ...language.declarations import Document
from ...language.terms import Num, Sym, add, mul
from ..autodiff import autodiff
from ..document_scene import magnitude
from ..evaluate import evaluate
from ..exact import exact_derivatives
from ..filters import Method, online_score
from ..values import kind
from .finding import Check, Finding, Outcome, Setting, Size, check_sizes
from .importance import SAMPLERS
from .lines import chosen, directions, entries, entry_names
from .programs import GUIDED, PROGRAMS, filter_of, guide_of, program_names, unfit
from .runs import Case, Maker, Replicates, labels, points, replicates
from .scenes import scene_of

__all__ = ["BASIS", "RUNNERS", "TOLERANCE", "compare_pathwise", "plan"]

TOLERANCE = 1e-10
BASIS = "1e-10 of Σ|summands| of the formula, float64"

#: Runs by themselves, and replicates of one more run.
_RUNS: Mapping[str, tuple[int, int]] = {"quick": (1, 2), "full": (12, 8)}
#: N and T where nobody says.
_PARTICLES, _STEPS = 6, 5
#: Numbers (particles, times, replicates, directions) that a formula is evaluated on at once.
_AT_ONCE = 1 << 21
#: Particles × times of all runs together: more runs where they are small.
_TOGETHER = 400_000
#: Largest T, N T and N² T of a formula; and N T up to which every claim is checked at the size asked for.
_LONGEST, _NUMBERS, _PAIRS, _SMALL = 500, 1_000_000, 4_000_000, 2_000
#: Largest N² T of a run of the marginal filter: a minute.
_FORWARD = 400_000_000
#: Of the largest Σ|summands| of a run, what that of an entry counts as at least.
_LEAST = 1e-4
#: How many smaller sizes are tried where a check fails.
_SMALLER = 24


# -- the plan --


def plan(
    filter: str,  # noqa: A002
    scene: str,
    *,
    particles: int | None = None,
    steps: int | None = None,
    seed: int = 1,
    size: Size = "quick",
) -> list[Check]:
    """The checks of one filter on one model; none where its document says nothing of the model.

    Args:
        filter: the name of a document of the catalogue that a program here runs.
        scene: the name of the model.
        particles: N; 6 by default.
        steps: T; by default 5.
        seed: of the first run.
        size: ``full`` has 20 runs of each check, and checks of all resampling schemes; fewer runs where N T
            is large.  Where a formula would not fit into memory, or takes long and is not of the score or the
            Hessian of log Ẑ, the check is of a smaller size, and its claim says so.

    Raises:
        EvaluationError: a name that is not known; data of fewer steps; a number that makes no sense.
    """
    if filter not in program_names():
        raise EvaluationError(f"no program runs {filter!r:.40}", instead=nearest(filter, program_names()))
    where = scene_of(scene)
    check_sizes(particles, steps, seed, size)
    if unfit(filter, where):
        return []
    n = _PARTICLES if particles is None else particles
    t = _STEPS if steps is None else steps
    where.observations(t)

    def check(claim: str, runner: str, largest: tuple[int, int], **settings: Setting) -> Check:
        small_n, small_t = min(n, largest[0]), min(t, largest[1])
        alone, batch = _RUNS[size]
        if (alone + batch) * small_n * small_t > _TOGETHER:
            alone, batch = 1, max(1, min(batch, _TOGETHER // (small_n * small_t) - 1))
        claim += f", at N = {small_n}, T = {small_t}" if (small_n, small_t) != (n, t) else ""
        own = {"particles": small_n, "steps": small_t, "seed": seed, "alone": alone, "batch": batch}
        return Check(claim, "pathwise", runner, filter, scene, {**own, **settings})

    found: list[Check] = []
    for goal, wrt, order in _goals(filter):
        main = "log " in goal and order <= 2
        largest = _largest(filter, t) if main else (n, t) if n * t <= _SMALL else (50, 20)
        for scheme, guided in _settings(filter, scene, order, size if main else "quick"):
            claim = f"{_derivative(goal, wrt, order)} by autograd is the formula derived from @{filter}"
            claim += f", {scheme} resampling" if scheme else ""
            claim += ", from a guided proposal" if guided and filter == "dpf" else ""
            own: dict[str, Setting] = {"goal": goal, "wrt": wrt, "order": order}
            own |= {"scheme": scheme, "guided": guided}
            found.append(check(claim, "formula", largest, **own))
            if main and order == 1 and not scheme and t > 1:
                # Later steps hide what is wrong with the weights of the first particles.
                found.append(check(claim, "formula", (largest[0], 1), **own))
    if filter in SAMPLERS:
        return found
    bits = "log Ẑ and log w̄ are those of the plain filter, to the last bit"
    many: dict[str, Setting] = {"batch": 16} if n * t <= _SMALL else {}  # a last bit may agree by chance
    whole = (math.isqrt(_FORWARD // t), t) if filter == "dpf2" else (n, t)
    found.append(check(bits, "forward", whole, guided=filter in GUIDED, **many))
    if _is_online(filter):
        claim = "the online score, without backpropagation, is the derived formula"
        own = {"goal": "log Z", "wrt": "θ", "order": 1, "scheme": "", "guided": False}
        found.append(check(claim, "online", _largest(filter, t), **own))
    return found


def _is_online(name: str) -> bool:
    return name in PROGRAMS and PROGRAMS[name]["method"] in ("sis", "dpf", "dpf2")


def _goals(name: str) -> list[tuple[str, str, int]]:
    """What is differentiated, in what, how often: what the document claims, and the Hessian with a score."""
    claims = [(str(c.surrogate), c.wrt[0], c.order) for c in load_estimator(name).claims]
    second = [(goal, wrt, 2) for goal, wrt, order in claims if order == 1 and "log " in goal]
    return list(dict.fromkeys([*claims, *second]))


def _settings(name: str, scene: str, order: int, size: str) -> Iterable[tuple[str, bool]]:
    """(scheme, whether guided) of the checks of one goal."""
    if name in GUIDED:
        return [("", True)]
    found = [("", False)]
    if name == "dpf" and size == "full":
        found += [(scheme, False) for scheme in ("multinomial", "stratified", "residual") if order == 1]
        found += [("", True)] if guide_of(name, scene_of(scene)) is not None else []
    return found


def _largest(name: str, t: int) -> tuple[int, int]:
    """The largest N and T at which a formula fits into a GB.

    A formula's program has instructions for each step; the marginal filter, N² numbers in each.
    """
    t = min(t, _LONGEST)
    return max(1, math.isqrt(_PAIRS // t) if name == "dpf2" else _NUMBERS // t), t


_SHOWN = {
    "log Z": "log Ẑ",
    "log V": "log Ẑ",
    "D": "the surrogate",
    "f̄": "Σ w̄ f",
    "Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ))": "Σ w̄ f",
    "Σ[i=1..N](v̄[i] * f(x[i]; θ))": "Σ w̄ f",
    "Z * Σ[i=1..N](v̄[T,i] * f(x̃[1:T,i]; θ))": "Ẑ Σ w̄ f",
    "D * log Z": "D log Ẑ",
    "D * f̄": "D Σ w̄ f",
    "D * Z * f̄": "D Ẑ Σ w̄ f",
}


def _shown(goal: str) -> str:
    """A goal as the reader of a table knows it."""
    return _SHOWN.get(goal, goal)


def _derivative(goal: str, wrt: str, order: int) -> str:
    shown = _shown(goal)
    inner = f"({shown})" if "Σ" in shown else shown
    return f"∇{'' if order == 1 else '²' if order == 2 else '³'}{wrt} {inner}"


# -- autograd and the formula --


@dataclass(frozen=True, eq=False)
class _Compared:
    """Derivatives of one goal, (replicates, entries): by autograd, by formula, by the document as a program.

    Attributes:
        names: of the entries.
        formula: the derived formula's.
        size: the sums of the magnitudes of its summands.
        witnesses: by whom the same was computed otherwise, and what came out.
        value: the goal itself (replicates,): by the program and by the document.
        labels: of the replicates.
    """

    names: list[str]
    formula: Tensor
    size: Tensor
    witnesses: dict[str, Tensor]
    value: tuple[Tensor, Tensor]
    labels: list[str]


#: Who computed a derivative, for the reader who must find the fault.
_BACKWARD, _GRAPH = "", "of the graph that create_graph keeps"
_DOCUMENT = "of the document as a program"


@cache
def _derived(document: str, goal: str, wrt: str, order: int) -> Derivation:
    return derive(goal, wrt, order, given=load_estimator(document).document)


def _compared(case: Case, goal: str, wrt: str, order: int, seed: int, alone: int, batch: int) -> _Compared:
    """Run, differentiate, and evaluate the formula on the same particles.

    What is found of a filter of the package is kept for the other checks of it.  Somebody else's may have
    changed since it was last run, though it is made by the same function.
    """
    compared = _compared_once if case.maker is None else _compared_once.__wrapped__
    return compared(case, goal, wrt, order, seed, alone, batch)


@lru_cache(maxsize=64)
def _compared_once(
    case: Case, goal: str, wrt: str, order: int, seed: int, alone: int, batch: int
) -> _Compared:
    places = case.places(wrt)
    along = directions(len(case.base), places, order)
    runs = replicates(case, goal, order, along, seed=seed, alone=alone, batch=batch)
    derivation = _derived(case.name, goal, wrt, order)
    vector = case.name == "dpf_vector"
    formula, size, document, value = _evaluated(
        case, runs, goal, wrt, order, derivation, None if vector else along
    )
    found = {key: v for key, v in runs.witnesses.items() if key != "value"}
    if order <= 2:
        found = {key: chosen(v, places, order) for key, v in found.items()}
    if vector:
        formula, size, document = (chosen(v, places, order) for v in (formula, size, document))
    else:
        count = len(places)
        formula, document = entries(formula, count, order), entries(document, count, order)
        size = entries(size, count, order, sizes=True)
    witnesses = {_BACKWARD: found["backward"]}
    if "graph" in found:
        witnesses[_GRAPH] = found["graph"]
    witnesses[_DOCUMENT] = document
    every = case.numbers.names
    names = entry_names([every[k] for k in places], order)
    return _Compared(names, formula, size, witnesses, (runs.witnesses["value"], value), runs.labels)


def _evaluated(
    case: Case,
    runs: Replicates,
    goal: str,
    wrt: str,
    order: int,
    derivation: Derivation,
    along: Tensor | None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The formula, the sum of its magnitudes and the document's own derivative, and the goal's value.

    Derivatives are (replicates, directions), or (replicates, P[, P]) of a vector; the value is (replicates,).
    """
    document = load_estimator(case.name).document
    count = len(runs.labels)
    size = case.particles * case.steps * (case.particles if case.name == "dpf2" else 1)
    wide = max(1, _AT_ONCE // size)
    parts = [slice(0, None)] if along is None else _slices(len(along), wide)
    high = max(1, wide // (parts[0].stop or len(case.base) ** order))
    rows: list[list[Tensor]] = []
    for row in _slices(count, high):
        columns = []
        for part in parts:
            values = case.values(runs, row, None if along is None else along[part])
            own = formula_and_size(derivation, values, 2)
            other = torch.as_tensor(autodiff(goal, wrt, order, values, given=document))
            columns.append([v.detach() for v in (*own, other)])
            level = torch.as_tensor(evaluate(goal, values, given=document)).detach()
        shape = (row.stop - row.start, -1)
        if along is None:
            lead = len(columns[0][0].shape) - 2  # axes first, then (replicates, 1)
            found = [v.squeeze(-1).movedim(lead, 0) for v in columns[0]]
        else:
            found = [torch.cat([c[k].expand(shape[0], -1) for c in columns], 1) for k in range(3)]
        rows.append([*found, level.expand(shape[0], level.shape[-1])[:, 0]])
    formula, magnitudes, other, level = (torch.cat(column) for column in zip(*rows, strict=True))
    return formula, magnitudes, other, level


def _slices(count: int, length: int) -> list[slice]:
    return [slice(k, min(count, k + length)) for k in range(0, count, length)]


def formula_and_size(
    derivation: Derivation, values: Mapping[str, Any], batch: int = 0
) -> tuple[Tensor, Tensor]:
    """A derived formula, and the sum of the magnitudes of its summands, in one evaluation.

    A new axis of the batch chooses between the two, so that what they share is computed once.

    Args:
        derivation: whose result is evaluated.
        values: as for :func:`~..evaluate.evaluate`.
        batch: how many dimensions their batch has.
    """
    document = derivation.document
    which = "which"
    while which in values or (document is not None and document.declares(which)):
        which += "x"
    result, chooser = derivation.result, Sym(which)
    both = add(mul(chooser, result), mul(add(Num(1), mul(Num(-1), chooser)), magnitude(result)))
    at = torch.tensor([1.0, 0.0], dtype=torch.float64).reshape(2, *(1,) * batch)
    found = torch.as_tensor(evaluate(both, {**values, which: at}, given=document)).detach()
    formula, size = found.unbind(-1 - batch)
    return formula, size


# -- findings --


@dataclass(frozen=True)
class _Worst:
    """The largest deviation of several, in units of Σ|summands|, and where it is."""

    deviation: float = 0.0
    quantity: str = ""

    def __or__(self, other: _Worst) -> _Worst:
        """The worse of the two: what is no number is worst."""
        if self.deviation != self.deviation or other.deviation <= self.deviation:
            return self
        return other


def _scale(size: Tensor) -> Tensor:
    """Σ|summands| (replicates, entries), none below a share of the largest of its replicate."""
    return torch.maximum(size, _LEAST * size.amax(1, keepdim=True))


def _deviation(
    found: Tensor, expected: Tensor, size: Tensor, name: Callable[[tuple[int, ...]], str]
) -> _Worst:
    """|found - expected| / size; 0 where the two are equal, whatever the size."""
    difference = (found - expected).abs()
    relative = torch.where(difference == 0, 0.0, difference / size)
    if relative.numel() == 0:
        return _Worst()
    bad = torch.isnan(relative)
    place = int((bad.to(torch.int64) if bool(bad.any()) else relative).argmax())
    index: list[int] = []
    for length in reversed(relative.shape):
        place, k = divmod(place, length)
        index.insert(0, k)
    return _Worst(float(relative[tuple(index)]), name(tuple(index)))


def _outcome(deviation: float, tolerance: float) -> Outcome:
    return "agrees" if deviation <= tolerance else "disagrees"


def _worst(found: _Compared, goal: str) -> _Worst:
    """Where autograd, and the document as a program, are farthest from the formula."""

    def name(by: str) -> Callable[[tuple[int, ...]], str]:
        tail = f" {by}" if by else ""
        return lambda at: f"{found.names[at[1]]} of {_shown(goal)}{tail}, {found.labels[at[0]]}"

    worst = _Worst()
    for by, value in found.witnesses.items():
        worst |= _deviation(value, found.formula, _scale(found.size), name(by))
    ours, documents = found.value
    return worst | _deviation(
        ours, documents, documents.abs(), lambda at: f"{_shown(goal)}, {found.labels[at[0]]}"
    )


def _case(check: Check, maker: Maker | None) -> Case:
    s = check.settings
    return Case(
        check.filter,
        check.model,
        int(s["particles"] or 0),
        int(s["steps"] or 0),
        str(s.get("scheme") or ""),
        bool(s.get("guided")),
        maker,
    )


def _arguments(check: Check) -> tuple[str, str, int, int, int, int]:
    s = check.settings
    counts = (int(s[name] or 0) for name in ("order", "seed", "alone", "batch"))
    return (str(s["goal"]), str(s["wrt"]), *counts)  # type: ignore[return-value]


def _formula(check: Check, maker: Maker | None = None) -> Finding:
    """Autograd of the program, and the document as a program, against the derived formula."""
    start = time.perf_counter()
    case, (goal, wrt, order, *_) = _case(check, maker), _arguments(check)
    found = _compared(case, *_arguments(check))
    worst = _worst(found, goal)
    numbers: dict[str, tuple[float, ...]] = {}
    if order == 1 and goal == "log Z":
        numbers = _scores(check, case, found)
    columns = tuple(case.numbers.names[k] for k in case.places(wrt)) if numbers else ()
    return _finding(check, worst, start, maker, numbers, columns)


def _scores(check: Check, case: Case, found: _Compared) -> dict[str, tuple[float, ...]]:
    """The score of the first seed by every means that there is."""
    rows = {"autograd": found.witnesses[_BACKWARD][0], "formula": found.formula[0]}
    places = case.places(str(check.settings["wrt"]))
    own = case.numbers.split(case.base)
    if _is_online(case.name) and case.maker is None:
        how = filter_of(case.name, case.particles, **({"scheme": case.scheme} if case.scheme else {}),
                        proposal=case.guide)  # fmt: skip
        online = online_score(how, case.model, case.observations, own, seed=int(check.settings["seed"] or 0))
        rows["online"] = case.numbers.joined(online.score)[places]
    exact = scene_of(case.scene).log_likelihood
    if exact is not None and case.guide is None:
        y = case.observations
        rows["exact"] = exact_derivatives(lambda p: exact(y, p), own, 1).score[places]
    return {name: tuple(row.tolist()) for name, row in rows.items()}


def _forward(check: Check, maker: Maker | None = None) -> Finding:
    """log Ẑ and log w̄ of a run that is differentiated, and of the plain filter with the same seed."""
    start = time.perf_counter()
    s = check.settings
    case = _case(check, maker)
    alone, batch, seed = int(s["alone"] or 0), int(s["batch"] or 0), int(s["seed"] or 0)
    how = filter_of(case.name, case.particles, proposal=case.guide)
    method: Method = "dpf2" if how.method == "dpf2" else "pf"
    when = "never" if how.method == "sis" else how.when
    plain = replace(how, method=method, gradient="live", when=when, correct_initial=False)
    worst, names = _Worst(), labels(seed, alone, batch)
    for k, (flat, own, shape) in enumerate(points(case.base, seed, alone, batch)):
        run = case.run(flat.clone().requires_grad_(), own, shape)
        parameters = case.numbers.split(flat)
        with torch.no_grad():
            other = plain.run(case.model, case.observations, parameters, seed=own, batch=shape)
        pairs = [("log Ẑ", run.log_sum, other.log_sum, 0)]  # type: ignore[union-attr]
        if how.gradient != "reparameterised":  # whose weights are those of the graph, computed once more
            pairs.append(("log w̄", run.log_weights, other.log_weights, 1))
        for what, mine, theirs, events in pairs:
            ones = torch.ones_like(theirs)
            worst |= _deviation(
                mine.detach(), theirs, ones, lambda at, what=what, k=k, e=events: (  # type: ignore[misc]
                    f"{what}, {names[k + (at[0] if len(at) > e else 0)]}"
                ),
            )  # fmt: skip
    outcome = _outcome(worst.deviation, 0.0)
    seconds = time.perf_counter() - start
    where = "" if outcome == "agrees" else worst.quantity
    return Finding(check, worst.deviation, 0.0, "bit for bit", outcome, where, seconds=seconds)


def _online(check: Check, maker: Maker | None = None) -> Finding:
    """The score that is carried forward with the particles, against the derived formula."""
    start = time.perf_counter()
    case = _case(check, None)
    goal, wrt, _, seed, alone, batch = _arguments(check)
    found = _compared(case, *_arguments(check))
    how = filter_of(case.name, case.particles, proposal=case.guide)
    rows = []
    for at, own, shape in points(case.base, seed, alone, batch):
        parameters = case.numbers.split(at)
        online = online_score(how, case.model, case.observations, parameters, seed=own, batch=shape)
        score = [online.score[name].reshape((*shape, -1)) for name in case.numbers.shapes]
        rows.append(torch.cat(score, -1).reshape(-1, len(case.base)))
    scores = torch.cat(rows)[:, case.places(wrt)]
    worst = _deviation(
        scores, found.formula, _scale(found.size),
        lambda at: f"{found.names[at[1]]} of {_shown(goal)} online, {found.labels[at[0]]}",
    )  # fmt: skip
    return _finding(check, worst, start, maker)


def _finding(
    check: Check,
    worst: _Worst,
    start: float,
    maker: Maker | None,
    numbers: Mapping[str, tuple[float, ...]] | None = None,
    columns: tuple[str, ...] = (),
) -> Finding:
    """A finding, with the smallest size that fails where one does."""
    outcome = _outcome(worst.deviation, TOLERANCE)
    s = check.settings
    note = f"{int(s['alone'] or 0) + int(s['batch'] or 0)} runs"
    if outcome == "disagrees" and not s.get("smaller"):
        note = f"{note}; {_smallest(check, maker)}"
    where = worst.quantity if outcome == "disagrees" else ""
    seconds = time.perf_counter() - start
    return Finding(
        check, worst.deviation, TOLERANCE, BASIS, outcome, where, note, numbers or {}, columns, seconds
    )


def _smallest(check: Check, maker: Maker | None) -> str:
    """The smallest N and T at which a check fails too."""
    s = check.settings
    n, t = int(s["particles"] or 0), int(s["steps"] or 0)
    sizes = sorted(product(range(1, n + 1), range(1, t + 1)), key=lambda size: (sum(size), size[::-1]))
    for particles, steps in sizes[:_SMALLER]:
        smaller = {**s, "particles": particles, "steps": steps, "smaller": True}
        try:
            found = RUNNERS[check.runner](replace(check, settings=smaller), maker)
        except Exception:  # somebody else's filter may fail at N = 1, in any way
            continue
        if found.outcome == "disagrees":
            return f"smallest failing: N = {particles}, T = {steps}, {found.quantity}"
    return f"not at smaller sizes: {len(sizes[:_SMALLER])} tried"


#: What carries out a check, by :attr:`~.finding.Check.runner`.
RUNNERS: Mapping[str, Callable[..., Finding]] = {
    "formula": _formula,
    "forward": _forward,
    "online": _online,
}


# -- other people's filters --


def _numbers(autograd: Any) -> Tensor:
    """What autograd computed, in float64."""
    try:
        found = autograd if isinstance(autograd, Tensor) else torch.as_tensor(autograd, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        found = None
    if found is None or found.is_complex():
        raise EvaluationError(
            f"what autograd computed is {kind(autograd)}, no real numbers",
            instead="θ.grad after .backward(), or torch.autograd.grad(log_z, θ)[0]",
        )
    return found.detach().to("cpu", torch.float64)


def compare_pathwise(
    estimator: str | Document,
    goal: str,
    *,
    autograd: Any,
    values: Mapping[str, Any],
    wrt: str = "θ",
    order: int = 1,
    tolerance: float = TOLERANCE,
    name: str = "",
) -> Finding:
    """Hold a derivative that any program computed to the formula that a document yields.

    Nothing of the program is needed but what one run drew and what came out::

        compare_pathwise("dpf", "log Z", autograd=theta.grad, values={
            "N": 100, "T": 50, "x": x, "a": a + 1, "y": y, "θ": theta, "φ": 0.0,
            "log p": lambda x, y, z, θ: …, "log q": lambda x, z, φ: …})

    Args:
        estimator: the name of a document of the catalogue, or a document.
        goal: what was differentiated, in the document's names.
        autograd: the derivatives, a number or a tensor (*batch); for a vector of parameters
            (P, *batch), and (P, P, *batch) for the second order.
        values: the document's names, as for :func:`~..evaluate.evaluate`: x (T + 1, N, *batch), ancestors a
            (T, N, *batch) from 1, y (T, *batch), parameters (*batch), and densities.
        wrt: the parameter.
        order: how often was differentiated.
        tolerance: of Σ|summands| of the formula.
        name: of the program.

    Raises:
        EvaluationError: no such estimator or name; values that the formula cannot be evaluated on; autograd
            that is no number, or of another shape than the formula.
    """
    start = time.perf_counter()
    if not isinstance(estimator, (str, Document)):
        raise EvaluationError(
            f"an estimator is a name of the catalogue or a document, not {kind(estimator)}", instead="'dpf'"
        )
    if not isinstance(values, Mapping):
        raise EvaluationError(
            f"values map names to numbers, tensors and callables; this is {kind(values)}",
            instead='{"N": 100, "T": 50, "x": x, …, "log p": lambda x, y, z, θ: …}',
        )
    if isinstance(tolerance, bool) or not isinstance(tolerance, (int, float)) or not 0 < tolerance < math.inf:
        raise EvaluationError(
            f"a tolerance is a positive number, not {tolerance!r:.40}", instead=f"tolerance={TOLERANCE:g}"
        )
    mine = _numbers(autograd)
    if isinstance(estimator, str):
        document, title = load_estimator(estimator).document, estimator.removeprefix("@")
        derivation = _derived(title, goal, wrt, order)
    else:
        document, title = estimator, "the document"
        derivation = derive(goal, wrt, order, given=document)
    axes = order if wrt in document.vector_names else 0
    formula, size = formula_and_size(derivation, values, max(0, mine.dim() - axes))
    if formula.shape != mine.shape:
        raise EvaluationError(
            f"autograd has shape {tuple(mine.shape)}, the formula {tuple(formula.shape)}",
            instead="a derivative for each element of the batch of the values",
        )
    power = {1: "", 2: "²", 3: "³"}.get(order, f"^{order}")
    what = f"∂{power}/∂{wrt}{power} of {_shown(goal)}"
    size = torch.maximum(size, _LEAST * size.amax())
    worst = _deviation(mine, formula, size, lambda at: f"{what} at {list(at)}" if at else what)
    claim = f"{_derivative(goal, wrt, order)} by autograd is the formula derived from @{title}"
    settings: dict[str, Setting] = {"goal": goal, "wrt": wrt, "order": order}
    check = Check(claim, "pathwise", "compare", name or title, "", settings)
    outcome = _outcome(worst.deviation, tolerance)
    basis = BASIS if tolerance == TOLERANCE else f"{tolerance:g} of Σ|summands| of the formula"
    where = worst.quantity if outcome == "disagrees" else ""
    return Finding(
        check, worst.deviation, tolerance, basis, outcome, where, seconds=time.perf_counter() - start
    )
