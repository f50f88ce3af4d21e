"""The check of a derived formula against torch.autograd of its surrogate, at random points.

What is opaque becomes a random smooth function, what is free a random number.  The two sides are
independent: the formula is evaluated (derivatives of opaque functions in forward mode), the
surrogate is run with ``detach`` and differentiated in reverse mode.  Agreement of numbers is evidence
and never a proof.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ..errors import EvaluationError
from ..language.terms import HAS_AXIS, Add, App, Grad, Grads, Indexed, Prod, Sum, Sym, Term, postorder
from ..printing.text import summary
from .autodiff import run
from .document_scene import DocumentScene
from .evaluate import evaluate, open_axes
from .functions import SmoothFamily, random_function, whole_family
from .point import Point, as_tensor
from .schedule import is_dynamic
from .values import Value, vector_names

__all__ = ["TOLERANCE", "Agreement", "Point", "check_derivation", "check_formula"]

#: Largest relative difference that counts as agreement, in float64.
TOLERANCE = 1e-9

#: How often a point outside the domain (the log of a negative number) is drawn anew.
_TRIES = 50


@dataclass(frozen=True)
class Agreement:
    """What a numerical check found.  It is never a proof.

    Attributes:
        difference: the largest relative difference over all points.
        tolerance: what counts as agreement.
        points: every point.
        seed: what the points and functions were drawn with.
        failure: the smallest failing case, or None.
        notes: what autograd could not compute as written.
    """

    difference: float
    tolerance: float
    points: tuple[Point, ...]
    seed: int
    failure: Point | None = None
    notes: tuple[str, ...] = field(default=())

    @property
    def agrees(self) -> bool:
        """Whether every point agrees to the tolerance."""
        return self.failure is None

    def __bool__(self) -> bool:
        return self.agrees

    def __str__(self) -> str:
        """The finding in one or two sentences."""
        text = (
            f"{'agrees' if self.agrees else 'disagrees'} with torch autograd at {len(self.points)} random "
            f"point(s), seed {self.seed}: largest relative difference {self.difference:.1e}, tolerance "
            f"{self.tolerance:.0e} (numbers that agree prove nothing)"
        )
        if self.failure is not None:
            text += f"; smallest failing case {self.failure}"
        return "\n".join((text, *self.notes))


def check_derivation(
    derivation: Any, points: int = 5, seed: int = 0, *, tolerance: float = TOLERANCE
) -> Agreement:
    """Compare a derivation's result with torch.autograd of what it started from.

    Args:
        derivation: an answer of ``derive``: its ``start``, ``result`` and ``document`` are used.
        points: how many random points.
        seed: of the points and functions.
        tolerance: largest relative difference that agrees.

    Raises:
        EvaluationError: no point of the domain was found, or the expression has no value.
    """
    start, result = derivation.start, derivation.result
    document = getattr(derivation, "document", None)
    hypotheses = [(h.kind, h.term) for h in getattr(derivation, "hypotheses", ())]
    if document is not None and is_dynamic(document, start, result):
        vectors = getattr(derivation, "vectors", ())
        scene = DocumentScene(start, result, document, hypotheses, vectors)
        return _checked(scene, points, seed, tolerance)
    if document is not None:
        start, result = document.unfold(start), document.unfold(result)
        hypotheses = [(kind, document.unfold(term)) for kind, term in hypotheses]
    return check_formula(start, result, points=points, seed=seed, tolerance=tolerance, hypotheses=hypotheses)


def check_formula(
    surrogate: Term,
    formula: Term,
    *,
    points: int = 5,
    seed: int = 0,
    tolerance: float = TOLERANCE,
    hypotheses: Collection[tuple[str, Term]] = (),
) -> Agreement:
    """Compare a formula with torch.autograd of a surrogate that has its own ∇, such as ``→∇∇E``.

    ``hypotheses`` are what the formula was derived under, ``("nonzero", term)`` or ``("positive", term)``:
    points at which one of them fails are drawn anew.

    Raises:
        EvaluationError: as :func:`check_derivation`.
    """
    return _checked(_Scene(surrogate, formula, hypotheses), points, seed, tolerance)


def _checked(scene: Any, points: int, seed: int, tolerance: float) -> Agreement:
    """The check itself: random points, and the smallest failing case."""
    if points < 1:
        raise EvaluationError(f"{points} points show nothing", instead="at least one")
    notes: list[str] = []
    found: list[Point] = []
    worst: tuple[dict[str, Value], Point] | None = None
    for number in range(points):
        values, point = _at_random(scene, random.Random(f"{seed}/{number}"), notes)
        found.append(point)
        if not point.difference <= tolerance and (worst is None or _size(point) < _size(worst[1])):
            worst = values, point
    failure = scene.shrunk(*worst, tolerance) if worst is not None else None
    return Agreement(
        max((p.difference for p in found), key=lambda d: (d != d, d)),
        tolerance,
        tuple(found),
        seed,
        failure,
        tuple(dict.fromkeys(notes)),
    )


class _Scene:
    """The two terms, and what kind of thing each name in them is."""

    def __init__(self, surrogate: Term, formula: Term, hypotheses: Collection[tuple[str, Term]] = ()) -> None:
        self.surrogate, self.formula = surrogate, formula
        # What is said for every index holds at no single point, and is not looked at.
        self.hypotheses = [(k, t) for k, t in hypotheses if not t.loose and not t.flags & HAS_AXIS]
        nodes = postorder(surrogate, formula)
        self.vectors = vector_names(nodes)
        self.functions: dict[str, App] = {}
        self.families: dict[str, int] = {}
        self.whole: set[str] = set()  # families that stand in an index
        counts: list[Term] = []
        indices: list[Term] = []
        symbols: set[str] = set()
        self.linked = False  # whether a vector is used by its components
        for node in nodes:
            if isinstance(node, Sym):
                symbols.add(node.name)
            elif isinstance(node, (Grad, Grads)):
                symbols.add(node.param)
            elif isinstance(node, App):
                self.functions.setdefault(node.name, node)
            elif isinstance(node, (Sum, Prod)):
                counts += (node.lo, node.hi)
            elif isinstance(node, Indexed):
                if node.name in self.vectors:
                    self.linked = True
                else:
                    self.families[node.name] = len(node.args)
                indices += node.args
        inside = postorder(*counts)
        self.counts = sorted({n.name for n in inside if isinstance(n, Sym)})
        inside += postorder(*indices)
        self.whole = {n.name for n in inside if isinstance(n, Indexed)}
        self.indices = sorted({n.name for n in inside if isinstance(n, Sym)} - set(self.counts))
        self.symbols = sorted(symbols - set(self.counts) - set(self.indices) - self.vectors)
        self.axes = max(open_axes(surrogate), open_axes(formula))

    def draw(self, rng: random.Random) -> dict[str, Value]:
        """Random values for every name."""
        length = rng.randint(2, 3)
        values: dict[str, Value] = {}
        for name in self.counts:
            values[name] = length if self.linked else rng.randint(2, 4)
        for name in self.indices:
            values[name] = rng.randint(1, 2)
        for name in self.symbols:
            values[name] = round(rng.uniform(0.3, 1.7), 3)
        for name in sorted(self.vectors):
            values[name] = torch.tensor(
                [round(rng.uniform(0.3, 1.7), 3) for _ in range(length)], dtype=torch.float64
            )
        for name, rank in sorted(self.families.items()):
            family = whole_family(rng, rank, 2) if name in self.whole else SmoothFamily(rng, rank)
            values[f"{name}[]"] = family
        for name, app in sorted(self.functions.items()):
            lengths = [length if isinstance(s, Sym) and s.name in self.vectors else None for s in app.slots]
            values[f"{name}()"] = random_function(rng, lengths)
        return values

    def compare(self, values: Mapping[str, Value], notes: list[str] | None) -> Point:
        """Both sides at one point.

        Raises:
            EvaluationError: one of them has no value there, or a hypothesis does not hold.
        """
        for kind, term in self.hypotheses:
            value = as_tensor(evaluate(term, values, vector=self.vectors))
            if bool((value <= 0).any() if kind == "positive" else (value == 0).any()):
                raise EvaluationError(f"the hypothesis fails that {summary(term)} is {kind}")
        length = next((len(v) for v in values.values() if isinstance(v, Tensor)), 0)
        axes = dict.fromkeys(range(1, self.axes + 1), length)
        derived = as_tensor(evaluate(self.formula, values, axes=axes, vector=self.vectors))
        autograd = as_tensor(run(self.surrogate, values, axes=axes, vector=self.vectors, notes=notes))
        scale = torch.maximum(derived.abs(), torch.ones_like(derived))
        if isinstance(self.formula, Add) and len(self.formula.args) <= 50:
            parts = [evaluate(a, values, axes=axes, vector=self.vectors) for a in self.formula.args]
            scale = torch.maximum(scale, sum((as_tensor(p).abs() for p in parts), torch.zeros_like(scale)))
        difference = float(((derived - autograd).abs() / scale).max())
        numbers = {
            name: value.tolist() if isinstance(value, Tensor) else value
            for name, value in values.items()
            if not callable(value) or isinstance(value, Tensor)
        }
        return Point(numbers, derived.tolist(), autograd.tolist(), difference)

    def shrunk(self, values: dict[str, Value], point: Point, tolerance: float) -> Point:
        """The failing point with each number made as simple as keeps it failing."""
        for name in point.numbers:
            value = values[name]
            if isinstance(value, Tensor):
                simpler: list[Value] = [torch.ones_like(value), value.round(decimals=1)]
            elif name in self.counts or name in self.indices:
                simpler = [] if self.linked else list(range(1, int(value)))  # type: ignore[arg-type]
            else:
                simpler = [1.0, 0.5, round(float(value), 1)]  # type: ignore[arg-type]
            for candidate in simpler:
                try:
                    there = self.compare({**values, name: candidate}, None)
                except EvaluationError:
                    continue
                if tolerance < there.difference < float("inf"):
                    values, point = {**values, name: candidate}, there
                    break
        return point


def _at_random(scene: Any, rng: random.Random, notes: list[str]) -> tuple[dict[str, Value], Point]:
    error: EvaluationError | None = None
    for _ in range(_TRIES):
        values = scene.draw(rng)
        try:
            point = scene.compare(values, notes)
        except EvaluationError as outside:
            error = outside
            continue
        if point.difference < float("inf"):  # neither nan nor ∞: nothing overflowed
            return values, point
    raise EvaluationError(
        f"no point with a value was found in {_TRIES} draws"
        + (f"; the last: {error.what}" if error is not None else ""),
        instead="an expression that is defined for small positive numbers",
    )


def _size(point: Point) -> float:
    """How simple a point is to a reader: few and small numbers."""
    total = 0.0
    for value in point.numbers.values():
        total += sum(map(abs, value)) if isinstance(value, list) else abs(float(value))
    return total
