"""``assert_estimator``: autograd of a loss is the estimator that theory says."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EvaluationError, SurrogateError
from ..language.names import canonical_name
from ..language.terms import Term
from ..printing.text import to_unicode
from .arguments import fraction, orders_of, seed_of, whole_number
from .reports import Agreement, EstimatorDisagrees, rows

if TYPE_CHECKING:
    import torch

    from ..language.declarations import Document
    from ..numeric.losses.comparison import Case, Comparison, Group
    from ..numeric.losses.names import Names
    from ..numeric.losses.program import Reduction
    from ..numeric.losses.theory import Theory
    from ..numeric.values import Value

__all__ = ["assert_estimator"]

#: Points that are looked at besides, to guess what is wrong.
_GUESSED = 8
#: Tensors with more elements are shown by their shape.
_SHOWN = 12


def assert_estimator(
    loss_fn: Callable[..., torch.Tensor],
    *,
    surrogate: str | Term | None = None,
    estimator: Mapping[int, Any] | str | Term | None = None,
    wrt: str | Sequence[str],
    bindings: Mapping[str, Value] | Sequence[Mapping[str, Value]],
    orders: Sequence[int] | None = None,
    given: Document | str | Path | None = None,
    vector: Collection[str] = (),
    reduction: Reduction = None,
    dtype: torch.dtype | None = None,
    tolerance: float | None = None,
    nearby: int = 3,
    seed: int = 0,
) -> Agreement:
    """Assert that the derivatives of a loss under autograd are those of a surrogate, or given formulas.

    The loss is called by keyword with the values that its signature names: an argument ``theta`` or ``θ``
    gets the value of θ, ``log_p`` that of ``"log p"``; ``**values`` gets the rest.  Numbers arrive as
    tensors of ``dtype``, the parameters with ``requires_grad``; whole numbers that the formula uses as counts
    or indices stay ints; callables arrive as they are.  It need not take every value, but must take every
    parameter.  What it samples must be among its arguments: it is run twice to see that it draws nothing.

    Values that are tensors are batches, as for ``sc.evaluate``, and the loss is a tensor with a loss for each
    row, each of which is compared; or, with ``reduction="mean"`` or ``"sum"``, one number for the batch.
    Some dozens of rows show as much as thousands, and take less time.

    At a point where a hypothesis of the derivation fails (a tie of max and min, as inside the clip of PPO)
    the calculus has no derivative, and the loss is held to what autograd makes of the surrogate; the report
    says so.

    Each point is looked at for other values of the parameters nearby, too, so that a factor which is zero at
    one point hides nothing.  The tolerance is 1e-10 · Σ|summands| of the formula in float64 and 1.2e-4 (1,000
    roundings) in float32, with Σ|summands| the largest of the point and those around it.

    Args:
        loss_fn: the loss, of torch tensors.
        surrogate: the formula of the loss, with ⊥ where it detaches: ``"p(x;θ)/⊥(p(x;θ))*f(x;θ)"``.  The
            estimator of each order is derived from it.
        estimator: instead, a formula for each order: ``{1: "f(x;θ) ∇θ log p(x;θ) + ∇θ f(x;θ)", 2: "…"}``;
            with several parameters ``{1: {"θ": "…", "φ": "…"}, 2: {("θ", "θ"): "…", …}}``.
        wrt: the parameter, or several; with several, every mixed derivative is compared.
        bindings: values by name, as ``sc.evaluate`` takes them: numbers, tensors, and callables for
            functions, ``"log p"`` for the logarithm of a density.  A 1-D tensor for a parameter makes it a
            vector.  A list is several points.
        orders: of the derivatives, (1, 2) or those of ``estimator``; 0 is the value, which only a loss that
            is the surrogate itself has.
        given: a document whose declarations hold: one that was loaded, its path, or its text.
        vector: names of vector parameters that neither the values nor the document show to be such.
        reduction: how a loss of one number comes from the rows of a batch.
        dtype: that the loss is run in, torch.float64 or torch.float32.  The formula is evaluated in float64,
            or in ``dtype`` where a callable takes nothing else.
        tolerance: the largest difference that agrees, as a multiple of Σ|summands|.
        nearby: how many further values of the parameters are looked at around each point.
        seed: draws them.

    Returns:
        What was compared, and how close it was.

    Raises:
        EstimatorDisagrees: a derivative differs; its text shows the formula, both values, the smallest input
            found that shows it, and, where one fits the numbers, what the loss computes instead.
        ParseError: a formula is not of the language.
        DeriveError: the estimator cannot be derived.
        EvaluationError: bad input, a value that is missing or used by nobody, a loss that is random, raises,
            or returns what is no loss; or a formula that has no value at a point.
    """
    __tracebackhide__ = True
    from ..numeric.losses.comparison import failures

    try:
        comparison, points = _comparison(
            loss_fn, surrogate, estimator, wrt, bindings, orders, given, vector, reduction, dtype, tolerance
        )
        nearby, seed = whole_number(nearby, "nearby", 0), seed_of(seed)
        _see_determinism(comparison, points[0])
        rng = random.Random(seed)
        groups = [comparison.group(point, nearby, rng) for point in points]
    except SurrogateError as error:
        # The message says it all; where the loss raised, its own traceback is the cause.
        raise error.with_traceback(None) from error.__cause__
    found = failures(groups, comparison)
    if found:
        raise _disagreement(comparison, groups, found, nearby, rng)
    theory = comparison.theory
    by_order: dict[int, tuple[str, ...]] = {}
    for derivative, estimated in theory.estimators.items():
        by_order[len(derivative)] = (*by_order.get(len(derivative), ()), estimated.text)
    return Agreement(
        tuple(by_order),
        sum(len(group.points) for group in groups),
        max(comparison.largest(group) for group in groups),
        comparison.tolerance,
        "of Σ|summands|",
        by_order,
        notes=_notes(groups),
    )


def _notes(groups: Sequence[Group]) -> tuple[str, ...]:
    """Which hypotheses of the formulas do not hold everywhere."""
    blocks = [block for group in groups for point in group.blocks for block in point.values()]
    failing = dict.fromkeys(block.failing for block in blocks if block.failing)
    return tuple(
        f"at some points it fails that {hypothesis}, which the formula rests on; there autograd of the loss "
        "agrees with autograd of the surrogate"
        for hypothesis in failing
    )


def _comparison(
    loss: Callable[..., torch.Tensor],
    surrogate: Any,
    estimator: Any,
    wrt: Any,
    bindings: Any,
    orders: Any,
    given: Any,
    vector: Collection[str],
    reduction: Any,
    dtype: Any,
    tolerance: float | None,
) -> tuple[Comparison, list[dict[str, Value]]]:
    """The loss and its theory, and the points, every argument looked at."""
    __tracebackhide__ = True
    from ..numeric.losses.arguments import signature_of
    from ..numeric.losses.comparison import Comparison, default_tolerance
    from ..numeric.losses.derivatives import see_how_many
    from ..numeric.losses.names import names_of
    from ..numeric.losses.program import REDUCTIONS, Program, lengths_of
    from ..numeric.losses.theory import of_estimator, of_surrogate
    from ..numeric.losses.values import points_of, vectors_of, working_dtype

    if (surrogate is None) == (estimator is None):
        raise EvaluationError(
            "a loss is compared with a surrogate or with the formulas of an estimator; "
            + ("none is given" if surrogate is None else "both are given"),
            instead="surrogate='…', or estimator={1: '…', 2: '…'}",
        )
    if reduction not in REDUCTIONS:
        raise EvaluationError(
            f"a batch is not reduced by {reduction!r:.40}", instead="reduction='mean', or 'sum', or None"
        )
    if orders is None:
        orders = tuple(estimator) if isinstance(estimator, Mapping) else (1, 2)
    orders = orders_of(orders)
    if isinstance(estimator, (str, Term)) and len(orders) == 1:
        estimator = {orders[0]: estimator}
    names = _parameters(wrt)
    document = _document(given)
    points = points_of(bindings, names)
    vectors = vectors_of(points, names, vector)
    for point in points:
        see_how_many(1, sum(lengths_of(point, names).values()), max(orders))
    theory: Theory
    if surrogate is not None:
        theory = of_surrogate(surrogate, names, orders, document, vectors)
    else:
        theory = of_estimator(estimator, names, orders, document, vectors)
    dtype = working_dtype(dtype)
    tolerance = default_tolerance(dtype) if tolerance is None else fraction(tolerance, "tolerance", "1e-8")
    used = names_of(theory)
    program = Program(loss, names, max(orders), reduction, dtype, used.whole)
    for point in points:
        signature = signature_of(loss, point)
        _see_use(point, used, set(signature.names(point).values()))
    return Comparison(program, theory, used, tolerance).evaluable(points[0]), points


def _parameters(wrt: Any) -> tuple[str, ...]:
    names = (wrt,) if isinstance(wrt, str) else wrt
    if not isinstance(names, Sequence) or not names or not all(isinstance(n, str) and n for n in names):
        raise EvaluationError(
            f"wrt is a name or a sequence of names, not {wrt!r:.40}", instead="wrt='θ' or wrt=('θ', 'φ')"
        )
    found = tuple(canonical_name(name.strip()) for name in names)
    if len(set(found)) < len(found):
        raise EvaluationError(
            f"wrt names a parameter twice: {', '.join(found)}", instead="each once; orders says how often"
        )
    return found


def _document(given: Any) -> Any:
    from ..language.declarations import Document
    from ..language.document import load, parse_document

    if given is None or isinstance(given, Document):
        return given
    if isinstance(given, Path):
        return load(given)
    if isinstance(given, str) and given.endswith(".sc") and "\n" not in given:
        return load(given)
    if isinstance(given, str):
        return parse_document(given)
    raise EvaluationError(
        f"given is a document, not {type(given).__name__}", instead="sc.load('model.sc'), or its text"
    )


def _see_use(point: Mapping[str, Value], used: Names, handed: Collection[str]) -> None:
    """Every value is used: a misspelt name is no silent default."""
    __tracebackhide__ = True
    idle = [name for name in point if name not in used.used and name not in handed]
    if idle:
        known = sorted(name for name in used.used if not name.endswith(("()", "[]")))
        raise EvaluationError(
            f"neither a formula nor the loss uses {', '.join(idle)}",
            instead=f"the names of the formulas: {', '.join(known)}; or arguments of the loss",
        )


def _see_determinism(comparison: Comparison, point: Mapping[str, Value]) -> None:
    __tracebackhide__ = True
    found = comparison.first_difference(point)
    if found is not None:
        raise EvaluationError(
            f"the loss is not the same when it is run again: {found[0]:.10g}, then {found[1]:.10g}",
            instead="a loss that draws nothing itself: hand over its samples, or its noise, in bindings",
        )


def _disagreement(
    comparison: Comparison,
    groups: Sequence[Group],
    found: Sequence[Case],
    nearby: int,
    rng: random.Random,
) -> EstimatorDisagrees:
    """The failure of the lowest order, made as small as it gets, and what may have caused it."""
    from ..numeric.losses.explaining import another_surrogate, other_summands
    from ..numeric.losses.theory import operator

    first = found[0]
    case = comparison.smallest(first)
    theory, derivative = comparison.theory, case.derivative
    estimator = theory.estimators[derivative]
    quantity = operator(derivative) or "value"
    differing = {c.derivative for c in found}
    agreeing = [operator(d) or "the value" for d in theory.estimators if d not in differing]
    reduction = comparison.program.reduction
    how = f" (the {'mean' if reduction == 'mean' else 'sum'} over the batch)" if reduction else ""
    inputs = _shown_inputs(case.values, comparison)
    functions = sorted(n for n, v in case.values.items() if callable(v) and not hasattr(v, "dtype"))
    given = f", for {', '.join(functions)} as given" if functions else ""
    points = sum(len(group.points) for group in groups)
    guesses: list[str | None]
    if case.connected:
        # More points than summands, so that a guess that fits them is none by accident.
        more = comparison.more(groups[0].points[0], _GUESSED if nearby else 0, rng)
        guesses = [other_summands(comparison, [*groups, *more], derivative)]
        guesses.append(another_surrogate(comparison, groups, comparison.program.wrt))
        if comparison.may_be_rounding(case):
            guesses.append(
                "so small a difference may be rounding: dtype=torch.float32 compares a loss that computes in "
                "float32 at its precision"
            )
    else:
        guesses = [f"the loss has no graph to {', '.join(comparison.program.wrt)}: its derivatives are 0"]
    text = rows(
        f"autograd of the loss is not its estimator at order {len(derivative)}: {quantity}"
        + _coordinates(case, theory),
        [
            ("surrogate", _text(theory)),
            ("derived" if theory.surrogate is not None else "formula", f"{estimator.text}{how}"),
            ("given that", estimator.given_that),
            ("smallest input", (", ".join(f"{n} = {v}" for n, v in inputs.items()) or "no numbers") + given),
            ("by autograd of the surrogate" if case.failing else "by the formula", f"{case.expected:.12g}"),
            ("by autograd of the loss" if case.failing else "by autograd", f"{case.found:.12g}"),
            ("difference", f"{case.found - case.expected:.6g}"),
            ("tolerance", f"{case.allowed:.2g} = {comparison.tolerance:.2g} · Σ|summands|"),
            ("it seems that", "; ".join(g for g in guesses if g)),
            ("where fails that", case.failing or ""),
            ("agrees", ", ".join(agreeing)),
            ("looked at", f"{points} point(s), {points - len(groups)} of them near those given"),
        ],
    )
    return EstimatorDisagrees(
        text,
        formula=estimator.text,
        order=len(derivative),
        quantity=quantity,
        expected=case.expected,
        found=case.found,
        tolerance=case.allowed,
        inputs=inputs,
    )


def _text(theory: Theory) -> str:
    return "" if theory.surrogate is None else to_unicode(theory.surrogate, vector=theory.vectors)


def _coordinates(case: Case, theory: Theory) -> str:
    """`` at coordinates 1, 2``, counted from 1 as the language does."""
    shown = [k + 1 for k, n in zip(case.place[1:], case.derivative, strict=True) if n in theory.vectors]
    if not shown:
        return ""
    return f", coordinate{'s' if len(shown) > 1 else ''} {', '.join(map(str, shown))}"


def _shown_inputs(values: Mapping[str, Value], comparison: Comparison) -> dict[str, Any]:
    """The numbers of a point by name; long tensors by their shape."""
    out: dict[str, Any] = {}
    for name, value in values.items():
        plain: Any = getattr(value, "tensor", value)
        if hasattr(plain, "tolist"):
            shape = tuple(plain.shape)
            out[name] = plain.tolist() if plain.numel() <= _SHOWN else f"a tensor of shape {shape}"
        elif not callable(value) and not isinstance(value, Mapping):
            out[name] = value
    wrt = comparison.program.wrt
    return {**{n: out[n] for n in wrt if n in out}, **{n: v for n, v in out.items() if n not in wrt}}
