"""A loss against the formulas of its derivatives, at points and around them; the smallest failing case.

The tolerance is a multiple of Σ|summands| of the formula, since summands that cancel leave the rounding of
the large ones behind.  A loss may agree with a formula by accident at a single point (a factor that is zero
there), so that each point is looked at for other values of the parameters, too.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ...errors import EvaluationError
from ..values import Value
from .names import Names
from .program import Program, Run, lengths_of, parameter
from .shrinking import fewer_rows, simpler
from .theory import Derivative, Theory

__all__ = ["Block", "Case", "Comparison", "Group", "default_tolerance", "failures"]

Values = Mapping[str, Value]

#: Smallest distances tried, as fractions of a parameter, before a point is said to have no neighbours.
_RADII = (0.1, 0.03, 0.01, 1e-3, 1e-4)
#: The same for points at which summands are to be told apart.
_WIDE = (1.0, 0.5, *_RADII)
_TRIES_PER_RADIUS = 3
#: A smaller case must show the difference as clearly as this fraction of the first.
_CLEARLY = 1e-3


@dataclass(frozen=True, eq=False)
class Block:
    """One derivative at one point.

    Attributes:
        derivative: the parameters, innermost first.
        expected: by the formula, of shape (rows, K₁, …, Kₖ).
        found: by autograd of the loss.
        scale: Σ|summands| of the formula.
        failing: a hypothesis of the formula that fails at the point, where ``expected`` is what autograd
            makes of the surrogate itself; None where they hold.
    """

    derivative: Derivative
    expected: Tensor
    found: Tensor
    scale: Tensor
    failing: str | None = None


@dataclass(frozen=True, eq=False)
class Group:
    """A point and those around it: values, the batch shape, and every derivative, for each."""

    points: tuple[Values, ...]
    rows: tuple[tuple[int, ...], ...]
    blocks: tuple[Mapping[Derivative, Block], ...]
    runs: tuple[Run, ...]


@dataclass(frozen=True, eq=False)
class Case:
    """A derivative that differs, at one point.

    Attributes:
        derivative: the parameters, innermost first.
        values: the point.
        place: the row, and a coordinate for each parameter.
        expected: by the formula.
        found: by autograd of the loss.
        allowed: the largest difference that agrees.
        scale: what ``allowed`` is a multiple of.
        connected: whether the loss has a graph to the parameters.
        failing: a hypothesis of the formula that fails at the point.
    """

    derivative: Derivative
    values: Values
    place: tuple[int, ...]
    expected: float
    found: float
    allowed: float
    scale: float
    connected: bool
    failing: str | None = None

    @property
    def difference(self) -> float:
        """|found - expected|, NaN where autograd's derivative is no number."""
        return abs(self.found - self.expected)

    @property
    def relative(self) -> float:
        """The difference in units of the scale; ∞ where autograd's derivative is no number."""
        if self.difference == 0:
            return 0.0
        if self.difference != self.difference or not self.scale:
            return float("inf")
        return self.difference / self.scale


def default_tolerance(dtype: torch.dtype) -> float:
    """The largest difference that agrees, as a multiple of Σ|summands|.

    1e-10 in float64; in lower precision a thousand roundings, 1.2e-4 in float32.

    Raises:
        EvaluationError: a dtype of less than 24 bits shows nothing.
    """
    if dtype == torch.float64:
        return 1e-10
    if dtype == torch.float32:
        return 1000 * torch.finfo(torch.float32).eps
    raise EvaluationError(
        f"derivatives cannot be told apart in {dtype}", instead="torch.float64; or torch.float32"
    )


