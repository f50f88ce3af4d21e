"""Sums that have a value or a name: Σ of normalised weights is 1, Σ of weights is called something."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..kernel.inference import Definition
from ..kernel.judgement import Rejection
from ..kernel.matching import instance, match
from ..language.binding import shift, uses_index
from ..language.terms import App, Bound, Eval, Fn, Indexed, Stop, Sum, Sym, Term
from .canonical import Canonical
from .chain import Chain, Facts, branch, rewrite
from .members import guarded, key_of, measure_of, pattern_of
from .ratio import put_indices

if TYPE_CHECKING:
    from .closed import Closed

__all__ = ["Sums"]

#: Names in the bodies of names are unfolded so often at most.
MAX_DEPTH = 6


class Sums:
    """What sums and products of the families of a proof are known to be.

    Args:
        closed: the closed forms, whose families these are.
    """

    def __init__(self, closed: Closed) -> None:
        self.closed = closed
        self.proof, self.state = closed.proof, closed.state
        self._sums: dict[tuple[object, ...], int | None] = {}

    def normalised(self, series: Term, live: bool = True) -> int | None:
        """``Σ[j](F[t,j]) = 1`` for normalised weights, also under ⊥ or →; a name where one is defined.

        Args:
            series: a canonical Σ or ∏.
            live: whether a name may be put for what ∇ reaches.
        """
        named = self._named(series)
        if named is not None and (live or not self.closed.live(self.proof.right(named))):
            return named
        body = series.args[2] if series.__class__ is Sum else series
        operator = body.__class__ if body.__class__ in (Stop, Eval) else None
        family = body.args[0] if operator else body
        definition = self.proof.definition_of(family) if family.__class__ is Indexed else None
        if definition is None or not guarded(definition) or key_of(definition) not in self.closed.unfolded:
            return None
        place = [k for k, a in enumerate(family.args) if a.__class__ is Bound and a.key == 0]
        others = [a for k, a in enumerate(family.args) if k not in place]
        if len(place) != 1 or any(uses_index(a) for a in others):
            return None
        lemma = self._sum_of(definition, place[0], series)
        if lemma is None:
            return None
        proof = self.proof
        if operator is None:
            return proof.infer("instance", series, None, [lemma])
        # Σ ⊥F = ⊥ Σ F = ⊥ 1 = 1, and so for →
        plain = self.state.store.node(Sum, None, (*series.args[:2], family), series.hint)  # type: ignore[attr-defined]
        if not all(self.state.fixed(a) for a in series.args[:2]):
            return None
        moved, free = ("stop_function", "stop_number") if operator is Stop else ("eval_function", "eval_free")
        whole = Chain(proof, self.state.node(operator, None, plain)).by(moved)
        one = Chain(proof, self.state.node(operator, None, plain))
        one.inside(proof.infer("instance", plain, None, [lemma])).by(free)
        first, second = whole.step(), one.step()
        assert first is not None and second is not None
        if whole.term is not series:
            return None
        back = proof.infer("symmetry", series, whole.start, [first])
        return proof.chain([back, second])

    def _sum_of(self, definition: Definition, place: int, series: Term) -> int | None:
        """The lemma ``Σ[j=lo..hi](F[…,j,…]) = 1``, its other indices loose; proved once."""
        lo, hi = series.args[:2]
        key = (key_of(definition), place, id(lo), id(hi))
        if key in self._sums or lo.loose or hi.loose:
            return self._sums.get(key)
        self._sums[key] = None
        proof, state = self.proof, self.state
        arity = definition.arity
        others = iter(range(arity - 2, -1, -1))
        args = [
            state.node(Bound, 0) if k == place else state.node(Bound, next(others) + 1) for k in range(arity)
        ]
        family = state.node(Indexed, definition.name, *args)
        left = state.store.node(Sum, None, (lo, hi, family), "j")
        measure = put_indices(proof, measure_of(definition), args[::-1])
        if uses_index(measure):
            return None
        measure = proof.add(shift(measure, -1))
        known = state.facts.hypotheses
        guard = state.node(Fn, "gt", measure, state.zero)
        target = state.node(Fn, "cases", guard, state.one, state.one)
        branches = []
        try:
            for position in (1, 2):
                facts = branch(proof, guard, position == 1)
                chain = Chain(proof, left)
                chain.then(self.closed.opened(chain.term, facts))
                if chain.term is left:
                    return None
                for _ in range(MAX_DEPTH):
                    chain.then(self._plain_names(chain.term))
                chain.then(Canonical(proof).step(chain.term, facts))
                chain.by("ring", state.one)
                step = chain.step()
                assert step is not None
                branches.append(step)
            split = proof.split(left, target, branches)
        except Rejection:
            state.facts.forget(known)
            return None
        found = self._sums[key] = proof.chain([split, proof.infer("cases_same", target)])
        return found

    def _plain_names(self, term: Term) -> int | None:
        """Names that are no recursion, unfolded once."""

        def here(node: Term, facts: Facts) -> int | None:
            found = self.proof.definition_of(node) if node.__class__ in (Sym, Indexed) else None
            if (
                found is None
                or found.measure is not None
                or guarded(found)
                or self.closed.index_valued(found)
            ):
                return None
            return self.proof.infer("definition", node)

        return rewrite(self.proof, term, here, (), lambda node: node.__class__ is not Indexed)

    def _named(self, series: Term) -> int | None:
        """A Σ or ∏ that a plain name is defined to be, as that name; under ⊥ or → too."""
        proof, state = self.proof, self.state
        operator = series.args[2].__class__ if series.args[2].__class__ in (Stop, Eval) else None
        inner = series.args[2].args[0] if operator else series.args[2]
        hint: str = series.hint  # type: ignore[attr-defined]
        plain = state.store.node(series.__class__, None, (*series.args[:2], inner), hint)
        for d in list(proof.definitions.values()):
            if d.body.__class__ is not series.__class__ or d.left.__class__ is App or d.measure is not None:
                continue
            pattern, left = pattern_of(d)
            found = match(pattern, plain)
            if found is None or any(f"?{n}" not in found for n in range(d.arity)):
                continue
            try:
                name = instance(left, found, state.store)
                chain = Chain(proof, name).by("definition")
            except Rejection:
                continue
            if chain.term is not plain:
                continue
            if operator is None:
                return proof.infer("symmetry", series, name, [chain.steps[0]])
            outer = Chain(proof, state.node(operator, None, name)).inside(chain.step())
            try:
                outer.by("stop_function" if operator is Stop else "eval_function")
            except Rejection:
                continue
            whole = outer.step()
            if outer.term is series and whole is not None:
                return proof.infer("symmetry", series, outer.start, [whole])
        return None
