"""Moves on expectations: linearity, what is known, the laws of draws, importance weighting, the score.

:class:`Expectations` makes kernel steps for one proof.  Its normal form takes out of every 𝔼 and 𝔼[· | t]
what may be taken out: sums, factors that are free of the variable or known at the time, what is known
altogether; and joins nested conditional expectations (the tower rule).  The other moves are made where
they are named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from ..kernel.judgement import Draw, Rejection
from ..language.binding import map_under_binders, placed, shift
from ..language.terms import (
    HAS_EXPECT,
    Add,
    App,
    Bound,
    CondExpect,
    Expect,
    Grad,
    Indexed,
    Mul,
    Sum,
    Term,
    postorder,
)
from .chain import Chain, Facts, rewrite
from .proof import Proof

__all__ = ["Expectations"]

#: No term is taken apart into more summands than this.
MAX_SUMMANDS = 200


class Expectations:
    """The moves on expectations of one proof.

    Args:
        proof: where the steps go.
        split: whether Σ is moved out of expectations.
        equations: steps of which one may conclude that the weights of a resampling law sum to one.
    """

    def __init__(self, proof: Proof, split: bool = True, equations: Sequence[int] = ()) -> None:
        self.proof = proof
        self.split = split
        self._one = [e for e in equations if proof.right(e) is proof.state.one]
        self._done: dict[int, int | None] = {}

    # ------------------------------------------------------------------------------ the normal form
    def normal(self, term: Term) -> int | None:
        """The step that takes out of the expectations of a term what may be; None where nothing may."""
        for node in postorder(term):
            if node.flags & HAS_EXPECT and id(node) not in self._done:
                self._done[id(node)] = self._normal(node)
        return self._done.get(id(term))

    def forms(self, term: Term, form: Callable[[Term], int | None]) -> int | None:
        """The step that puts what is averaged in a term into a form, the innermost first."""
        done: dict[int, int | None] = {}
        for node in postorder(term):
            if node.flags & HAS_EXPECT:
                chain = Chain(self.proof, node).inside(*(done.get(id(a)) for a in node.args))
                if node.__class__ in (Expect, CondExpect):
                    chain.inside(form(chain.term.args[1]))
                done[id(node)] = chain.step()
        return done.get(id(term))

    def _normal(self, node: Term) -> int | None:
        chain = Chain(self.proof, node).inside(*(self._done.get(id(a)) for a in node.args))
        if chain.term.__class__ in (Expect, CondExpect):
            chain.then(self._taken_out(chain.term))
        return chain.step()

    def _taken_out(self, node: Term) -> int | None:
        """Everything out of one expectation; the step, or None."""
        proof, body = self.proof, node.args[1]
        kind = "expect" if node.__class__ is Expect else "cond"
        chain = Chain(proof, node)
        cls = body.__class__
        if cls is CondExpect and kind == "cond" and self._later(body.args[0], node.args[0]):
            return proof.infer("cond_tower", node)
        if cls is Add:
            return self._over_sum(node, kind, list(body.args))
        if cls is Sum and self.split:
            with suppress(Rejection):
                chain.by(f"{kind}_sum")
                inner = self.normal_at(chain.term.args[2])
                return chain.inside(inner).step()
        if self._free(node, body):
            return self._all_out(node, kind)
        factors = list(body.args) if cls is Mul else [body]
        for position, factor in enumerate(factors):
            if factor.__class__ is Mul:
                flat = proof.add(Mul(*factors[:position], *factor.args, *factors[position + 1 :]))
                return self._then(node, flat)
            if factor.__class__ is Add and len(factor.args) <= MAX_SUMMANDS:
                rest = [*factors[:position], *factors[position + 1 :]]
                return self._then(node, proof.add(Add(*(Mul(*rest, part) for part in factor.args))))
        free = [f for f in factors if self._free(node, f)]
        bound = [f for f in factors if not self._free(node, f)]
        if free:
            return self._scaled(node, kind, free, bound)
        if self.split and len(bound) > 1:
            return self._into_sum(node, bound)
        return None

    def _then(self, node: Term, body: Term) -> int | None:
        """Go on with another form of the body, equal by arithmetic."""
        step = self.proof.infer("ring", node.args[1], body)
        chain = Chain(self.proof, node).inside(step)
        return chain.then(self._taken_out(chain.term)).step()

    def _over_sum(self, node: Term, kind: str, parts: list[Term]) -> int | None:
        """``𝔼(A + B + …)``, the summands two by two."""
        proof = self.proof
        rest = parts[1] if len(parts) == 2 else proof.add(Add(*parts[1:]))
        chain = Chain(proof, node)
        if len(parts) > 2:
            chain.inside(proof.infer("ring", node.args[1], proof.add(Add(parts[0], rest))))
        chain.by(f"{kind}_add")
        return chain.inside(*map(self._taken_out, chain.term.args)).step()

    def _scaled(self, node: Term, kind: str, free: list[Term], bound: list[Term]) -> int | None:
        """``𝔼(A B) = A 𝔼(B)`` for the factors that may be taken out."""
        proof = self.proof
        outer = free[0] if len(free) == 1 else proof.add(Mul(*free))
        inner = bound[0] if len(bound) == 1 else proof.add(Mul(*bound))
        pair = proof.state.node(Mul, None, outer, inner)
        chain = Chain(proof, node)
        if pair is not node.args[1]:
            chain.inside(proof.infer("ring", node.args[1], pair))
        start = chain.term
        if kind == "cond":
            chain.by("cond_known")
        else:
            target = proof.add(Mul(shift(outer, -1), Expect(start.args[0], inner, self._hint(node))))
            chain.back("expect_scale", target)
        return chain.inside(self._taken_out(chain.term.args[1])).step()

    def _all_out(self, node: Term, kind: str) -> int | None:
        """``𝔼(A) = A`` where A may be taken out altogether."""
        proof, body = self.proof, node.args[1]
        if body is proof.state.one:
            with suppress(Rejection):
                return proof.infer(f"{kind}_one", node)
            return None
        pair = proof.state.node(Mul, None, body, proof.state.one)
        chain = Chain(proof, node).inside(proof.infer("ring", body, pair))
        if kind == "cond":
            chain.by("cond_known")
        else:
            target = proof.add(Mul(shift(body, -1), Expect(node.args[0], proof.state.one, self._hint(node))))
            chain.back("expect_scale", target)
        rest = self._taken_out(chain.term.args[1])
        if rest is None:
            return None
        chain.inside(rest)
        return chain.by("ring", chain.term.args[0]).step()

    def _into_sum(self, node: Term, factors: list[Term]) -> int | None:
        """A factor Σ takes the others inside, so that it can be moved out."""
        proof = self.proof
        for position, factor in enumerate(factors):
            if factor.__class__ is Sum:
                rest = [*factors[:position], *factors[position + 1 :]]
                outer = rest[0] if len(rest) == 1 else proof.add(Mul(*rest))
                pair = proof.state.node(Mul, None, outer, factor)
                chain = Chain(proof, node.args[1])
                if pair is not chain.term:
                    chain.by("ring", pair)
                step = chain.by("sum_scale").step()
                whole = Chain(proof, node).inside(step)
                return whole.then(self._taken_out(whole.term)).step()
        return None

    def normal_at(self, node: Term) -> int | None:
        """The normal form of one expectation, its operands being in theirs."""
        return self._taken_out(node) if node.__class__ in (Expect, CondExpect) else self.normal(node)

    def _free(self, node: Term, factor: Term) -> bool:
        """Whether a factor may be taken out of an expectation."""
        if node.__class__ is CondExpect:
            return self.proof.inference.filtration.known(factor, node.args[0])
        try:
            shift(factor, -1)
        except ValueError:
            return False
        return True

    def _later(self, time: Term, than: Term) -> bool:
        node = self.proof.state.node
        nested = node(CondExpect, None, than, node(CondExpect, None, time, self.proof.state.one))
        try:
            return not self.proof.conclusion(self.proof.infer("cond_tower", nested)).where
        except Rejection:
            return False

    @staticmethod
    def _hint(node: Term) -> str:
        return getattr(node, "hint", "x")

    # ---------------------------------------------------------------------------- the laws of draws
    def drawn(self, name: str) -> Callable[[Term], int | None]:
        """The move that puts the law of a family's draws to use, wherever the rest is known."""

        def here(node: Term, facts: Facts) -> int | None:
            return next(self.draws(node, name), None) if node.__class__ is CondExpect else None

        return lambda term: rewrite(self.proof, term, here)

    def draws(self, node: Term, name: str) -> Iterator[int]:
        """The steps that average one ``𝔼[· | t]`` by the law of a family's draws."""
        return (self._offspring if node.args[1].__class__ is Sum else self._draw)(node, name)

    def _rows(self, name: str) -> Iterator[Draw]:
        rows = self.proof.inference.filtration.rows
        return (r for r in rows if r.left.key == name and r.law is not None)

    def _draw(self, node: Term, name: str) -> Iterator[int]:
        proof, (time, body) = self.proof, node.args
        for row in self._rows(name):
            for target in self._occurrences(body, name):
                law = self._at(row, target)
                if row.law.__class__ is not Expect or law is None:
                    continue
                inner = proof.add(Expect(law.args[0], _abstracted(body, target), row.law.hint))
                with suppress(Rejection):
                    right = proof.state.node(CondExpect, None, time, inner)
                    yield proof.infer("expect_draw", node, right, (), [(name, 0, target)])

    def _offspring(self, node: Term, name: str) -> Iterator[int]:
        proof, (time, body) = self.proof, node.args
        lo, hi, summand = body.args
        for row in self._rows(name):
            for target in self._occurrences(summand, name):
                law = self._at(row, target)
                if row.law.__class__ is not Sum or law is None:
                    continue
                # from under the binder of i to that of j, which takes its place
                moved = _abstracted(summand, target)
                with suppress(ValueError, Rejection):
                    moved = shift(moved, -1, cutoff=1)
                    weights = shift(law, -1).args[2]
                    number = hi if lo is proof.state.one else hi - lo + proof.state.one
                    new = Sum(lo, hi, Mul(weights, moved), "j")
                    right = proof.add(CondExpect(time, Mul(number, new)))
                    total = proof.add(shift(law, -1))
                    normalised = [e for e in self._one if proof.left(e) is total][:1]
                    yield proof.infer("expect_offspring", node, right, normalised, [(name, 0, target)])

    def _at(self, row: Draw, target: Term) -> Term | None:
        """The law of a row at the indices of what is drawn."""
        values = list(target.args)
        wanted = [a for a in row.left.args if a.__class__ is Bound]
        if len(values) != len(row.left.args):
            return None
        found: dict[int, Term] = {}
        for own, value in zip(row.left.args, values, strict=True):
            if own.__class__ is Bound:
                found[own.key] = value
            elif own != value:
                return None
        law = row.law
        assert law is not None
        for number in range(len(wanted)):  # the innermost index first; the others stay behind for now
            law = _put(law, found[number], len(wanted) - 1 - number)
        return self.proof.add(law)

    def _occurrences(self, body: Term, name: str) -> list[Term]:
        """Where a family stands with indices that are not bound inside, as it is seen from outside."""
        found: dict[Term, None] = {}
        for node, depth in placed(body):
            if node.__class__ is Indexed and node.key == name:
                with suppress(ValueError):
                    found[self.proof.add(shift(node, -depth))] = None
        return list(found)

    # -------------------------------------------------------------------- densities
    def weighted(self, term: Term, law: App, hint: str = "x") -> int | None:
        """Importance weighting: every ``𝔼[x ~ p](A)`` as ``𝔼[x ~ q](p/q A)``; q has ``Bound(0)`` for x."""

        def here(node: Term, facts: Facts) -> int | None:
            if node.__class__ is not Expect or node.args[0].__class__ is not App or node.args[0] == law:
                return None
            right = Expect(law, Mul(node.args[0], law ** -1, node.args[1]), hint)
            with suppress(Rejection):
                return self.proof.infer("expect_weight", node, self.proof.add(right))
            return None

        return rewrite(self.proof, term, here)

    def score(self, term: Term) -> int | None:
        """Eq. 145: ∇ moved inside every 𝔼."""

        def here(node: Term, facts: Facts) -> int | None:
            if node.__class__ is Grad and node.args[0].__class__ is Expect:
                with suppress(Rejection):
                    return self.proof.infer("expect_score", node)
            return None

        return rewrite(self.proof, term, here)


def _abstracted(term: Term, value: Term) -> Term:
    """The body of a binder over what stands for a term."""

    def leaf(node: Term, depth: int) -> Term | None:
        if node.__class__ is value.__class__ and node == shift(value, depth):
            return Bound(depth)
        if node.__class__ is Bound and node.key >= depth:
            return Bound(node.key + 1)
        return None

    return map_under_binders(term, leaf, lambda node, depth: False)


def _put(term: Term, value: Term, behind: int) -> Term:
    """The term with its innermost loose index replaced by a value that stands outside the others too."""

    def leaf(node: Term, depth: int) -> Term | None:
        if node.__class__ is not Bound or node.key < depth:
            return None
        return shift(value, depth + behind) if node.key == depth else Bound(node.key - 1)

    return map_under_binders(term, leaf, lambda node, depth: node.loose <= depth)
