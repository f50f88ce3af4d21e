"""Which side conditions of a proof the document that it stands in assumes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, product
from typing import TYPE_CHECKING

from ..kernel.judgement import Condition, Hypothesis, Rejection, Verdict
from ..language.binding import free_names, substitute
from ..language.terms import App, Bound, Eval, Indexed, Mul, Num, Pow, Stop, Sym, Term, postorder
from .canonical import Canonical
from .chain import Facts
from .hypotheses import readable
from .proof import Proof

if TYPE_CHECKING:
    from ..language.declarations import Document
    from ..language.proofs import Assumption

__all__ = ["conditions_of", "unnamed"]

#: So many ways to put something in for what an assumption holds for every value of are tried.
MAX_INSTANCES = 512
#: Conditions that speak of indices and counts only.
_ON_INDICES = ("ge", "gt", "int", "whole")


def conditions_of(verdict: Verdict) -> tuple[Hypothesis, ...]:
    """The conditions that a proof leaves, as a reader wants them: of values, each once, no products."""
    pairs = [(kind, name) for kind, _, name in (a.partition(" ") for a in verdict.assumptions)]
    values = [h for h in verdict.hypotheses if h.kind in ("nonzero", "positive")]
    others = [h for h in verdict.hypotheses if h.kind not in ("nonzero", "positive")]
    return (*readable(pairs, values), *others)


def unnamed(
    conditions: Iterable[Hypothesis], proof: Proof, assumptions: Sequence[Assumption], ranges: Facts = ()
) -> list[Hypothesis]:
    """The conditions that no assumption covers.

    Args:
        conditions: those of a proof.
        proof: under the same declarations, where terms are compared.
        assumptions: those of the document.
        ranges: what is known of the loose indices of the conditions.
    """
    cover = _Cover(proof, assumptions, ranges)
    return [c for c in conditions if not cover.covers(c.kind, proof.add(c.term))]


class _Cover:
    """What follows from the assumptions of a document."""

    def __init__(self, proof: Proof, assumptions: Sequence[Assumption], ranges: Facts) -> None:
        self.proof, self.ranges = proof, ranges
        self.canonical = Canonical(proof)
        self.assumptions = [a for a in assumptions if a.kind != "equation"]

    def covers(self, kind: str, term: Term) -> bool:
        """Whether a condition is assumed, or follows from those of its factors."""
        if kind in _ON_INDICES:
            return self._on_indices(kind, term)
        if kind in ("nonzero", "positive") and self.proof.state.facts.discharges(kind, term):
            return True
        if any(self._says(a, kind, term) for a in self.assumptions):
            return True
        if term.__class__ in (Stop, Eval):
            return self.covers(kind, term.args[0])
        if term.__class__ is Mul:
            return all(self.covers(kind, factor) for factor in term.args)
        if term.__class__ is Pow and term.args[1].__class__ is Num:
            return self.covers(kind, term.args[0])
        return False

    def _on_indices(self, kind: str, term: Term) -> bool:
        facts = [*self.ranges]
        facts += [
            Condition("gt" if a.kind == "positive" else "ge", self.proof.add(a.terms[0]))
            for a in self.assumptions
            if a.kind in ("positive", "nonnegative") and _is_linear(a.terms[0], a.document)
        ]
        try:
            return not self.proof.remaining([Condition(kind, term)], facts)
        except Rejection:
            return False

    def _says(self, assumption: Assumption, kind: str, term: Term) -> bool:
        enough = {"nonzero": ("nonzero", "positive")}.get(kind, (kind,))
        if assumption.kind not in enough:
            return False
        wanted = self._form(term)
        return any(self._form(i) is wanted for i in islice(_instances(assumption, term), MAX_INSTANCES))

    def _form(self, term: Term) -> Term:
        return self.canonical.term(self.proof.add(term))


def _instances(assumption: Assumption, term: Term) -> Iterator[Term]:
    """An assumption's term for all that stands, in another term, where its variables could.

    Its indices stand for every index of their range; what is behind ``for every`` for anything.
    """
    own = assumption.terms[0]
    document = assumption.document
    names = free_names(own)
    indices = [n for n in document.indices if n in names]
    every = [q.name for q in assumption.quantified if not q.function and q.name in names]
    every = [n for n in every if n not in indices]
    nodes = postorder(term)
    choices: list[list[Term]] = []
    for name in indices:
        same = [
            n for n in nodes
            if n.__class__ is Bound
            or (n.__class__ is Sym and document.indices.get(n.key) == document.indices[name])
        ]  # fmt: skip
        choices.append(list(dict.fromkeys([Sym(name), *same])))
    arguments = [a for n in nodes if n.__class__ in (App, Indexed) for a in n.args]
    choices += [list(dict.fromkeys([Sym(name), *arguments])) for name in every]
    for values in product(*choices):
        yield substitute(own, dict(zip([*indices, *every], values, strict=True)))


def _is_linear(term: Term, document: Document) -> bool:
    """Whether a term is made of counts, indices and numbers only."""
    names = {*document.counts, *document.indices}
    return free_names(term) <= names and not any(n.__class__ in (App, Indexed) for n in postorder(term))
