"""The shape of a recursion: which of its indices is the time, and what its ratio is made of.

A ratio (:mod:`.ratio`) is split into a part that depends on the particle and a gauge that depends on the time
alone; each is solved, as a product or a sum along the lineage, in closed form, or as a family of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from ..kernel.inference import Definition
from ..kernel.judgement import Rejection
from ..kernel.matching import match
from ..kernel.rules import meta
from ..kernel.state import State
from ..language.binding import instantiate, shift, uses_index
from ..language.names import canonical_name
from ..language.terms import Add, Bound, Fn, Indexed, Mul, Num, Pow, Prod, Stop, Sum, Term, postorder
from .chain import Facts
from .members import measure_of
from .ratio import Factors, Ratios, put_indices

if TYPE_CHECKING:
    from .closed import Closed

__all__ = ["Shape"]

#: Names, which no text can spell, for the two parts of a ratio while they are being found.
_PART, _GAUGE = "?part", "?gauge"


class Shape:
    """One recursion: which of its indices is the time, and what its ratio is made of."""

    def __init__(self, closed: Closed, main: Definition, body: Term) -> None:
        self.closed, self.main, self.body = closed, main, body
        self.proof, self.state = closed.proof, closed.state
        measure = measure_of(main)
        used = {n.key for n in postorder(measure) if n.__class__ is Bound}
        if len(used) != 1:
            raise Rejection("the measure is not that of one index")
        (self.time,) = used
        index = self.state.node(Bound, self.time)
        #: the last time of the base case: t - measure
        self.base = self.closed.canonical.term(self.proof.add(index - measure))
        if self.base.loose:
            raise Rejection("the recursion does not go forward")
        self.particles = [k for k in range(main.arity) if k != self.time]

    def arguments(self, node: Term) -> tuple[Term, ...]:
        """The indices of a member, ``[k]`` for ``Bound(k)``."""
        return tuple(reversed(node.args))

    def known(self, node: Term, facts: Facts) -> Factors | None:
        """The ratio of the family at other indices, as its two parts yet to be found; that of others."""
        definition = self.proof.definition_of(node)
        if definition is not self.main:
            same = definition is not None and definition.group == self.main.group
            return None if same else self.closed.known_ratio(node, facts)
        part = self.state.node(Indexed, _PART, *node.args)
        gauge = self.state.node(Indexed, _GAUGE, self.arguments(node)[self.time])
        return {part: 1, gauge: 1}

    def split(self, factors: Factors) -> tuple[Factors, Factors]:
        """The factors that a particle's index occurs in, and those of the time alone."""
        part: Factors = {}
        gauge: Factors = {}
        for f, e in factors.items():
            alone = f.key != _PART and not any(uses_index(f, k) for k in self.particles)
            (gauge if alone and self.particles else part)[f] = e
        if not self.particles:  # the time is all there is: what is not the gauge belongs to the part
            gauge = {f: e for f, e in part.items() if f.key == _GAUGE}
            part = {f: e for f, e in part.items() if f not in gauge}
        return part, gauge

    # the part that depends on the particle
    def solve(self, step: Factors, base: Factors) -> Term:
        """A in closed form, or a family for it."""
        direct = [f for f in step if f.__class__ is Indexed and f.key == _PART]
        others = [f for f in step if f not in direct]
        nested = any(n.__class__ is Indexed and n.key == _PART for f in others for n in postorder(f))
        if len(direct) == 1 and step[direct[0]] == 1 and not nested and self._one_back(direct[0]):
            return self._along(direct[0], {f: step[f] for f in others}, base)
        if not direct and not nested:  # it does not look back
            return Ratios(self.proof, ()).written(step)
        return self._family(step, base)

    def looks_back(self, step: Factors) -> bool:
        """Whether the part is used at an earlier time."""
        return any(n.__class__ is Indexed and n.key == _PART for f in step for n in postorder(f))

    def _one_back(self, part: Term) -> bool:
        """Whether the part is used one step of time before."""
        index = self.state.node(Bound, self.time)
        gap = self.proof.state.ring().difference(index, self.arguments(part)[self.time])
        return gap == {(): 1}

    def _along(self, part: Term, factors: Factors, base: Factors) -> Term:
        """The product of the factors along the lineage."""
        previous = self.arguments(part)
        moved = [k for k in self.particles if previous[k] is not self.state.node(Bound, k)]
        if len(moved) > 1:
            raise Rejection("more than one index has a lineage")
        lineage = self._lineage(moved[0], previous[moved[0]]) if moved else None
        state = self.state
        t = state.node(Bound, self.time)
        out: list[Term] = []
        for f, e in base.items():
            out.append(_power(state, self._at(f, self.base, lineage, moved, t), e))
        lo = self.closed.canonical.term(self.proof.add(self.base + state.one))
        for f, e in factors.items():
            bare = _bare(f)
            inner = self._below(bare or f, lineage, moved)
            product = state.store.node(Prod, None, (lo, t, inner), "s")
            if bare is not None:
                product = self.closed.fold_path(product)
                inverse = state.node(
                    Pow, None, state.node(Stop, None, product), state.node(Num, Fraction(-1))
                )
                product = state.node(Mul, None, product, inverse)
            out.append(_power(state, product, e))
        return state.product(*out)

    def summed(self, start: Term) -> Term | None:
        """``base + Σ[s](H[s, …])`` for a recursion that adds H to itself one step before."""
        proof, state = self.proof, self.state
        arity = start.loose
        if arity != self.main.arity:  # a coordinate behind the family's own indices
            return None
        pattern = start
        for n in range(arity):
            pattern = instantiate(pattern, meta(str(n)))
        pattern = proof.add(pattern)
        summands = self.body.args[1].args if self.body.args[1].__class__ is Add else (self.body.args[1],)
        own = [f for f in summands if match(pattern, f) is not None]
        others = [f for f in summands if f not in own]
        if len(own) != 1 or any(match(pattern, n) is not None for f in others for n in postorder(f)):
            return None
        found = match(pattern, own[0])
        assert found is not None
        previous = [found[f"?{n}"][0] for n in range(arity)]
        gap = proof.state.ring().difference(state.node(Bound, self.time), previous[self.time])
        moved = [k for k in self.particles if previous[k] is not state.node(Bound, k)]
        if gap != {(): 1} or len(moved) > 1:
            return None
        lineage = self._lineage(moved[0], previous[moved[0]]) if moved else None
        t = state.node(Bound, self.time)
        out = []
        if self.body.args[2] is not state.zero:
            out.append(self._at(self.body.args[2], self.base, lineage, moved, t))
        if others:
            lo = self.closed.canonical.term(proof.add(self.base + state.one))
            inner = self._below(state.total(others), lineage, moved)
            out.append(state.store.node(Sum, None, (lo, t, inner), "s"))
        return state.total(out)

    def _below(self, f: Term, lineage: str | None, moved: Sequence[int]) -> Term:
        """A factor at time s of the lineage, under the binder of s."""
        t = self.state.node(Bound, self.time + 1)
        return self._at(f, self.state.node(Bound, 0), lineage, moved, t, 1)

    def _at(
        self, f: Term, time: Term, lineage: str | None, moved: Sequence[int], t: Term, by: int = 0
    ) -> Term:
        """A factor at another time, the particle replaced by its ancestor then."""
        values: list[Term] = []
        for k in range(self.main.arity):
            own = self.state.node(Bound, k + by)
            if k == self.time:
                values.append(time)
            elif k in moved and lineage is not None:
                values.append(self.state.node(Indexed, lineage, time, t, own))
            else:
                values.append(own)
        return put_indices(self.proof, f, values)

    def _lineage(self, k: int, previous: Term) -> str:
        """The name of the map to the ancestor at time s, found or newly defined: M[s,t,i]."""
        if self.main.arity != 2:
            raise Rejection("a lineage has one particle index")
        proof, state = self.proof, self.state
        previous = self._named(previous)
        # over s, t, i: Bound(2), Bound(1), Bound(0)
        s, t, i = (state.node(Bound, n) for n in (2, 1, 0))
        values = [t if n == self.time else i for n in range(2)]
        kappa = put_indices(proof, previous, values)
        measure = proof.add(t - s)
        back = proof.add(t + Num(-1))

        def body(name: str) -> Term:
            guard = state.node(Fn, "gt", measure, state.zero)
            return state.node(Fn, "cases", guard, state.node(Indexed, name, s, back, kappa), i)

        for d in proof.definitions.values():
            if d.arity == 3 and d.left.__class__ is Indexed:
                try:
                    if not proof.state.ring().difference(d.body, body(d.name)):
                        return d.name
                except Rejection:
                    continue
        like = previous.key if previous.__class__ is Indexed else self.main.name
        name = self.closed.fresh(canonical_name(f"{like}\u0303"))
        left = state.node(Indexed, name, s, t, i)
        proof.define([Definition(left, 3, body(name), measure)])
        self.closed.origin[name] = (1, self.main.name, ())
        return name

    def _named(self, index: Term) -> Term:
        """An index by the name of the map that is defined to be it."""
        if index.__class__ is Fn and index.key == "cases":
            condition = index.args[0]
            branches = (self._where(index.args[k], condition, k) for k in (1, 2))
            index = self.state.node(Fn, "cases", condition, *branches)
        for d in self.proof.definitions.values():
            if d.left.__class__ is Indexed and d.arity == self.main.arity and d.body is index:
                return d.left
        return index

    def _where(self, index: Term, condition: Term, branch: int) -> Term:
        """An index in a branch of cases: what a map that is defined by the same cases is there."""
        definition = self.proof.definition_of(index)
        if definition is None or not self.closed.index_valued(definition):
            return index
        body = put_indices(self.proof, definition.body, index.args[::-1])
        return body.args[branch] if body.args[0] is condition else index

    def _family(self, step: Factors, base: Factors) -> Term:
        """A family for a part that has no closed form."""
        if any(n.key == _GAUGE for f in (*step, *base) for n in postorder(f)):
            raise Rejection("the part of the particle and that of the time do not come apart")
        proof, state = self.proof, self.state
        name = self.closed.fresh("ρ")
        left = state.node(Indexed, name, *self.main.left.args)
        ratios = Ratios(proof, ())

        def named(term: Term) -> Term:
            done: dict[int, Term] = {}
            for node in postorder(term):
                args = tuple(done[id(a)] for a in node.args)
                new = state.rebuild(node, args)
                done[id(node)] = state.node(Indexed, name, *args) if node.key == _PART else new
            return done[id(term)]

        guard = self.body.args[0]
        body = state.node(Fn, "cases", guard, named(ratios.written(step)), named(ratios.written(base)))
        definition = Definition(left, self.main.arity, body, measure_of(self.main))
        proof.define([definition])
        self.closed.origin[name] = (0, self.main.name, ())
        self.closed.of_value_one(definition)
        return left

    # the part that depends on the time alone
    def gauge(self, step: Factors, step_part: Factors, part: Term) -> Term:
        """g in closed form, a proposal for the base case too."""
        state = self.state
        own = {f: e for f, e in step.items() if f.key == _GAUGE}
        time = state.node(Bound, self.time)
        rest = self.folded({f: e for f, e in step.items() if f.key != _GAUGE}, step_part, time)
        if any(not self._back_one(f) for f in own) or sum(own.values()) not in (0, 1):
            raise Rejection("the gauge has no closed form")
        now = self.filled(rest, part, state.one)
        if not own or now is state.one:
            return now
        lo = self.closed.canonical.term(self.proof.add(self.base + state.one))
        inner = self._at_time(now, state.node(Bound, 0))
        return state.store.node(Prod, None, (lo, state.node(Bound, self.time), inner), "s")

    def by_cases(self, gauge: Term) -> Term:
        """The gauge from the second time on, and 1 in the base case."""
        return self.state.node(Fn, "cases", self.body.args[0], gauge, self.state.one)

    def _back_one(self, gauge: Term) -> bool:
        gap = self.proof.state.ring().difference(self.state.node(Bound, self.time), gauge.args[0])
        return gap == {(): 1}

    def folded(self, factors: Factors, step_part: Factors, time: Term, present: bool = False) -> Factors:
        """Averages of the part at a time recognised as such; where present, the part itself."""
        out: Factors = {}
        rest = dict(factors)
        if present and step_part and all(rest.get(f) == e for f, e in step_part.items()):
            out[self.state.node(Indexed, _PART, *self.main.left.args)] = 1
            rest = {f: e for f, e in rest.items() if f not in step_part}
        whole = Ratios(self.proof, ()).written(step_part)
        for f, e in rest.items():
            out[self._fold_average(f, whole, time) if f.__class__ is Sum else f] = e
        return out

    def _fold_average(self, series: Term, whole: Term, time: Term) -> Term:
        """``Σ[j](⊥(E/ΣE) P[j])`` as ``Σ[j](⊥F[t,j] A[t,j])`` where it is that."""
        state, proof = self.state, self.proof
        if len(self.particles) != 1 or series.args[2].__class__ is not Mul:
            return series
        share, *inner = series.args[2].args
        below, index = proof.add(shift(time, 1)), state.node(Bound, 0)
        values = [index if k in self.particles else below for k in range(self.main.arity)]

        def now(term: Term) -> Term:
            return put_indices(proof, term, values)

        ring = proof.state.ring()
        try:
            if ring.difference(state.product(*inner), now(whole)):
                return series
            weight = state.node(Stop, None, now(self.main.left))
            if not ring.difference(share.args[0], now(self.body.args[1])):
                share = weight
        except Rejection:
            return series
        part = state.node(Indexed, _PART, *now(self.main.left).args)
        hint: str = series.hint  # type: ignore[attr-defined]
        return state.store.node(Sum, None, (*series.args[:2], state.node(Mul, None, share, part)), hint)

    def _at_time(self, term: Term, time: Term) -> Term:
        """A term of the time alone, at another time."""
        values = [time if k == self.time else self.state.zero for k in range(self.main.arity)]
        return put_indices(self.proof, term, values)

    def filled(self, factors: Factors, part: Term, gauge: Term) -> Term:
        """A product with what was found for the two parts."""
        state = self.state
        done: dict[int, Term] = {}
        root = Ratios(self.proof, ()).written(factors)
        for node in postorder(root):
            args = tuple(done[id(a)] for a in node.args)
            if node.key == _PART:
                done[id(node)] = put_indices(self.proof, part, args[::-1])
            elif node.key == _GAUGE:
                done[id(node)] = self._at_time(gauge, args[0])
            else:
                done[id(node)] = state.rebuild(node, args)
        return done[id(root)]


def _bare(factor: Term) -> Term | None:
    """E, where the factor is ``E/⊥E``."""
    if factor.__class__ is Mul and len(factor.args) == 2 and factor.args[1].__class__ is Pow:
        stopped = factor.args[1].args[0]
        if stopped.__class__ is Stop and stopped.args[0] is factor.args[0]:
            return factor.args[0]
    return None


def _power(state: State, term: Term, exponent: int) -> Term:
    return term if exponent == 1 else state.node(Pow, None, term, state.node(Num, Fraction(exponent)))
