"""The rows of the catalogue, and how a formula over a document is held against torch autograd."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import torch

from surrogate_calculus.estimators import ESTIMATORS, Claim, load_estimator
from surrogate_calculus.language.declarations import Document
from surrogate_calculus.language.terms import Term
from surrogate_calculus.numeric.autodiff import run
from surrogate_calculus.numeric.document_scene import DocumentScene
from surrogate_calculus.numeric.evaluate import evaluate

if TYPE_CHECKING:
    from surrogate_calculus.derive import Derivation

__all__ = ["ROWS", "SIZES", "derived", "difference", "row"]

#: Every row, by a name for tests.
ROWS = [f"{name}: {claim.name}" for name in ESTIMATORS for claim in load_estimator(name).claims]

#: Numbers of particles and of steps.
SIZES = [(n, t) for n in (2, 3, 7) for t in (1, 2, 5)]


def row(name: str) -> Claim:
    """The claim of a row."""
    entry, _, claim = name.partition(": ")
    return next(c for c in load_estimator(entry).claims if c.name == claim)


@cache
def derived(name: str) -> Derivation:
    """The derivation of a row, made once."""
    return row(name).derive()


def difference(
    surrogate: Term, formula: Term, document: Document, seed: int, **counts: int
) -> tuple[float, float]:
    """How far a formula is from torch autograd of ``→∇ᵏE``, at random particles, ancestors and laws.

    Returns:
        the largest difference over all components, in units of the sum of the magnitudes of the
        formula's summands, and the largest magnitude of the value itself.
    """
    scene = DocumentScene(surrogate, formula, document, (), document.vector_names)
    values = scene.filled({n: counts[n] for n in document.counts}, seed)
    given = {name: value for name, value in values.items() if name != "seed@"}
    axes = dict.fromkeys(range(1, scene.axes + 1), counts.get("K", 0))

    def value(term: Term) -> torch.Tensor:
        found = evaluate(term, given, axes=axes, vector=scene.vectors, given=document)
        return torch.as_tensor(found, dtype=torch.float64).detach()

    autograd = run(surrogate, given, axes=axes, vector=scene.vectors, given=document)
    autograd = torch.as_tensor(autograd, dtype=torch.float64).detach()
    apart = (value(formula) - autograd).abs()
    return float((apart / value(scene.size).abs()).max()), float(autograd.abs().max())
