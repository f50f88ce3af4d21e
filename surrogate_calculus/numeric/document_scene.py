"""Random values for everything that a document declares, and a formula's two sides at them.

The algorithm is not run: that a derived formula is what differentiation makes of its surrogate is an
identity in the particles and the ancestors, whatever they are.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from itertools import product
from typing import Any

import torch

from ..errors import EvaluationError
from ..language.declarations import Document, Signature
from ..language.paths import has_slice
from ..language.terms import (
    HAS_AXIS,
    Add,
    App,
    Eval,
    Fn,
    Indexed,
    Mul,
    Num,
    Pow,
    Stop,
    Sum,
    Sym,
    Term,
    postorder,
    rebuild,
)
from ..printing.text import summary
from ..semantics.unroll import Unroller, whole
from .autodiff import run
from .evaluate import evaluate, open_axes
from .functions import PATH, SmoothFamily, random_function
from .point import Point, as_tensor
from .ranges import ranges_of
from .schedule import reached
from .values import Family, Value, vector_names

__all__ = ["DocumentScene", "magnitude"]

#: Largest values drawn for a count, and how many choices of smaller ones are tried for a failing case.
_TOP, _SMALLER = 3, 24


class DocumentScene:
    """A surrogate and a formula over the names of a document."""

    def __init__(
        self,
        surrogate: Term,
        formula: Term,
        document: Document,
        hypotheses: Collection[tuple[str, Term]] = (),
        vectors: Collection[str] = (),
    ) -> None:
        self.surrogate, self.formula, self.document = surrogate, formula, document
        nodes = [*reached(surrogate, document), *reached(formula, document)]
        self.nodes = nodes
        self.vectors = vector_names(nodes, {*vectors, *document.vector_names})
        self.free = {n.key for n in postorder(surrogate, formula) if isinstance(n, Sym)}
        self.applied = {n.name: n for n in nodes if isinstance(n, App)}
        self.hypotheses = [(k, t) for k, t in hypotheses if self._said_once(t)]
        self.axes = max(open_axes(surrogate), open_axes(formula))
        self.size = magnitude(formula)

    def _said_once(self, term: Term) -> bool:
        """Whether a hypothesis is about one number, and not about every value of an index."""
        names = {n.key for n in postorder(term) if isinstance(n, Sym)}
        return not term.loose and not term.flags & HAS_AXIS and not names & set(self.document.indices)

    def draw(self, rng: random.Random) -> dict[str, Value]:
        """Random counts, and random values for every name."""
        counts = {name: rng.randint(2, _TOP) for name in self.document.counts}
        return self.filled(counts, rng.randint(0, 10**9))

    def filled(self, counts: Mapping[str, int], seed: int) -> dict[str, Value]:
        """Random values for given counts; the seed is kept, for a smaller case of the same kind."""
        rng, document = random.Random(seed), self.document
        values: dict[str, Value] = {**counts, "seed@": seed}
        lengths: dict[str, int] = {}
        drawn = {sample.name for sample in document.samples}
        symbols = {n.key for n in self.nodes if isinstance(n, Sym)}
        shapes = ranges_of(document, counts)
        for name in document.parameters:
            bounds = shapes.get(name)
            pair = bounds[0] if bounds else None
            if name in self.vectors:
                lengths[name] = _TOP - 1 if pair is None else pair[1] - pair[0] + 1
                values[name] = self.numbers(rng, [(1, lengths[name])])
            else:
                values[name] = _number(rng)
        for name in sorted({*document.observed, *document.variables, *drawn}):
            shape = shapes.get(name)
            if shape is not None and all(pair is not None for pair in shape):
                pairs = [pair for pair in shape if pair is not None]
                if name in document.index_valued:
                    values[f"{name}[]"] = self.maps(rng, pairs)
                else:
                    values[f"{name}[]"] = self.numbers(rng, pairs)
            elif name in symbols and name not in document.counts:
                values[name] = _number(rng)
        for node in self.nodes:
            if isinstance(node, Indexed) and node.name in document.variables and not has_slice(node):
                values.setdefault(f"{node.name}[]", SmoothFamily(rng, len(node.args)))
        for name in sorted(self.free & set(document.indices)):
            lo, hi = ranges_of_index(document, name, counts)
            values[name] = rng.randint(lo, hi)
        for name, app in sorted(self.applied.items()):
            signature = document.densities.get(name) if name in document.paths else None
            stepwise = app.slots if signature is None else _slots(signature)
            slots = [
                PATH if has_slice(s) else lengths.get(s.key) if isinstance(s, Sym) else None for s in stepwise
            ]
            function = random_function(rng, slots)
            if name in document.densities:
                values[f"log {name}"] = function.log
            else:
                values[f"{name}()"] = function
        return values

    def numbers(self, rng: random.Random, pairs: list[tuple[int, int]]) -> Any:
        """Random numbers over the ranges."""
        shape = [max(0, hi - lo + 1) for lo, hi in pairs]
        generator = torch.Generator().manual_seed(rng.randint(0, 10**9))
        return 0.3 + 1.4 * torch.rand(shape, generator=generator, dtype=torch.float64)

    def maps(self, rng: random.Random, pairs: list[tuple[int, int]]) -> Family:
        """A random index map into the range of its own last index."""
        shape = [max(0, hi - lo + 1) for lo, hi in pairs]
        lo, hi = pairs[-1]
        generator = torch.Generator().manual_seed(rng.randint(0, 10**9))
        found = torch.randint(lo, hi + 1, shape, generator=generator)
        return Family(found, tuple(low for low, _ in pairs))

    def compare(self, values: Mapping[str, Value], notes: list[str] | None) -> Point:
        """Both sides at one point.

        Raises:
            EvaluationError: one of them has no value there, or a hypothesis does not hold.
        """
        given = {name: value for name, value in values.items() if name != "seed@"}
        vectors = [v for name, v in given.items() if name in self.vectors]
        length = len(vectors[0]) if vectors else 0  # type: ignore[arg-type]
        axes = dict.fromkeys(range(1, self.axes + 1), length)

        def value(term: Term) -> torch.Tensor:
            return as_tensor(
                evaluate(term, given, axes=axes, vector=self.vectors, given=self.document)
            ).detach()

        for kind, term in self.hypotheses:
            found = value(term)
            if bool((found <= 0).any() if kind == "positive" else (found == 0).any()):
                raise EvaluationError(f"the hypothesis fails that {summary(term)} is {kind}")
        derived = value(self.formula)
        scale = torch.maximum(value(self.size).abs(), torch.ones_like(derived))
        autograd = as_tensor(
            run(
                self.surrogate,
                given,
                axes=axes,
                vector=self.vectors,
                notes=notes,
                given=self.document,
            )
        ).detach()
        difference = float(((derived - autograd).abs() / scale).max())
        return Point(self.shown(given), derived.tolist(), autograd.tolist(), difference)

    def shown(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """The numbers of a point that a reader wants: counts, parameters and free indices."""
        document = self.document
        names = [*document.counts, *document.parameters, *document.indices, *document.observed]
        found = {name: values[name] for name in names if name in values}
        return {n: v.tolist() if isinstance(v, torch.Tensor) else v for n, v in found.items()}

    def shrunk(self, values: dict[str, Value], point: Point, tolerance: float) -> Point:
        """A failing point with the smallest counts at which it fails."""
        counts = {name: int(values[name]) for name in self.document.counts}  # type: ignore[arg-type]
        smaller = list(product(*(range(1, n + 1) for n in counts.values())))
        for chosen in sorted(smaller, key=lambda c: (sum(c), c))[:_SMALLER]:
            try:
                there = self.compare(
                    self.filled(dict(zip(counts, chosen, strict=True)), values["seed@"]),  # type: ignore[arg-type]
                    None,
                )
            except EvaluationError:
                continue
            if tolerance < there.difference < float("inf"):
                return there
        return point


def ranges_of_index(document: Document, name: str, counts: Mapping[str, int]) -> tuple[int, int]:
    """First and last value of an index."""
    bounds = Unroller(document, counts)
    lo, hi = (whole(bounds.run(end), "the end of a range", end) for end in document.indices[name])
    return lo, max(lo, hi)


def _slots(signature: Signature) -> tuple[Term, ...]:
    return (*signature.arguments, *signature.given, *signature.params)


def _number(rng: random.Random) -> float:
    return round(rng.uniform(0.3, 1.7), 3)


def magnitude(term: Term) -> Term:
    """The sum of the magnitudes of a formula's summands, through Σ, ∏-free products and →."""
    done: dict[int, Term] = {}
    for node in postorder(term):
        if isinstance(node, (Add, Mul, Sum, Eval, Stop)):
            last = len(node.args) - 1
            args = tuple(
                a if isinstance(node, Sum) and k < last else done[id(a)] for k, a in enumerate(node.args)
            )
            done[id(node)] = rebuild(node, args)
        elif isinstance(node, Num):
            done[id(node)] = Num(abs(node.value))
        elif isinstance(node, Pow) and isinstance(node.exponent, Num) and node.exponent.value > 0:
            done[id(node)] = Pow(done[id(node.base)], node.exponent)
        else:
            done[id(node)] = Fn("abs", node)
    return done[id(term)]
