"""The names that formulas use, and values by these names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import EvaluationError
from ...language.terms import App, Grad, Grads, Indexed, Prod, Sum, Sym, Term, postorder
from ..schedule import reached
from ..values import Value, named
from .theory import Theory

__all__ = ["Names", "canonical", "names_of"]


@dataclass(frozen=True)
class Names:
    """The names that formulas use.

    Attributes:
        used: everything, as ``bindings`` may spell it.
        whole: counts and indices, whose values are whole numbers.
        counts: those that end a Σ or ∏.
        families: how many indices each family has.
    """

    used: frozenset[str]
    whole: frozenset[str]
    counts: frozenset[str]
    families: Mapping[str, int]


def names_of(theory: Theory) -> Names:
    """The names that the formulas of a theory use, those of its document included."""
    document = theory.document
    pairs = [(e.term, e.document) for e in theory.estimators.values()]
    if theory.surrogate is not None:
        pairs.append((theory.surrogate, document))
    nodes = [n for term, d in pairs for n in (postorder(term) if d is None else reached(term, d))]
    used: set[str] = set()
    ends: list[Term] = []
    indices: list[Term] = []
    families: dict[str, int] = {}
    for node in nodes:
        if isinstance(node, Sym):
            used.add(node.name)
        elif isinstance(node, (Grad, Grads)):
            used.add(node.param)
        elif isinstance(node, Indexed):
            used |= {node.name, f"{node.name}[]"}
            families[node.name] = len(node.args)
            indices += node.args
        elif isinstance(node, App):
            used |= {node.name, f"{node.name}()", f"log {node.name}"}
        elif isinstance(node, (Sum, Prod)):
            ends += (node.lo, node.hi)
    counts = {n.name for n in postorder(*ends) if isinstance(n, Sym)}
    whole = counts | {n.name for n in postorder(*indices) if isinstance(n, Sym)}
    if document is not None:
        used |= {*document.counts, *document.parameters, *document.indices, *document.observed}
        used |= {*document.variables, *(sample.name for sample in document.samples)}
        used |= {name for n in (*document.densities, *document.functions) for name in (n, f"log {n}")}
        whole |= {*document.counts, *document.indices}
        counts |= set(document.counts)
    return Names(frozenset(used), frozenset(whole), frozenset(counts), families)


def canonical(bindings: Mapping[str, Value]) -> dict[str, Value]:
    """Values by canonical names.

    Raises:
        EvaluationError: no mapping; a name that is no text; two values for one name.
    """
    for name in bindings if isinstance(bindings, Mapping) else ():
        if not isinstance(name, str):
            raise EvaluationError(f"{name!r:.40} is no name", instead='{"θ": 0.3, "x": 1.2}')
    return named(bindings)
