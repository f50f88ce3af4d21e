"""The formulas that a loss is held against: an estimator for each derivative, evaluated row by row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import Any

import torch
from torch import Tensor

from ...derive import derive
from ...errors import DeriveError, EvaluationError, UndeclaredZeroError
from ...language.names import canonical_name
from ...language.terms import HAS_AXIS, Num, Term
from ...printing.hypotheses import statement
from ...printing.text import summary, to_unicode
from ..autodiff import autodiff
from ..document_scene import magnitude
from ..evaluate import evaluate, open_axes
from ..point import as_tensor
from ..values import Value, kind

__all__ = [
    "Derivative",
    "Estimator",
    "Theory",
    "of_estimator",
    "of_surrogate",
    "operator",
]

#: The parameters of a derivative, innermost first; () is the value itself.
Derivative = tuple[str, ...]


@dataclass(frozen=True)
class Estimator:
    """What one derivative of a loss should be.

    Attributes:
        term: the formula.
        size: Σ|summands| of it, a formula too.
        text: the formula in Unicode.
        document: the declarations that it is read with, and what was defined on the way to it.
        hypotheses: what it was derived under, as (kind, term).
    """

    term: Term
    size: Term
    text: str
    document: Any = None
    hypotheses: tuple[tuple[str, Term], ...] = ()

    @property
    def given_that(self) -> str:
        """The hypotheses as text, "" for none."""
        return " and ".join(statement(kind, term) for kind, term in self.hypotheses)


@dataclass(frozen=True)
class Theory:
    """The formulas of all derivatives that are looked at.

    Attributes:
        estimators: by derivative; those of lower order first.
        surrogate: what they were derived from, None where they were given.
        document: the declarations that the surrogate is read with.
        vectors: names of vector parameters.
        dtype: of evaluation.
    """

    estimators: Mapping[Derivative, Estimator]
    surrogate: Term | None
    document: Any
    vectors: frozenset[str]
    dtype: torch.dtype = torch.float64

    def rows(self, values: Mapping[str, Value]) -> tuple[int, ...]:
        """The batch shape of a point: what the values of the formulas broadcast to.

        Raises:
            EvaluationError: a formula has no value at the point.
        """
        # With a surrogate all formulas are about its names.
        terms = [(e.term, e.document) for e in self.estimators.values()]
        if self.surrogate is not None:
            terms = [(self.surrogate, self.document)]
        shapes = []
        for term, document in terms:
            value = self._number(term, values, {}, document)
            shapes.append(value.shape[open_axes(term) :])
        return tuple(torch.broadcast_shapes(*shapes))

    def block(
        self,
        term: Term,
        derivative: Derivative,
        values: Mapping[str, Value],
        lengths: Mapping[str, int],
        rows: tuple[int, ...],
        document: Any,
    ) -> Tensor:
        """A formula's value at every row, of shape (rows, K₁, …, Kₖ), one length for each parameter.

        Raises:
            EvaluationError: the formula has no value at the point.
        """
        vectors = [name for name in derivative if name in self.vectors]
        axes = {number: lengths[name] for number, name in enumerate(vectors, 1)}
        return self._laid_out(self._number(term, values, axes, document), derivative, lengths, rows)

    def autodiff(
        self,
        surrogate: Term,
        derivative: Derivative,
        values: Mapping[str, Value],
        lengths: Mapping[str, int],
        rows: tuple[int, ...],
    ) -> Tensor:
        """What ``torch.autograd`` makes of another surrogate, laid out as :meth:`block` does.

        Raises:
            EvaluationError: it has no value at the point.
        """
        given = {name: v for name, v in values.items() if isinstance(name, str)}
        found = autodiff(
            surrogate, derivative, values=given, given=self.document, vector=self.vectors, dtype=self.dtype
        )
        return self._laid_out(as_tensor(found).detach(), derivative, lengths, rows)

    def _laid_out(
        self, value: Tensor, derivative: Derivative, lengths: Mapping[str, int], rows: tuple[int, ...]
    ) -> Tensor:
        shape = [lengths[name] if name in self.vectors else 1 for name in derivative]
        count = sum(name in self.vectors for name in derivative)
        batch = value.shape[count:] if value.dim() >= count else ()
        squeezed = [lengths[name] for name in derivative if name in self.vectors]
        value = value.broadcast_to((*squeezed, *batch)).reshape((*shape, *batch))
        value = value.reshape((*shape, *(1,) * (len(rows) - len(batch)), *batch))
        size = 1
        for n in rows:
            size *= n
        value = value.broadcast_to((*shape, *rows)).reshape((*shape, size))
        return value.movedim(-1, 0).to("cpu", torch.float64)

    def _number(
        self, term: Term, values: Mapping[str, Value], axes: Mapping[int, int], document: Any
    ) -> Tensor:
        found = evaluate(term, values, dtype=self.dtype, axes=axes, vector=self.vectors, given=document)
        return as_tensor(found).detach()

    def failing_hypothesis(self, values: Mapping[str, Value]) -> str | None:
        """What the formulas were derived under and does not hold at a point, in words; or None.

        Raises:
            EvaluationError: a hypothesis has no value at the point.
        """
        for estimator in self.estimators.values():
            for what, term in estimator.hypotheses:
                # What is said for every index or coordinate holds at no single number, and is not looked at.
                if what not in ("nonzero", "positive") or term.loose or term.flags & HAS_AXIS:
                    continue
                value = self._number(term, values, {}, estimator.document)
                if bool((value <= 0).any() if what == "positive" else (value == 0).any()):
                    return statement(what, term)
        return None

    def at_precision(self, dtype: torch.dtype) -> Theory:
        """The same formulas, evaluated in another dtype."""
        return replace(self, dtype=dtype)


def operator(derivative: Derivative) -> str:
    """``∇²θ``, ``∇φ ∇θ``, or "" for the value."""
    if len(set(derivative)) == 1 and len(derivative) > 1:
        power = "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(len(derivative)))
        return f"∇{power}{derivative[0]}"
    return " ".join(f"∇{name}" for name in reversed(derivative))


def of_surrogate(
    surrogate: Term | str,
    wrt: Sequence[str],
    orders: Sequence[int],
    document: Any,
    vectors: Collection[str],
) -> Theory:
    """The estimators that a surrogate yields under automatic differentiation, derived.

    Args:
        surrogate: a scalar, a term or text.
        wrt: the parameters; every mixed derivative is one of the formulas.
        orders: each at least 0; order 0 is the value.
        document: declarations, or None.
        vectors: names of vector parameters.

    Raises:
        ParseError: the text is not of the language.
        DeriveError: as :func:`~surrogate_calculus.derive.derive`.
        EvaluationError: the surrogate is no scalar.
    """
    term = _read(surrogate, "a surrogate", document, vectors)
    if open_axes(term):
        raise EvaluationError(
            f"the surrogate {summary(term)} is no number but has coordinates",
            instead="a scalar, as loss functions are",
        )
    vectors = _vectors(document, vectors)
    estimators: dict[Derivative, Estimator] = {}
    for derivative in _derivatives(wrt, orders):
        if not derivative:
            estimators[()] = Estimator(term, magnitude(term), to_unicode(term, vector=vectors), document)
            continue
        single = len(set(derivative)) == 1
        names = derivative[0] if single else derivative
        try:
            found = derive(term, names, len(derivative) if single else 1, given=document, vector=vectors)
        except UndeclaredZeroError:
            if len(derivative) == 1:
                raise
            # A second derivative may well be 0, and the loss is held to it.
            estimators[derivative] = Estimator(Num(0), Num(0), "0", document)
            continue
        hypotheses = tuple((h.kind, h.term) for h in found.hypotheses)
        estimators[derivative] = Estimator(
            found.result, magnitude(found.result), str(found), found.document or document, hypotheses
        )
    return Theory(estimators, term, document, frozenset(vectors))


def of_estimator(
    estimator: Any,
    wrt: Sequence[str],
    orders: Sequence[int],
    document: Any,
    vectors: Collection[str],
) -> Theory:
    """Formulas that were given, one for each derivative.

    Args:
        estimator: from order to formula; with several parameters to a mapping from parameters (a name, or
            a tuple of names) to formula.
        wrt: the parameters.
        orders: the orders, all of which need a formula.
        document: declarations, or None.
        vectors: names of vector parameters.

    Raises:
        ParseError: a text is not of the language.
        EvaluationError: an order without a formula, a formula without its order, or of the wrong shape.
    """
    vectors = _vectors(document, vectors)
    _orders_of(estimator, orders)
    estimators: dict[Derivative, Estimator] = {}
    for order in orders:
        given = _by_derivative(estimator[order], order, wrt)
        for derivative in _derivatives(wrt, [order]):
            if derivative not in given:
                raise EvaluationError(
                    f"the estimator of order {order} has no formula for {operator(derivative)}",
                    instead=f"{{{order}: {{{derivative!r}: '…', …}}}}",
                )
            what = f"the estimator of order {order}"
            term = _read(given[derivative], what, document, vectors)
            _see_axes(term, derivative, vectors)
            text = to_unicode(term, vector=vectors)
            estimators[derivative] = Estimator(term, magnitude(term), text, document)
    return Theory(estimators, None, document, frozenset(vectors))


def _orders_of(estimator: Any, orders: Sequence[int]) -> None:
    listed = ", ".join(map(str, orders))
    if isinstance(estimator, (str, Term)):
        raise EvaluationError(
            f"one formula is given as the estimator of the orders {listed}; the estimator of order 2 is not "
            "the derivative of the formula of order 1, in which what was stopped is free again",
            instead="a formula for each order: estimator={1: 'f(x;θ) ∇θ log p(x;θ) + ∇θ f(x;θ)', 2: '…'}; "
            "or surrogate='…', from which they are derived",
        )
    if not isinstance(estimator, Mapping):
        raise EvaluationError(
            f"an estimator maps orders to formulas; this is {kind(estimator)}",
            instead="estimator={1: '∇θ f(x;θ)', 2: '∇²θ f(x;θ)'}",
        )
    missing = [order for order in orders if order not in estimator]
    if missing:
        raise EvaluationError(
            f"the estimator has no formula of order {', '.join(map(str, missing))}",
            instead=f"one for each of the orders {listed}",
        )
    surplus = [order for order in estimator if order not in orders]
    if surplus:
        raise EvaluationError(
            f"the estimator has a formula for {', '.join(map(repr, surplus))}, which is not among the orders "
            f"{listed}",
            instead="orders=(1, 2), or no formula that is not looked at",
        )


def _by_derivative(given: Any, order: int, wrt: Sequence[str]) -> dict[Derivative, Any]:
    """The formulas of one order by the parameters of the derivative, in the order of ``wrt``."""
    if not isinstance(given, Mapping):
        if len(wrt) > 1 and order:
            raise EvaluationError(
                f"the estimator of order {order} is one formula, and there are the parameters "
                + ", ".join(wrt),
                instead=f"{{{order}: {{'{wrt[0]}': '…', '{wrt[1]}': '…'}}}}, at order 2 with pairs of names",
            )
        return {(wrt[0],) * order: given}
    found = {}
    for key, formula in given.items():
        names = (key,) if isinstance(key, str) else key
        if not isinstance(names, tuple) or not all(isinstance(n, str) for n in names):
            raise EvaluationError(
                f"{key!r} names no derivative", instead="a parameter, or a tuple of parameters"
            )
        names = tuple(canonical_name(n) for n in names)
        strange = [n for n in names if n not in wrt]
        if strange or len(names) != order:
            raise EvaluationError(
                f"{key!r} is no derivative of order {order} in {', '.join(wrt)}",
                instead=" or ".join(map(repr, _derivatives(wrt, [order]))),
            )
        found[tuple(sorted(names, key=list(wrt).index))] = formula
    return found


def _see_axes(term: Term, derivative: Derivative, vectors: Collection[str]) -> None:
    """A formula has a coordinate for each vector parameter of its derivative, or is 0."""
    wanted, has = sum(name in vectors for name in derivative), open_axes(term)
    if has != wanted and not (isinstance(term, Num) and term.value == 0):
        shape = ("a number", "a vector, as ∇θ log p is", "a matrix, as ∇²θ f or ∇θ f ⊗ ∇θ f")
        kinds = [shape[n] if n < len(shape) else f"an array of {n} dimensions" for n in (has, wanted)]
        is_, should_be = (k.split(",")[0] for k in kinds)
        shown = to_unicode(term, vector=vectors)
        raise EvaluationError(
            f"the formula {shown} is {is_}, and {operator(derivative) or 'a loss'} is {should_be}",
            instead=kinds[1],
        )


def _derivatives(wrt: Sequence[str], orders: Sequence[int]) -> list[Derivative]:
    return [d for order in sorted(orders) for d in combinations_with_replacement(wrt, order)]


def _vectors(document: Any, vectors: Collection[str]) -> frozenset[str]:
    declared = getattr(document, "vector_names", ()) if document is not None else ()
    return frozenset({*vectors, *declared})


def _read(formula: Any, what: str, document: Any, vectors: Collection[str]) -> Term:
    if isinstance(formula, str):
        from ...language.parser import parse

        formula = parse(formula, document, vector=vectors)
    if not isinstance(formula, Term):
        raise EvaluationError(
            f"{what} is a formula, a text or a term, not {kind(formula)}", instead="'f(x;θ) ∇θ log p(x;θ)'"
        )
    if formula.loose:
        raise DeriveError("the formula has an index that nothing binds")
    return formula
