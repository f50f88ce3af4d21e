"""Log-derivatives of families named as such: ``∇ log w̄[t,i]`` for normalised weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

from ..kernel.judgement import Rejection
from ..language.binding import shift, uses_index
from ..language.terms import Eval, Fn, Grad, Indexed, Num, Sum, Term
from .chain import Chain, Facts, rewrite
from .factors import dependent, without
from .flat import Flat, Flattener, Ranges, flat_term
from .naming import Namer, assignments
from .proof import Proof
from .ratio import put_indices

__all__ = ["Scores", "evaluated", "gathered"]

#: So many log-derivatives are tried at one result.
MAX_TRIED = 8


class Scores:
    """Takes ``∇ log F`` out of a result for families F whose log-derivative has a sum in it.

    A bare ``Σ ∇ log p`` shows where to look: with F = p/Σp the sum of its log-derivatives is that, and a
    term more.  What is taken out must leave two terms less.

    Args:
        flattener: of the proof.
        namer: which knows the families.
        opened: works out a term, to its canonical form.
    """

    def __init__(self, flattener: Flattener, namer: Namer, opened: Callable[[Term], Term]) -> None:
        self.flattener, self.namer, self.opened = flattener, namer, opened
        self.canonical, self.proof = flattener.canonical, flattener.proof
        self.state = self.proof.state
        self.derivative = flattener.derivative

    def of(self, whole: Term) -> tuple[Term, list[Flat]]:
        """What is left of a canonical result, and what was taken out."""
        found: list[Flat] = []
        tried = 0
        while True:
            for flat in self._candidates(whole):
                tried += 1
                if tried > MAX_TRIED:
                    return whole, found
                rest = self.canonical.term(self.proof.add(whole - self.opened(flat_term(self.proof, flat))))
                if self._count(rest) + 1 < self._count(whole):
                    whole = rest
                    found.append(flat)
                    break
            else:
                return whole, found

    def _count(self, term: Term) -> int:
        return len(self.canonical.monomials(term))

    def _candidates(self, whole: Term) -> Iterator[Flat]:
        """What may be taken out: sums of log-derivatives of families, with what stands in front of them."""
        node = self.state.node
        for flat in self.namer.named(self.flattener.flats(whole)):
            gradients = [f for f in flat.factors if self.derivative(f)]
            depth = len(flat.ranges)
            if len(gradients) != 1 or not depth or dependent(without(flat.factors, gradients[0]), depth):
                continue
            (gradient,) = gradients
            log = gradient.args[0] if gradient.__class__ is Grad else gradient
            if log.__class__ is not Fn or log.key != "log" or flat.factors[gradient] != 1:
                continue
            front = without(flat.factors, gradient)
            for family, c in self._families_with(log):
                own = node(Grad, gradient.key, node(Fn, "log", family), *gradient.args[1:])
                for ranges in self._widened(flat.ranges):
                    yield Flat(flat.number / c, ranges, {**front, own: 1})

    def _families_with(self, log: Term) -> Iterator[tuple[Term, Fraction]]:
        """The families whose log has that of a density as a term, beside the log of a sum."""
        for name in self.namer.names:
            if name.left.__class__ is not Fn or name.left.args[0].__class__ is not Indexed:
                continue
            terms = [(c, f) for c, f in self.namer.read(name.body) if len(f) == 1]
            logs = [(c, next(iter(f))) for c, f in terms]
            if not any(f.__class__ is Fn and f.key == "log" and f.args[0].__class__ is Sum for _, f in logs):
                continue
            for c, pattern in logs:
                for values in assignments(self.proof, pattern, name.arity, [log]):
                    if self.canonical.term(put_indices(self.proof, pattern, values)) is log:
                        yield self.proof.add(put_indices(self.proof, name.left.args[0], values)), c

    def _widened(self, ranges: Ranges) -> Iterator[Ranges]:
        """Ranges as a document has them where they begin before these, and these themselves."""
        wide = list(ranges)
        for level, (lo, hi) in enumerate(ranges):
            for first, last in self.flattener.declared:
                if last is hi and lo.__class__ is Num and first.__class__ is Num and first.key < lo.key:
                    wide[level] = (first, last)
        if tuple(wide) != ranges:
            yield tuple(wide)
        yield ranges


def gathered(proof: Proof, term: Term) -> int | None:
    """``Σ ∇ log F`` of a defined family as ``∇ Σ log F``: at a base case the term is none of its own."""
    state = proof.state

    def here(node: Term, facts: Facts) -> int | None:
        core, depth = node, 0
        while core.__class__ is Sum:
            core, depth = core.args[2], depth + 1
        log = core.args[0] if core.__class__ is Grad else core
        if not depth or core is log or log.__class__ is not Fn or log.key != "log":
            return None
        if proof.definition_of(log.args[0]) is None:
            return None
        outer = _moved_in(node, log)
        for level in range(depth):
            if any(uses_index(c, level) for c in core.args[1:]):
                return None
        coordinates = [proof.add(shift(c, -depth)) for c in core.args[1:]]
        start = state.node(Grad, core.key, outer, *coordinates)
        return _turned(proof, start, node)

    def _moved_in(node: Term, log: Term) -> Term:
        if node.__class__ is not Sum:
            return log
        return state.rebuild(node, (*node.args[:2], _moved_in(node.args[2], log)))

    return rewrite(proof, term, here)


def _turned(proof: Proof, start: Term, goal: Term) -> int | None:
    """The step that concludes ``goal = start``, where ∇ moves from the start into nested sums."""

    def inward(node: Term) -> int | None:
        if node.__class__ is Sum:
            return Chain(proof, node).inside(inward(node.args[2])).step()
        if node.__class__ is not Grad or node.args[0].__class__ is not Sum:
            return None
        chain = Chain(proof, node).by("grad_series")
        return chain.then(inward(chain.term)).step()

    try:
        step = inward(start)
    except Rejection:
        return None
    if step is None or proof.right(step) is not goal:
        return None
    return proof.infer("symmetry", goal, start, [step])


def evaluated(proof: Proof, term: Term) -> int:
    """``A = →A``: an equality of values where A has a ⊥."""
    arrow = proof.state.node(Eval, None, term)
    if proof.state.stop_free(term):
        return proof.infer("symmetry", term, arrow, [proof.infer("eval_free", arrow)])
    twice = proof.infer("eval_eval", proof.state.node(Eval, None, arrow))
    return proof.infer("symmetry", term, arrow, [proof.infer("arrow", arrow, None, [twice])])
