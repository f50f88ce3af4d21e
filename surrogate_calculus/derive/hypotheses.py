"""Side conditions in the form a reader wants."""

from __future__ import annotations

from collections.abc import Iterable

from ..kernel.judgement import Hypothesis, Rejection
from ..language.terms import HAS_EVAL, HAS_GRAD, HAS_STOP, Mul, Num, Pow, Term, tree_size
from .collect import Collector
from .proof import Proof

__all__ = ["readable"]

#: Larger terms are said as the kernel said them.
MAX_TIDY = 300


def readable(
    assumptions: Iterable[tuple[str, str]], hypotheses: Iterable[Hypothesis]
) -> tuple[Hypothesis, ...]:
    """The hypotheses as statements about values, each once, products and powers taken apart.

    ``⊥p ≠ 0`` and ``p ≠ 0`` say the same of values; ``A B ≠ 0`` says that A ≠ 0 and B ≠ 0; A > 0 says
    that A ≠ 0.
    """
    scratch = Proof(assumptions=assumptions)
    out: dict[tuple[str, Term], None] = {}
    for hypothesis in hypotheses:
        todo = [scratch.add(hypothesis.term)]
        while todo:
            term = todo.pop()
            if term.flags & (HAS_STOP | HAS_EVAL) and not term.flags & HAS_GRAD:
                term = scratch.right(scratch.evaluate(term))
            term = _tidy(scratch, hypothesis.kind, term)
            if hypothesis.kind == "nonzero" and term.__class__ is Mul:
                todo.extend(reversed(term.args))
            elif hypothesis.kind == "nonzero" and term.__class__ is Pow and term.args[1].__class__ is Num:
                todo.append(term.args[0])
            elif not scratch.state.facts.discharges(hypothesis.kind, term):
                out.setdefault((hypothesis.kind, term))
    return tuple(Hypothesis(kind, t) for kind, t in out if kind == "positive" or ("positive", t) not in out)


def _tidy(scratch: Proof, kind: str, term: Term) -> Term:
    """The term with its arithmetic collected, where that is quick; for ``nonzero`` as a product."""
    if tree_size(term, MAX_TIDY) > MAX_TIDY:
        return term
    if kind == "nonzero":  # a power is taken apart into the factors of its base
        term = scratch.state.node(Pow, None, term, scratch.state.one)
    try:
        return Collector(scratch, False).term(term)
    except Rejection:
        return term
