"""Documents with exact values for every name: small rational numbers, polynomials, ancestors.

The same values go to the two-copy model (with the document unrolled) and to torch.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from surrogate_calculus.language.declarations import Document
from surrogate_calculus.language.document import parse_document
from surrogate_calculus.language.paths import has_slice
from surrogate_calculus.language.terms import App, Num, Sym, Term, postorder
from surrogate_calculus.semantics import Model, Polynomial, random_function
from surrogate_calculus.semantics.unroll import unroll

__all__ = ["Filled", "filled"]

Place = tuple[int, ...]


@dataclass
class Filled:
    """A document at concrete counts, with values for all that it does not define."""

    document: Document
    counts: dict[str, int]
    numbers: dict[str, Any] = field(default_factory=dict)
    families: dict[str, dict[Place, Fraction]] = field(default_factory=dict)
    maps: dict[str, dict[Place, int]] = field(default_factory=dict)
    functions: dict[str, Polynomial] = field(default_factory=dict)
    paths: dict[str, int] = field(default_factory=dict)  # functions of a path: its length

    def unrolled(self, term: Term) -> Term:
        """The term without the document."""
        return unroll(term, self.document, self.counts, self.maps)

    def model(self) -> Model:
        """The two-copy model at these values."""
        point = {**self.numbers, **{f"{name}[]": family for name, family in self.families.items()}}
        return Model(point, self.functions)

    def exact(self, term: Term, axes: Mapping[int, int] | None = None) -> float:
        """The model's value of the unrolled term."""
        return float(self.model().value(self.unrolled(term), axes))

    def torch_values(self) -> dict[str, Any]:
        """The same values for torch."""
        import torch

        def tensor(family: Mapping[Place, Any]) -> Any:
            first = tuple(min(p[k] for p in family) for k in range(len(next(iter(family)))))
            shape = [1 + max(p[k] for p in family) - low for k, low in enumerate(first)]
            out = torch.zeros(shape, dtype=torch.float64)
            for place, value in family.items():
                out[tuple(p - low for p, low in zip(place, first, strict=True))] = float(value)
            return out

        out: dict[str, Any] = dict(self.counts)
        for name, value in self.numbers.items():
            out[name] = (
                torch.tensor([float(v) for v in value], dtype=torch.float64)
                if isinstance(value, list)
                else float(value)
            )
        for name, family in (*self.families.items(), *self.maps.items()):
            out[f"{name}[]"] = tensor(family)
        for name, function in self.functions.items():
            out[f"{name}()"] = _of_path(function) if name in self.paths else function
        return out


def _of_path(function: Polynomial) -> Callable[..., Any]:
    def of_path(path: Any, *rest: Any) -> Any:
        return function(*path.unbind(-1), *rest)

    return of_path


def filled(text: str, rng: random.Random, *terms: Term, **counts: int) -> Filled:
    """A document with random values; the terms are used for what functions are applied to."""
    document = parse_document(text)
    out = Filled(document, {name: counts.get(name, 2) for name in document.counts})
    roots = [t.term for t in document.targets] + [d.body for d in document.definitions] + list(terms)
    nodes = postorder(*roots)
    for name, bounds in document.parameters.items():
        size = None if bounds is None else _range(bounds, out.counts)[1]
        out.numbers[name] = _number(rng) if size is None else [_number(rng) for _ in range(size)]
    for name in dict.fromkeys((*document.observed, *document.variables, *_drawn(document))):
        shape = document.shape(name)
        if shape == () or shape is None or None in shape:
            out.numbers[name] = _number(rng)
            continue
        ranges = [_range(b, out.counts) for b in shape if b is not None]
        places = list(itertools.product(*(range(lo, hi + 1) for lo, hi in ranges)))
        if name in document.index_valued:
            out.maps[name] = {p: rng.randint(*ranges[-1]) for p in places}
        else:
            out.families[name] = {p: _number(rng) for p in places}
    for node in nodes:
        if isinstance(node, App) and node.name not in out.functions and node.name not in document.resampling:
            layout = _layout(node, out)
            out.functions[node.name] = random_function(rng, layout, positive=True)
    return out


def _layout(node: App, out: Filled) -> list[int | None]:
    signature = out.document.densities.get(node.name)
    slots = node.slots
    if signature is not None:
        slots = (*signature.arguments, *signature.given, *signature.params)
    layout: list[int | None] = []
    for slot in slots:
        if has_slice(slot):
            at = next(a for a in slot.args if a.key == "slice")
            lo, hi = _range((at.args[0], at.args[1]), out.counts)
            out.paths[node.name] = hi - lo + 1
            layout += [None] * (hi - lo + 1)
        else:
            value = out.numbers.get(slot.key) if isinstance(slot, Sym) else None
            layout.append(len(value) if isinstance(value, list) else None)
    return layout


def _drawn(document: Document) -> list[str]:
    return [sample.name for sample in document.samples]


def _number(rng: random.Random) -> Fraction:
    return Fraction(rng.randint(1, 6), 4)


def _range(bounds: tuple[Term, Term], counts: Mapping[str, int]) -> tuple[int, int]:
    lo, hi = (int(end.value) if isinstance(end, Num) else counts[end.key] for end in bounds)
    return lo, hi
