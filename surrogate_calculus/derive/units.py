"""Flat terms with the same derivative, as units: a weight, a bracket such as ``(f - f̄)``, the derivative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from .factors import Factors, content, dependent, divided, shared
from .flat import Flat, Flattener, Ranges
from .order import Order

__all__ = ["Unit", "Units"]


@dataclass(frozen=True)
class Unit:
    """``number * Σ…(common * bracket * gradients)``: the terms that share their derivative."""

    number: Fraction
    ranges: Ranges
    common: Factors
    bracket: tuple[tuple[Fraction, Factors], ...]
    gradients: Factors


class Units:
    """Makes units of flat terms.

    Args:
        flattener: of the proof.
        order: an order of its terms.
    """

    def __init__(self, flattener: Flattener, order: Order) -> None:
        self.moved = flattener.moved
        self.derivative = flattener.derivative
        self.order = order

    def of(self, flats: Sequence[Flat]) -> list[Unit]:
        """Flat terms with the same derivative, joined where they make a bracket behind a weight."""
        groups: dict[object, list[Flat]] = {}
        for flat in flats:
            gradients = {f: e for f, e in flat.factors.items() if self.derivative(f)}
            groups.setdefault((flat.ranges, frozenset(gradients.items())), []).append(flat)
        out: list[Unit] = []
        for group in groups.values():
            out += self._bracketed(group)
        return out

    def _bracketed(self, group: Sequence[Flat]) -> list[Unit]:
        whole = self._unit(group)
        if len(group) == 1 or not group[0].ranges or dependent(whole.common, len(whole.ranges)):
            return [whole]
        parts: dict[object, list[Flat]] = {}
        for flat in group:
            free = self.free(flat.factors, len(flat.ranges))
            parts.setdefault(frozenset(free.items()), []).append(flat)
        return [self._unit(part) for part in parts.values()]

    def _unit(self, group: Sequence[Flat]) -> Unit:
        gradients = {f: e for f, e in group[0].factors.items() if self.derivative(f)}
        values = [{f: e for f, e in flat.factors.items() if f not in gradients} for flat in group]
        common = shared(values)
        rest = [(flat.number, divided(v, common)) for flat, v in zip(group, values, strict=True)]
        if len(rest) == 1:
            return Unit(rest[0][0], group[0].ranges, common, (), gradients)
        depth = len(group[0].ranges)

        def place(item: tuple[Fraction, Factors]) -> tuple[Any, ...]:
            return not dependent(item[1], depth), self.key(item[1])

        rest.sort(key=place)
        number = content([n for n, _ in rest])
        bracket = tuple((n / number, factors) for n, factors in rest)
        return Unit(number, group[0].ranges, common, bracket, gradients)

    def free(self, factors: Factors, depth: int) -> Factors:
        """The factors that use none of the innermost ``depth`` indices, as seen from outside those sums."""
        used = dependent(factors, depth)
        return {self.moved(f, -depth): e for f, e in factors.items() if f not in used}

    def key(self, factors: Factors) -> tuple[Any, ...]:
        """What products are sorted by."""
        return len(factors), sorted((self.order.key(f), -e) for f, e in factors.items())
