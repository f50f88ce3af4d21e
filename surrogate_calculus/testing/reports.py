"""What an assertion says: a report where the numbers agree, an ``AssertionError`` with data where not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

__all__ = ["Agreement", "BiasFound", "Disagreement", "EstimatorDisagrees", "rows"]


@dataclass(frozen=True)
class Agreement:
    """Numbers that agree.  It is never a proof.

    Attributes:
        orders: the orders of the derivatives that were compared.
        points: at how many values of the parameters.
        deviation: the largest difference, in the unit of the tolerance.
        tolerance: what is allowed.
        basis: what the tolerance is a multiple of.
        formulas: by order, what the derivatives were compared with; empty where it is no formula.
        replicates: of a statistical test, else None.
        power: of a statistical test, else None.
        notes: what the reader should know.
    """

    orders: tuple[int, ...]
    points: int
    deviation: float
    tolerance: float
    basis: str
    formulas: Mapping[int, tuple[str, ...]]
    replicates: int | None = None
    power: float | None = None
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        """The finding in a sentence."""
        orders = ", ".join(map(str, self.orders))
        text = (
            f"agrees at order(s) {orders}, at {self.points} point(s): largest deviation "
            f"{self.deviation:.2g}, tolerance {self.tolerance:.2g} {self.basis}"
        )
        if self.replicates is not None:
            text += f"; {self.replicates} replicates, power {self.power:.3g}"
        return "\n".join((text + " (numbers that agree prove nothing)", *self.notes))


class Disagreement(AssertionError):
    """A derivative that is not what it should be.

    Attributes:
        order: the lowest that differs.
        quantity: which derivative it is, of that order.
        expected: what it should be.
        found: what it is.
        tolerance: the largest difference that agrees.
        inputs: the smallest input found that shows it.
    """

    def __init__(
        self,
        text: str,
        *,
        order: int,
        quantity: str,
        expected: float,
        found: float,
        tolerance: float,
        inputs: Mapping[str, Any],
    ) -> None:
        super().__init__(text)
        self.order = order
        self.quantity = quantity
        self.expected = expected
        self.found = found
        self.tolerance = tolerance
        self.inputs = dict(inputs)

    @property
    def difference(self) -> float:
        """What was found less what was expected."""
        return self.found - self.expected


class EstimatorDisagrees(Disagreement):
    """Autograd of a loss is not the estimator that it should be.

    Attributes:
        formula: the estimator, in Unicode.
    """

    def __init__(self, text: str, *, formula: str, **data: Any) -> None:
        super().__init__(text, **data)
        self.formula = formula


class BiasFound(Disagreement):
    """The mean of a loss's derivative is not the derivative of the target."""


def rows(title: str, lines: Sequence[tuple[str, str]]) -> str:
    """A title, and below it named lines, aligned; those without text are left out."""
    kept = [(name, text) for name, text in lines if text]
    width = max((len(name) for name, _ in kept), default=0)
    return "\n".join([title, *(f"  {name:<{width}}  {text}" for name, text in kept)])