@dataclass(frozen=True)
class Comparison:
    """A loss, and what its derivatives should be.

    Attributes:
        program: the loss.
        theory: the formulas.
        names: the names that the formulas use.
        tolerance: the largest difference that agrees, as a multiple of Σ|summands|.
    """

    program: Program
    theory: Theory
    names: Names
    tolerance: float

    def group(
        self, values: Values, nearby: int, rng: random.Random, radii: Sequence[float] = _RADII
    ) -> Group:
        """A point, and points around it that have a value.

        Args:
            values: the point, by canonical names.
            nearby: how many other values of the parameters.
            rng: draws them.
            radii: how far off they may be, as fractions of a parameter; what is tried first stands first.

        Raises:
            EvaluationError: the formula or the loss has no value at the point; or none was found nearby.
        """
        points, found = [values], [self.blocks(values)]
        for _ in range(nearby):
            point, at_point = self._around(values, rng, radii)
            points.append(point)
            found.append(at_point)
        rows, blocks, runs = zip(*found, strict=True)
        return Group(tuple(points), rows, blocks, runs)

    def more(self, values: Values, nearby: int, rng: random.Random) -> list[Group]:
        """Another group around a point, farther from it; none where it has no neighbours."""
        try:
            return [self.group(values, nearby, rng, _WIDE)] if nearby else []
        except EvaluationError:
            return []

    def blocks(self, values: Values) -> tuple[tuple[int, ...], dict[Derivative, Block], Run]:
        """Every derivative at one point, by formula and by autograd.

        Raises:
            EvaluationError: the formula or the loss has no value there.
        """
        rows = self.theory.rows(values)
        failing = self.theory.failing_hypothesis(values)
        lengths = lengths_of(values, self.program.wrt)
        run = self.program.run(values, rows)
        out = {}
        for derivative, estimator in self.theory.estimators.items():
            expected, scale = (
                self.reduced(self.theory.block(term, derivative, values, lengths, rows, estimator.document))
                for term in (estimator.term, estimator.size)
            )
            if failing is not None and derivative:
                # On a tie of max or min, as inside the clip of PPO, torch alone has a derivative.
                assert self.theory.surrogate is not None
                expected = self.reduced(
                    self.theory.autodiff(self.theory.surrogate, derivative, values, lengths, rows)
                )
                scale = torch.maximum(scale.abs(), expected.abs())
            out[derivative] = Block(derivative, expected, run.block(derivative), scale.abs(), failing)
        return rows, out, run

    def reduced(self, by_rows: Tensor) -> Tensor:
        """A formula of a batch, reduced as the loss is."""
        if self.program.reduction is None:
            return by_rows
        whole = by_rows.mean(0) if self.program.reduction == "mean" else by_rows.sum(0)
        return whole.unsqueeze(0)

    def _around(self, values: Values, rng: random.Random, radii: Sequence[float]) -> tuple[Values, Any]:
        error: EvaluationError | None = None
        for radius in radii:
            for _ in range(_TRIES_PER_RADIUS):
                point = {**values, **self._moved(values, radius, rng)}
                try:
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")  # a point that the user did not ask for
                        return point, self.blocks(point)
                except EvaluationError as outside:
                    error = outside
        assert error is not None
        raise EvaluationError(
            f"there is no other value of {', '.join(self.program.wrt)} nearby at which both sides have a "
            f"value, and at a single point losses agree by accident; the last: {error.what}",
            instead="several points in a list of bindings, and nearby=0",
        )

    def _moved(self, values: Values, radius: float, rng: random.Random) -> dict[str, Value]:
        """Each number of each parameter moved by up to a fraction of itself, or of 1 where it is 0."""
        out: dict[str, Value] = {}
        for name in self.program.wrt:
            value = parameter(name, values[name], torch.float64)
            steps = torch.tensor(
                [rng.choice((-1, 1)) * rng.uniform(0.5, 1.0) for _ in range(value.numel())],
                dtype=torch.float64,
                device=value.device,
            ).reshape(value.shape)
            size = torch.where(value == 0, torch.ones_like(value), value.abs())
            moved = value + radius * size * steps
            out[name] = like(values[name], moved.to(self.program.dtype))
        return out

    def first_difference(self, values: Values) -> tuple[float, float] | None:
        """Two values of one entry, where the loss gives others when it is run twice at one point.

        Raises:
            EvaluationError: as :meth:`blocks`.
        """
        rows = self.theory.rows(values)
        once, again = (self.program.run(values, rows) for _ in range(2))
        for a, b in zip(once.orders, again.orders, strict=True):
            scale = a[torch.isfinite(a)].abs().max() if bool(torch.isfinite(a).any()) else torch.tensor(0.0)
            same = (a == b) | (a.isnan() & b.isnan()) | ((a - b).abs() <= self.tolerance * scale)
            off = ~same
            if bool(off.any()):
                return float(a[off][0]), float(b[off][0])
        return None

    def cases(self, group: Group) -> Iterator[Case]:
        """For every point of a group the derivatives that differ, those of lower order first."""
        for index in range(len(group.points)):
            for derivative in self.theory.estimators:
                case = self._worst(group, index, derivative)
                if case.relative > self.tolerance:
                    yield case

    def largest(self, group: Group) -> float:
        """The largest difference of a group, in units of its scale."""
        found = (
            self._worst(group, index, derivative).relative
            for index in range(len(group.points))
            for derivative in self.theory.estimators
        )
        return max(found)

    def _worst(self, group: Group, index: int, derivative: Derivative) -> Case:
        """The entry of a derivative that differs most, in units of its scale."""
        block = group.blocks[index][derivative]
        scale = self.scale(group, derivative)
        relative = (block.found - block.expected).abs() / scale
        relative = torch.where(block.found == block.expected, torch.zeros_like(relative), relative)
        relative = torch.nan_to_num(relative, nan=torch.inf, posinf=torch.inf)
        place = tuple(int(k) for k in torch.unravel_index(relative.argmax(), relative.shape))
        size = float(scale[place])
        return Case(
            derivative,
            group.points[index],
            place,
            float(block.expected[place]),
            float(block.found[place]),
            self.tolerance * size,
            size,
            group.runs[index].connected,
            block.failing if derivative else None,
        )

    def scale(self, group: Group, derivative: Derivative) -> Tensor:
        """Σ|summands|, the largest of a point and those around it.

        An entry whose summands are all zero (the derivative of an unused coordinate) has the scale of the
        others of its derivative, and a formula that is 0 that of the loss.
        """
        scale = torch.stack([blocks[derivative].scale for blocks in group.blocks]).amax(0)
        whole = scale.max()
        if not float(whole):
            whole = torch.stack([run.orders[0].abs().max() for run in group.runs]).amax()
        return torch.where(scale == 0, whole, scale)

    def may_be_rounding(self, case: Case) -> bool:
        """Whether a difference in float64 is one that a loss in float32 would be let pass."""
        return self.program.dtype == torch.float64 and case.relative <= default_tolerance(torch.float32)

    def smallest(self, case: Case) -> Case:
        """The case with fewer rows, smaller counts and simpler numbers, as far as the difference stays."""
        least = max(self.tolerance, _CLEARLY * min(case.relative, 1.0))
        values = case.values
        size = case.place[0] if self.program.reduction is None else None
        for step in (
            lambda v: fewer_rows(v, self.theory.rows(v), self.names, size, self.program.wrt),
            lambda v: simpler(v, self.names, self.program.wrt),
        ):
            tried = step(values)
            answer: bool | None = None
            while True:
                try:
                    candidate = tried.send(answer)  # type: ignore[arg-type]
                except StopIteration:
                    break
                smaller = self._still(candidate, case, least)
                answer = smaller is not None
                if smaller is not None:
                    case, values = smaller, candidate
        return case

    def _still(self, values: Values, case: Case, least: float) -> Case | None:
        """The same derivative at another point, where it still differs."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rows, blocks, run = self.blocks(values)
        except EvaluationError:
            return None
        there = self._worst(Group((values,), (rows,), (blocks,), (run,)), 0, case.derivative)
        if case.difference == case.difference and there.difference != there.difference:
            return None  # a difference of numbers is not shown by what is no number
        return there if there.relative > least else None

    def evaluable(self, values: Values) -> Comparison:
        """The same, the formulas in the dtype of the loss where they cannot be evaluated in float64.

        The callables of a network in float32 take nothing else.
        """
        if self.program.dtype == torch.float64:
            return self
        try:
            self.theory.rows(values)
        except EvaluationError:
            return replace(self, theory=self.theory.at_precision(self.program.dtype))
        return self


def like(value: Value, moved: Tensor) -> Value:
    """A new value of a parameter in the form of the old one."""
    return moved.to(value.dtype) if isinstance(value, Tensor) and value.is_floating_point() else moved


def failures(groups: Sequence[Group], comparison: Comparison) -> list[Case]:
    """All differences, the lowest order first, then points that were given before those around them."""
    found = [case for group in groups for case in comparison.cases(group)]
    given = [id(group.points[0]) for group in groups]
    return sorted(found, key=lambda c: (len(c.derivative), id(c.values) not in given))
